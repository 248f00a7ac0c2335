"""Lists in pages. Rule: CodeDeploy chooses the page size; a token that we did not make is refused."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from penstock.core.errors import ApiError
from penstock.core.paging import BadTokenError, page

T = TypeVar("T")
PAGE = 100


def paged(items: Sequence[T], token: str | None, key: Callable[[T], str]) -> tuple[list[T], str | None]:
    """One page of `items`, which are sorted by `key`. Raises `ApiError("InvalidNextTokenException")`."""
    try:
        return page(items, token, PAGE, key)
    except BadTokenError:
        raise ApiError(
            "InvalidNextTokenException", f"The next token {token!r} is not valid: use the one of the previous reply."
        ) from None


def check_batch(names: Sequence[str], most: int) -> None:
    """Refuse a batch that is too large."""
    if len(names) > most:
        raise ApiError("BatchLimitExceededException", f"At most {most} names or IDs are allowed, not {len(names)}.")
