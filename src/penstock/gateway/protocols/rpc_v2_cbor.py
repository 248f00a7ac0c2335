"""Smithy RPC v2 with CBOR bodies (CloudWatch and CodeDeploy with a current SDK).

Follows https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html: times are tag 1, NaN and infinities are
plain floats, indefinite lengths are welcome, any other tag is not.
"""

import math
from collections.abc import Mapping
from typing import Any, NoReturn

import cbor2

from penstock.gateway.contract import HttpRequest, HttpResponse, Params, Result
from penstock.gateway.malformed import Malformed
from penstock.gateway.models import Service
from penstock.gateway.protocols.codec import Call, Fault, fault_headers
from penstock.gateway.protocols.scalars import plain_seconds, read_epoch, wrong_kind
from penstock.gateway.protocols.trees import Dialect, read_members, write_members

MAX_DEPTH = 64
# Tags that cbor2 would act on: dates as text, big numbers, fractions, references, patterns, addresses, sets …
_REFUSED_TAGS = (0, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799)


class _Instant(float):
    """A number that came under tag 1."""

    __slots__ = ()


def _read_timestamp(raw: Any, _member: object) -> float:
    if not isinstance(raw, _Instant):
        raise Malformed("a timestamp is expected: a number under CBOR tag 1")
    return read_epoch(float(raw))


def _read_blob(raw: Any, _member: object) -> bytes:
    if not isinstance(raw, bytes):
        raise wrong_kind(raw, "blob")
    return raw


CBOR = Dialect(
    read_timestamp=_read_timestamp,
    read_blob=_read_blob,
    write_timestamp=lambda value, _: cbor2.CBORTag(1, plain_seconds(value)),
    write_blob=lambda value, _: bytes(value),
    write_float=lambda value, _: float(value),
    nothing=cbor2.undefined,
)


class RpcV2Cbor:
    """The `smithy-rpc-v2-cbor` protocol."""

    name = "smithy-rpc-v2-cbor"

    def decode(self, call: Call) -> Params:
        shape = call.operation.input
        return read_members(shape.members.values(), parse(call.request.body), CBOR) if shape else {}

    def encode(self, call: Call, result: Result, request_id: str) -> HttpResponse:
        shape = call.operation.output
        if shape is None:  # the protocol wants neither body nor content type then
            return HttpResponse(200, {"x-amzn-RequestId": request_id, "smithy-protocol": "rpc-v2-cbor"})
        body = cbor2.dumps(write_members(shape.members, result, CBOR))
        return HttpResponse(200, _headers({"x-amzn-RequestId": request_id}), body)

    def encode_fault(
        self, _request: HttpRequest, _service: Service | None, fault: Fault, request_id: str
    ) -> HttpResponse:
        document: dict[str, Any] = {"__type": fault.code}
        members = fault.shape.members if fault.shape else {}
        document.update({name: value for name, value in fault.values.items() if name not in members})
        document.update(write_members(members, {n: v for n, v in fault.values.items() if n in members}, CBOR))
        return HttpResponse(fault.status, _headers(fault_headers(fault, request_id)), cbor2.dumps(document))


def parse(body: bytes) -> Any:
    """The document, or an empty map for an empty body; raises `Malformed`."""
    if not body:
        return {}
    try:
        return cbor2.loads(
            body, semantic_decoders=_TAGS, tag_hook=_refuse, max_depth=MAX_DEPTH, strict_hashable_types=True
        )
    except Malformed:
        raise
    except (cbor2.CBORError, ValueError, OverflowError, RecursionError, MemoryError) as error:
        if isinstance(error.__cause__, Malformed):
            raise error.__cause__ from None
        raise Malformed(f"the body is not valid CBOR ({str(error)[:120]})") from None


def _refuse(*_: object) -> NoReturn:
    raise Malformed("the body holds a CBOR tag other than 1, which stands for a timestamp")


def _instant(value: Any, _immutable: bool) -> _Instant:  # noqa: FBT001 - cbor2's callback
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Malformed("a timestamp is expected: a number under CBOR tag 1")
    return _Instant(value)


_TAGS: Mapping[int, Any] = dict.fromkeys(_REFUSED_TAGS, _refuse) | {1: _instant}


def _headers(headers: dict[str, str]) -> dict[str, str]:
    return headers | {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
