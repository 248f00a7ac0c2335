"""The walk that JSON and CBOR share: a decoded document ↔ parameters by member name, led by the shape.

Rule: one walker, and each protocol brings its own reading and writing of the scalars it spells differently.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from penstock.gateway.malformed import Malformed
from penstock.gateway.protocols.scalars import (
    expect,
    read_boolean,
    read_float,
    read_integer,
    read_string,
    wrong_kind,
)
from penstock.gateway.shapes import Member, Shape

Reader = Callable[[Any, Member], Any]
Writer = Callable[[Any, Member], Any]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one protocol spells the scalars that JSON and CBOR spell differently."""

    read_timestamp: Reader
    read_blob: Reader
    write_timestamp: Writer
    write_blob: Writer
    write_float: Writer
    nothing: object = None
    """What means "absent" besides null (CBOR's undefined)."""


def read_members(members: Iterable[Member], raw: Any, dialect: Dialect) -> dict[str, Any]:
    """A structure's members out of a decoded map. Unknown keys are ignored, as AWS does; null means absent."""
    if not isinstance(raw, dict):
        raise (
            Malformed("Unexpected token: a structure is expected here")
            if isinstance(raw, list)
            else wrong_kind(raw, "structure")
        )
    found: dict[str, Any] = {}
    for member in members:
        value = raw.get(member.wire_name)
        if value is None or value is dialect.nothing:
            continue
        try:
            found[member.name] = read(member, value, dialect)
        except Malformed as error:
            raise error.inside(member.name) from None
    return found


def read(member: Member, raw: Any, dialect: Dialect) -> Any:  # noqa: PLR0911 - one return per kind
    """One value of `member`'s shape."""
    shape = member.shape
    match shape.kind:
        case "string":
            return read_string(raw)
        case "structure":
            return read_members(shape.members.values(), raw, dialect)
        case "list":
            return _read_list(shape, raw, dialect)
        case "map":
            return _read_map(shape, raw, dialect)
        case "integer" | "long":
            return read_integer(raw, shape.kind)
        case "float" | "double":
            return read_float(raw, shape.kind)
        case "boolean":
            return read_boolean(raw)
        case "timestamp":
            return dialect.read_timestamp(raw, member)
        case _:
            return dialect.read_blob(raw, member)


def _read_list(shape: Shape, raw: Any, dialect: Dialect) -> list[Any]:
    if not isinstance(raw, list):
        raise Malformed("Expected list or null")
    item = shape.of("item")
    found = []
    for index, value in enumerate(raw, 1):
        try:
            # A null in a list stays: validation names it ("Member must not be null") with its place.
            found.append(None if value is None else read(item, value, dialect))
        except Malformed as error:
            raise error.inside(str(index)) from None
    return found


def _read_map(shape: Shape, raw: Any, dialect: Dialect) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise Malformed("Expected map or null")
    value_member = shape.of("value")
    found: dict[str, Any] = {}
    for key, value in raw.items():
        if not isinstance(key, str):
            raise wrong_kind(key, "string")
        try:
            found[key] = None if value is None else read(value_member, value, dialect)
        except Malformed as error:
            raise error.inside(key[:80]) from None
    return found


def write_members(members: Mapping[str, Member], value: Mapping[str, Any], dialect: Dialect) -> dict[str, Any]:
    """A structure by wire names, without what is None. A name the model does not have is our bug: `TypeError`."""
    written: dict[str, Any] = {}
    for name, item in value.items():
        if item is None:
            continue
        member = members.get(name)
        if member is None:
            raise TypeError(f"the result has a member {name!r} that the model does not know")
        written[member.wire_name] = write(member, item, dialect)
    return written


def write(member: Member, value: Any, dialect: Dialect) -> Any:  # noqa: PLR0911 - one return per kind
    """One value as the protocol's document holds it."""
    shape = member.shape
    match shape.kind:
        case "structure":
            return write_members(shape.members, value, dialect)
        case "list":
            item = shape.of("item")
            return [write(item, element, dialect) for element in value]
        case "map":
            held = shape.of("value")
            return {str(key): write(held, element, dialect) for key, element in value.items() if element is not None}
    expect(value, shape.kind, member.name)
    match shape.kind:
        case "timestamp":
            return dialect.write_timestamp(value, member)
        case "blob":
            return dialect.write_blob(value, member)
        case "float" | "double":
            return dialect.write_float(value, member)
        case "string":
            return str(value)
        case _:
            return value
