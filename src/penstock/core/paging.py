"""Opaque page tokens. Rule: a token is the key of the last item returned, so pages stay right while items come and go.

Nothing is kept between two pages.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


class BadTokenError(ValueError):
    """The token was not made by `page`; the caller turns it into its service's own error code."""


def encode_token(key: str) -> str:
    """A token that reads as one opaque word."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def decode_token(token: str) -> str:
    """The key inside a token; raises `BadTokenError` for anything else."""
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise BadTokenError(token) from error


def page(items: Sequence[T], token: str | None, limit: int, key: Callable[[T], str]) -> tuple[list[T], str | None]:
    """The page of `items` (sorted by `key`) after `token`, and the next token or None at the end."""
    start = decode_token(token) if token else None
    rest = [item for item in items if start is None or key(item) > start]
    chosen = rest[:limit]
    return chosen, encode_token(key(chosen[-1])) if len(rest) > limit and chosen else None
