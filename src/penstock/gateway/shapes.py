"""AWS's shapes as small linked objects, resolved once per service from botocore's model.

Rule: a shape is built once and shared by every reference to it (recursive shapes included); what a *reference* adds
(where the member travels, under which name) lives in `Member`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.gateway.patterns import Pattern


@dataclass(slots=True, eq=False)
class Shape:
    """One shape of a model. Only the fields of its own kind are filled."""

    name: str
    kind: str
    """structure, list, map, string, integer, long, float, double, boolean, timestamp or blob."""
    members: dict[str, "Member"] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    union: bool = False
    payload: str | None = None
    """The member that is the HTTP body all by itself."""
    event_stream: bool = False
    item: "Member | None" = None
    key: "Member | None" = None
    value: "Member | None" = None
    flattened: bool = False
    minimum: float | None = None
    maximum: float | None = None
    pattern: Pattern | None = None
    enum: tuple[str, ...] = ()
    sensitive: bool = False
    timestamp_format: str | None = None
    error: "ErrorTrait | None" = None

    def of(self, kind: str) -> "Member":
        """The `item`, `key` or `value` reference, which lists and maps always have."""
        found: Member | None = getattr(self, kind)
        if found is None:
            raise TypeError(f"{self.name} is a {self.kind} and has no {kind}")
        return found


@dataclass(frozen=True, slots=True)
class ErrorTrait:
    """How an error shape shows on the wire."""

    code: str
    """The code of the query protocol; elsewhere the shape's name is the code."""
    status: int
    sender: bool


@dataclass(slots=True, eq=False)
class Member:
    """A reference to a shape: from a structure's member, or from a list or map to what it holds."""

    name: str
    shape: Shape
    wire_name: str
    location: str | None = None
    """header, headers, uri, querystring, statusCode, or None for the body."""
    timestamp_format: str | None = None
    flattened: bool = False
    named: bool = False
    """Whether the model gives `wire_name` itself (lists in query and XML default to `member`, maps to key/value)."""
    json_value: bool = False
    event_payload: bool = False
    """Whether it is the whole body of an event stream's message."""


class ShapeTable:
    """Builds shapes by name and remembers them."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        """Take the `shapes` section of a botocore service model."""
        self._raw = raw
        self._built: dict[str, Shape] = {}

    def shape(self, name: str) -> Shape:
        """The shape called `name`, with everything it refers to."""
        found = self._built.get(name)
        if found is not None:
            return found
        raw = self._raw[name]
        shape = Shape(name=name, kind=raw["type"])
        self._built[name] = shape  # before its members, so that a recursive shape finds itself
        self._fill(shape, raw)
        return shape

    def errors(self) -> list[Shape]:
        """All shapes that are exceptions."""
        return [self.shape(name) for name, raw in self._raw.items() if raw.get("exception")]

    def _fill(self, shape: Shape, raw: Mapping[str, Any]) -> None:
        shape.members = {name: self._member(name, ref) for name, ref in raw.get("members", {}).items()}
        shape.required = tuple(raw.get("required", ()))
        shape.union = bool(raw.get("union"))
        shape.payload = raw.get("payload")
        shape.event_stream = bool(raw.get("eventstream"))
        shape.item = self._member("member", raw["member"]) if "member" in raw else None
        shape.key = self._member("key", raw["key"]) if "key" in raw else None
        shape.value = self._member("value", raw["value"]) if "value" in raw else None
        shape.flattened = bool(raw.get("flattened"))
        shape.minimum, shape.maximum = raw.get("min"), raw.get("max")
        shape.pattern = Pattern(raw["pattern"]) if "pattern" in raw else None
        shape.enum = tuple(raw.get("enum", ()))
        shape.sensitive = bool(raw.get("sensitive"))
        shape.timestamp_format = raw.get("timestampFormat")
        shape.error = _error_trait(shape.name, raw) if raw.get("exception") else None

    def _member(self, name: str, ref: Mapping[str, Any]) -> Member:
        shape = self.shape(ref["shape"])
        return Member(
            name=name,
            shape=shape,
            wire_name=ref.get("locationName", name),
            location=ref.get("location"),
            timestamp_format=ref.get("timestampFormat") or self._raw[ref["shape"]].get("timestampFormat"),
            flattened=bool(ref.get("flattened") or self._raw[ref["shape"]].get("flattened")),
            named="locationName" in ref,
            json_value=bool(ref.get("jsonvalue")),
            event_payload=bool(ref.get("eventpayload")),
        )


def _error_trait(name: str, raw: Mapping[str, Any]) -> ErrorTrait:
    trait = raw.get("error", {})
    fault = bool(raw.get("fault") or trait.get("fault"))
    status = trait.get("httpStatusCode", 500 if fault else 400)
    return ErrorTrait(code=trait.get("code", name), status=status, sender=not fault and status < 500)
