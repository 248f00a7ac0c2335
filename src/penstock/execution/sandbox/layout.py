"""What a function sees of the machine's files. Rule: a list of what is shown, never of what is hidden; pure but for
asking which of the usual files this machine has.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

RUNTIME = "/var/runtime"
TASK = "/var/task"
LAYERS = "/opt"
SYSTEM = ("/usr",)
MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
ETC = (
    "alternatives", "ca-certificates", "ca-certificates.conf", "crypto-policies", "gai.conf", "ld.so.cache",
    "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types", "os-release", "pki", "protocols", "services", "ssl",
)  # fmt: skip
HOSTS = "127.0.0.1 localhost sandbox.localdomain sandbox\n::1 localhost\n169.254.76.1 169-254-76-1\n"


def plan(
    *,
    staging: Path,
    library: Path,
    given: Mapping[str, Path],
    hidden: list[Path],
    unprivileged: bool,
    programs: Sequence[Path] = (),
) -> dict[str, Any]:
    """The plan that `bootstrap/root.py` builds. `given` are directories cells take their part of, by name."""
    links, shown = {}, [(path, path) for path in SYSTEM]
    for name in MERGED:
        path = Path("/") / name
        if path.is_symlink():
            links[str(path)] = str(path.readlink())
        elif path.is_dir():
            shown.append((str(path), str(path)))
    shown += [(str(Path(f"/etc/{name}").resolve()), f"/etc/{name}") for name in ETC if Path(f"/etc/{name}").exists()]
    shown += [(str(one), str(one)) for one in programs if not one.is_relative_to("/usr")]
    if library.is_dir():
        shown += [
            (str(link.resolve()), f"{RUNTIME}/{link.name}") for link in sorted(library.iterdir()) if link.is_symlink()
        ]
    return {
        "staging": str(staging),
        "unprivileged": unprivileged,
        "links": links,
        "shown": shown,
        "files": {
            "/etc/hosts": HOSTS,
            "/etc/hostname": "169-254-76-1\n",
            "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
            "/etc/resolv.conf": resolver(Path("/etc/resolv.conf")),
            "/etc/passwd": "",
            "/etc/group": "",
        },
        "given": {name: str(path) for name, path in given.items()},
        "hidden": [str(path) for path in hidden],
    }


def resolver(file: Path) -> str:
    """The machine's own search list and options, with the cell's name server."""
    try:
        lines = file.read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    kept = [line for line in lines if line.split()[:1] in (["search"], ["domain"], ["options"])]
    return "\n".join(["nameserver 169.254.76.53", *kept]) + "\n"
