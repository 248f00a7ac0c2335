"""The disk's own refusals, told apart from our bugs. Rule: pure; what is not known to be the disk's fault is ours."""

import sqlite3

from sqlalchemy.exc import DBAPIError

from penstock.core.errors import StoreUnavailableError

WORDS = {
    "SQLITE_FULL": "its disk is full. Free space there",
    "SQLITE_READONLY": "it cannot be written to (read-only file system, or files of another user)",
    "SQLITE_IOERR": "its disk reports errors. Look at the machine's log (dmesg)",
    "SQLITE_CANTOPEN": "its files cannot be opened. Is it still mounted, and does it still belong to this user?",
}


def told_apart(error: BaseException) -> BaseException:
    """`StoreUnavailableError` for what the disk is to blame for, else the error itself."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, sqlite3.Error):
        return error
    name = getattr(cause, "sqlite_errorname", None) or ""
    words = next((words for known, words in WORDS.items() if name.startswith(known)), None)
    if words is None:
        return error
    unavailable = StoreUnavailableError(f"Penstock cannot write to its data directory: {words}. Nothing was changed.")
    unavailable.__cause__ = error
    return unavailable
