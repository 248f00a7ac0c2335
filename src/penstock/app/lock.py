"""One server per data directory. Rule: the kernel holds the lock, so a killed server frees it by dying."""

import fcntl
import os
from pathlib import Path

from penstock.core.errors import StartupError
from penstock.core.serverfile import read_server_file


class DirectoryLock:
    """Held from construction until `release` or the end of the process."""

    def __init__(self, data: Path):
        """Take the lock of `data`; raises `StartupError` naming the server that has it."""
        self._handle = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._handle)
            other = read_server_file(data)
            who = f"process {other.pid} at {other.endpoint}" if other else "another process"
            raise StartupError(
                f"{data} is in use by {who}. Stop it first, or give this server a directory of its own with --data."
            ) from error

    def release(self) -> None:
        """Let another server have the directory."""
        os.close(self._handle)
