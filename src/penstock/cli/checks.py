"""What `penstock doctor` can find out by itself, with the server up or down.

Rule: a check never changes anything and never fails the doctor; *could not look* is its own finding, a warning.
"""

import os
import shutil
import socket
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from penstock.cli import credentials
from penstock.core.serverfile import ServerFile

TIGHT_BYTES = 1024**3
FULL_BYTES = 100 * 1024**2
OLDEST_PYTHON = (3, 11)


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Row:
    """One finding. `detail` says what was found, and when it is not ok, what to do."""

    check: str
    state: State
    detail: str


def local_rows(data: Path, server: ServerFile | None, port: int) -> Iterator[Row]:
    """Every local check, in the order in which trouble is best mended."""
    yield check_python(sys.version_info[:3])
    yield check_directory(data)
    if data.is_dir():
        yield check_disk(shutil.disk_usage(data).free)
        yield check_lock(data, server)
        yield check_credentials(data)
    if server is None:
        yield check_port(port)


def check_python(version: tuple[int, ...]) -> Row:
    """Is this interpreter new enough?"""
    text = ".".join(map(str, version))
    if version[:2] < OLDEST_PYTHON:
        return Row("python", State.FAIL, f"{text} at {sys.executable}: Penstock needs 3.11 or newer.")
    return Row("python", State.OK, f"{text} at {sys.executable}")


def check_directory(data: Path) -> Row:
    """Is it there, ours to write, and closed to others?"""
    if not data.exists():
        return Row("data directory", State.WARN, f"{data} does not exist yet; `penstock up` creates it.")
    if not data.is_dir():
        return Row("data directory", State.FAIL, f"{data} is not a directory. Choose another with --data.")
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        return Row("data directory", State.FAIL, f"{data} is not writable for user {os.getuid()}. Change its owner.")
    mode = stat.S_IMODE(data.stat().st_mode)
    if mode & 0o022:
        return Row("data directory", State.WARN, f"{data} lets other users write (mode {mode:04o}): chmod 700 {data}")
    return Row("data directory", State.OK, f"{data}")


def check_disk(free: int) -> Row:
    """Is there room for the database and code packages?"""
    text = f"{free / 1024**3:.1f} GB free"
    if free < FULL_BYTES:
        return Row("disk space", State.FAIL, f"{text}: writes will soon be refused. Free some space now.")
    if free < TIGHT_BYTES:
        return Row("disk space", State.WARN, f"{text}: less than 1 GB.")
    return Row("disk space", State.OK, text)


def check_lock(data: Path, server: ServerFile | None) -> Row:
    """Does the lock agree with `server.json`?"""
    path = data / "lock"
    try:
        inode = path.stat().st_ino if path.exists() else None
        holder = lock_holder(Path("/proc/locks").read_text(), inode)
    except OSError as error:
        return Row("lock", State.WARN, f"could not look at {path}: {error.strerror}.")
    if server is None and holder:
        return Row("lock", State.WARN, f"process {holder} holds {path} but serves nothing: it is starting or stopping.")
    if server is not None and holder != server.pid:
        return Row(
            "lock",
            State.WARN,
            f"server.json names process {server.pid}, but {holder or 'nobody'} holds the lock: a left-over file. "
            "The next `penstock up` replaces it.",
        )
    return Row("lock", State.OK, f"held by process {holder}" if holder else "free")


def lock_holder(locks: str, inode: int | None) -> int | None:
    """The process that holds a file's flock, out of `/proc/locks`.

    Reading rather than trying: a lock taken for a moment here could make a server that starts just now give up.
    """
    for line in locks.splitlines():
        fields = line.split()
        # `1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF`; a waiting one has `->` after the number.
        if len(fields) >= 6 and fields[1] == "FLOCK" and fields[5].rpartition(":")[2] == str(inode):
            return int(fields[4])
    return None


def check_credentials(data: Path) -> Row:
    """Is the key pair there and private?"""
    path = data / credentials.NAME
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return Row("credentials", State.WARN, f"{path} does not exist yet; the server's first start writes it.")
    except OSError as error:
        return Row("credentials", State.WARN, f"could not look at {path}: {error.strerror}.")
    if mode & 0o077:
        return Row("credentials", State.FAIL, f"{path} is readable by others (mode {mode:04o}): chmod 600 {path}")
    if not os.access(path, os.R_OK):
        return Row("credentials", State.FAIL, f"{path} is not readable for user {os.getuid()}: run as its owner.")
    return Row("credentials", State.OK, f"{path} (mode {mode:04o})")


def check_port(port: int) -> Row:
    """Could a server listen where `penstock up` would by default?"""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return Row(
                "port", State.WARN, f"127.0.0.1:{port} cannot be used: {error.strerror}. Start with --port N, or 0."
            )
    return Row("port", State.OK, f"127.0.0.1:{port} is free")
