"""Error documents as AWS's Python runtimes write them. Rule: only the function's own frames are shown.

https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
"""

from __future__ import annotations

import os
import traceback
from typing import Any

_OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep  # noqa: PTH100,PTH120 - pathlib costs every cold start


class RuntimeFault(Exception):  # noqa: N818 - a word of its own, as AWS's runtimes use it
    """A failure with AWS's own error type, such as `Runtime.ImportModuleError`."""

    def __init__(self, kind: str, message: str, trace: list[str] | None = None) -> None:
        """`trace` is shown as the stack trace."""
        super().__init__(message)
        self.kind = kind
        self.trace = trace or []


def document(error: BaseException, request_id: str) -> dict[str, Any]:
    """The error document of an exception that left the function's code."""
    if isinstance(error, RuntimeFault):
        return _document(error.kind, str(error), request_id, error.trace)
    return _document(type(error).__name__, _text(error), request_id, user_frames(error))


def _document(kind: str, message: str, request_id: str, trace: list[str]) -> dict[str, Any]:
    return {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": trace}


def too_large() -> dict[str, Any]:
    """The document for a response over the limit."""
    return {
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
        "errorType": "Function.ResponseSizeTooLarge",
    }


def user_frames(error: BaseException) -> list[str]:
    """The traceback's entries, from the first one that is neither the bootstrap's nor the import system's."""
    frames = list(traceback.extract_tb(error.__traceback__))
    for index, frame in enumerate(frames):
        if not frame.filename.startswith(_OURS) and "importlib" not in frame.filename:
            return traceback.format_list(frames[index:])
    return []


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as second:  # noqa: BLE001 - a `__str__` that raises is the function's bug, not ours
        return f"<{type(error).__name__}, and its text failed with {type(second).__name__}>"
