"""The admin's key pair in `credentials.json`, which the server writes at its first start.

Rule: read here, never written. The file's shape belongs to identity/account.py.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

from penstock.cli.failure import CommandError

NAME = "credentials.json"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key pair of the server's own account."""

    access_key: str
    secret_key: str = field(repr=False)


def read_credentials(data: Path) -> Credentials:
    """The key pair of a data directory; a `CommandError` says why there is none."""
    path = data / NAME
    try:
        content = json.loads(path.read_bytes())
        return Credentials(str(content["access_key_id"]), str(content["secret_access_key"]))
    except FileNotFoundError as error:
        raise CommandError(f"{path} does not exist: the server writes it at its first start.") from error
    except OSError as error:
        raise CommandError(
            f"cannot read {path}: {error.strerror}. It is private to the user who runs the server; run this command as "
            "that user."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise CommandError(
            f"{path} is broken ({type(error).__name__}: {error}). Restore it from a backup, or delete it: the next "
            "start makes a new key."
        ) from error
