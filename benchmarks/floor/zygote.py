"""The floor of a cold start: a warm Python process that forks, and the child answers one event.

`zygote.py DESCRIPTOR MODULE LEVEL`. It imports MODULE first. At LEVEL `full` the child gets namespaces of its own
(process ids, mounts, IPC, host name, network), which the kernel charges for whoever asks; at `process` it does not.
For every line of JSON it reads it forks, the child echoes the line, and ends.
"""

import ctypes
import gc
import importlib
import json
import os
import signal
import sys

NAMESPACES = 0x20000000 | 0x00020000 | 0x08000000 | 0x04000000 | 0x40000000


def main(descriptor: int, module: str, level: str) -> None:
    importlib.import_module(module)
    gc.disable()
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    library = ctypes.CDLL(None, use_errno=True)
    os.write(descriptor, b"ready\n")
    while line := os.read(descriptor, 65536):
        if os.fork() == 0:
            live(descriptor, line, library if level == "full" else None)


def live(descriptor: int, line: bytes, library: ctypes.CDLL | None) -> None:
    if library is not None:
        if library.unshare(NAMESPACES) != 0:
            os.write(descriptor, b"refused\n")
            os._exit(1)
        if os.fork() != 0:  # only a child is inside the new process namespace
            os._exit(0)
    os.write(descriptor, json.dumps(json.loads(line)).encode() + b"\n")
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
