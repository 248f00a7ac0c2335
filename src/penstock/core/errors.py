"""What a use case raises when it refuses. Rule: say what was wrong, why, and what to do, in AWS's code and our words.

The HTTP status and the shape on the wire come from the service model; `fields` fills the error shape's other members.
"""

from collections.abc import Mapping
from typing import Any


class ApiError(Exception):
    """A refusal that the caller will see.

    `code` is AWS's error code (`ResourceNotFoundException`); `status` is needed only for codes the service's model
    does not carry; `fields` are further members of the error shape, e.g. `{"Type": "User", "Reason": "..."}`.
    """

    def __init__(
        self, code: str, message: str, *, status: int | None = None, fields: Mapping[str, Any] | None = None
    ) -> None:
        """See the class."""
        # What is quoted may hold half a character ("\ud800" in JSON), which no reply can carry.
        message = message.encode("utf-8", "backslashreplace").decode()
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.fields = dict(fields or {})


class StartupError(Exception):
    """The server cannot start (directory locked, schema newer, port taken). The message is shown to the operator."""


class StoreUnavailableError(Exception):
    """The store cannot be written to now (disk full, read-only, gone). Nothing of the write remains.

    The message is shown to callers. Who tries again later need not say anything: the store has logged it.
    """
