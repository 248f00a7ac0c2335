"""Files only their owner may read: keys and credentials. Rule: a file is there whole and on disk, or not at all."""

import contextlib
import logging
import os
import stat
from pathlib import Path

from penstock.core.errors import StartupError

log = logging.getLogger(__name__)


def read_private(path: Path) -> bytes | None:
    """The content, or None when there is no such file. A mode that lets others in is tightened, with a warning.

    Tightening rather than refusing, because a restore from backup often loses modes at the moment when the server is
    needed most; the warning says that the key may be known. Raises `StartupError` when the file cannot be read or
    cannot be made private.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            path.chmod(0o600)
            log.warning(
                "%s was open to other users (mode %04o), now 0600: if others use this machine, replace the key in it",
                path,
                mode,
            )
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StartupError(
            f"cannot read {path} as a private file: {error.strerror}. It must belong to the user who runs Penstock; "
            f"as root: chown <user> {path} && chmod 600 {path}"
        ) from error


def write_private(path: Path, content: bytes) -> None:
    """Create or replace `path` with mode 0600, durable when this returns. Raises `StartupError` when it cannot."""
    draft = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()  # left by a crash half way; O_EXCL below must not follow somebody's symlink either
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        _sync_directory(path.parent)
    except OSError as error:
        raise StartupError(
            f"cannot write {path}: {error.strerror}. Check the free space and the owner of the data directory, "
            "or choose another with --data."
        ) from error


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)  # without it the new name itself may be lost in a power cut
    finally:
        os.close(descriptor)
