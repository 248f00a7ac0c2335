"""`server.json`: where the running server of a data directory is. Rule: written by app.py once it listens, removed when
it stops; a file whose process is gone means the server is down.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

NAME = "server.json"


@dataclass(frozen=True, slots=True)
class ServerFile:
    """What other commands need to reach the server."""

    pid: int
    endpoint: str
    """`http://127.0.0.1:PORT`: an IP address, so that SDKs use path-style S3."""
    region: str
    account: str
    clock_speed: float
    version: str


def write_server_file(data: Path, content: ServerFile) -> None:
    """Replace the file atomically: a reader sees the old or the new one, never half."""
    temporary = data / f"{NAME}.{os.getpid()}.tmp"
    temporary.write_text(json.dumps(asdict(content), indent=2) + "\n")
    temporary.replace(data / NAME)


def read_server_file(data: Path) -> ServerFile | None:
    """The running server of `data`, or None when there is none (no file, or its process is gone)."""
    try:
        content = ServerFile(**json.loads((data / NAME).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return content if _alive(content.pid) else None


def remove_server_file(data: Path) -> None:
    """The server stopped in good order."""
    (data / NAME).unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
