"""The words between the wire and the rooms: requests, replies, operations, and the ports the gateway needs filled.

Rule: a room sees decoded parameters (botocore's member names and Python types) and never a header or a protocol.
What is made anew for every request is a named tuple: as immutable as a frozen dataclass, made in a third of the time.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from penstock.core.context import Principal, RequestContext

Params = dict[str, Any]
"""Validated input by member name, as botocore would take it: blobs are bytes, timestamps are float epoch seconds."""
Result = Mapping[str, Any]
"""Output by member name. Members that are None are left out; timestamps are float epoch seconds."""
Operation = Callable[[RequestContext, Params], Awaitable[Result]]
"""A served wire operation with its room already bound (see `bind` in app.py)."""


class HttpRequest(NamedTuple):
    """A complete request. Header names are lower case, repeated headers are joined by commas."""

    method: str
    path: str
    """As sent: still percent-encoded, without the query."""
    query: str
    """As sent, without the question mark."""
    headers: Mapping[str, str]
    body: bytes
    source_ip: str = ""


class HttpResponse(NamedTuple):
    """A reply; `body` is bytes, or an iterator for streams."""

    status: int
    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes | AsyncIterator[bytes] = b""


class Caller(NamedTuple):
    """What authentication finds: who, for which account and region, and the service the signature names."""

    principal: Principal
    account: str
    region: str
    service: str


class Authenticator(Protocol):
    """Filled by identity/. Raises `ApiError` with AWS's codes (SignatureDoesNotMatch, InvalidClientTokenId, …)."""

    def authenticate(self, request: HttpRequest) -> Caller:
        """The caller of a signed request (header or presigned)."""


class Authorizer(Protocol):
    """May this principal do this? Everything is allowed until policies come; the seam is here from the start."""

    async def authorize(self, context: RequestContext, params: Params) -> None:
        """Return, or raise `ApiError("AccessDeniedException", …)`."""


RawHandler = Callable[[RequestContext, HttpRequest], Awaitable[HttpResponse]]
"""Serves paths that no AWS service owns (`/_penstock/…`)."""


class Room(Protocol):
    """What app.py needs of every domain room, so that composing the server is one loop."""

    def operations(self) -> Mapping[str, Mapping[str, Operation]]:
        """Wire operations by botocore service name (`lambda`, `codedeploy`, `cloudwatch`, `logs`, `sts`)."""

    def routes(self) -> Mapping[str, RawHandler]:
        """Own HTTP paths by prefix, e.g. `/_penstock/timeline`."""

    async def start(self) -> None:
        """Load what lives in memory and start the loops."""

    async def stop(self) -> None:
        """Finish or park the work in hand, stop the loops, flush what is buffered."""
