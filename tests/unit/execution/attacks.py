# ruff: noqa: E501 - a line a row
"""What hostile function code tries, as a table. Each body returns after it succeeded or raises when it was refused.

`full` and `process` say what becomes of it at each level; docs/isolation.md shows the same table (a test compares).
"""

from dataclasses import dataclass

REFUSED, POSSIBLE = "refused", "possible"
UNKNOWN = "depends on the machine"

BEFORE = """
import ctypes, errno, os, resource, socket, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    if libc.syscall(number, *arguments) < 0 and ctypes.get_errno() in (errno.EPERM, errno.ENOSYS):
        raise PermissionError(os.strerror(ctypes.get_errno()))
def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), 'refused')
def attack(e):
    {body}
def handler(e, c):
    try:
        attack(e)
    except (OSError, RuntimeError, AssertionError, ProcessLookupError) as error:
        return 'refused'
    return 'possible'
"""


@dataclass(frozen=True)
class Attack:
    name: str
    body: str
    full: str = REFUSED
    process: str = POSSIBLE

    @property
    def source(self) -> str:
        return BEFORE.format(body=self.body.replace("\n", "\n    "))


ATTACKS = [
    Attack("read the data directory", "open(e['secret']).read()"),
    Attack("list the data directory", "assert os.listdir(e['data'])"),
    Attack("read another function's code", "open(e['code']).read()"),
    Attack("read another environment's temporary files", "assert any('mark' in names for _, _, names in os.walk(e['run']))"),
    Attack("read the machine's password hashes", "open('/etc/shadow').read()"),
    Attack("see other processes", "os.listdir(f\"/proc/{e['pid']}\")\nassert str(e['pid']) in os.listdir('/proc')"),
    Attack("signal the server", "os.kill(e['pid'], 0)"),
    Attack("reach another environment's channel", "assert os.listdir(f\"/proc/{e['pid']}/fd\")"),
    Attack("read the server's environment", "open(f\"/proc/{e['pid']}/environ\").read()"),
    Attack("connect to a service on the machine's loopback", "socket.create_connection(('127.0.0.1', e['port']), 2).recv(1)"),
    Attack("connect to an abstract socket of the machine", "s = socket.socket(socket.AF_UNIX)\ns.connect(e['abstract'])"),
    Attack("change its own package", "open('app.py', 'a').close()"),
    Attack("follow a link in the package out of it", "open('link').read()"),
    Attack("look into the first process it can see", "open('/proc/1/environ').read()\nos.listdir('/proc/1/root')", process=UNKNOWN),
    Attack("escape through /proc", "assert os.listdir(f\"/proc/{e['pid']}/root\")"),
    Attack("change the kernel's settings", "open('/proc/sys/kernel/core_pattern', 'r+').close()"),
    Attack("become root", "os.setuid(0)"),
    Attack("use a set-user-id program", "assert subprocess.run(['su', '-c', 'id -u'], capture_output=True).stdout == b'0\\n'"),
    Attack("make a user namespace", "checked(libc.unshare(0x10000000))"),
    Attack("make a mount namespace", "checked(libc.unshare(0x20000))"),
    Attack("mount a file system", "checked(libc.unshare(0x20000))\nchecked(libc.mount(b'x', b'/proc', b'tmpfs', 0, None))"),
    Attack("change the root directory", "os.chroot('/')"),
    Attack("trace a process", "checked(libc.ptrace(0, 0, 0, 0))"),
    Attack("read another process's memory", "call(310 if os.uname().machine == 'x86_64' else 270, e['pid'], 0, 0, 0, 0, 0)"),
    Attack("open a raw socket", "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)"),
    Attack("open a packet socket", "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)"),
    Attack("use the kernel's key rings", "call(250 if os.uname().machine == 'x86_64' else 219, 0, -3, 0)"),
    Attack("load a BPF program", "call(321 if os.uname().machine == 'x86_64' else 280, 0, 0, 0)"),
    Attack("handle its own page faults", "call(323 if os.uname().machine == 'x86_64' else 282, 0)"),
    Attack("use io_uring", "call(425, 1, 0)"),
    Attack("set the clock", "time.clock_settime(time.CLOCK_REALTIME, time.clock_gettime(time.CLOCK_REALTIME))"),
    Attack("open a device", "os.open('/dev/kmsg', os.O_RDONLY)"),
    Attack("start more than 1,024 processes and threads", "threading.stack_size(65536)\nstop = threading.Event()\n"
           "try:\n    for _ in range(1100): threading.Thread(target=stop.wait, daemon=True).start()\n"
           "finally: stop.set()"),
    Attack("fill the disk beyond its ephemeral storage", "f = os.open(os.environ['TMPDIR'] + '/big', os.O_CREAT | os.O_RDWR)\n"
           "os.posix_fallocate(f, 0, 600 << 20)"),
    Attack("open more than 1,024 files", "kept = [open('/dev/null') for _ in range(1100)]", process=REFUSED),
    Attack("use its memory limit many times over through children",
           "assert subprocess.run([sys.executable, '-c', 'x = bytearray(b\"1\") * (900 << 20)']).returncode == 0"),
]  # fmt: skip
