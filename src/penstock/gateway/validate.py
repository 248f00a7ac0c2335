"""The model's constraints: required, length, range, pattern, enum, one-of. Rule: all violations are found, then told.

What is found here is data (`Violation`); how a service words and names it is `refusals.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from penstock.gateway.models import Operation
from penstock.gateway.shapes import Shape

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Violation:
    """One constraint that one value breaks."""

    path: Path
    """Member names, list positions (from 1) and map keys, outermost first."""
    kind: str
    """missing, length, range, pattern, enum, union, items, keys or values."""
    constraint: str
    """In AWS's words: `Member must have length greater than or equal to 1`."""
    shape: Shape
    value: Any = None


def violations(operation: Operation, params: dict[str, Any]) -> list[Violation]:
    """Everything in `params` that the operation's input shape forbids."""
    if operation.input is None:
        return []
    return list(_structure(operation.input, params, ()))


def _structure(shape: Shape, value: dict[str, Any], path: Path) -> Iterator[Violation]:
    for name in shape.required:
        if value.get(name) is None:
            yield Violation((*path, name), "missing", NOT_NULL, shape.members[name].shape)
    if shape.union and len(value) != 1:
        wording = f"Member must have exactly one of: [{', '.join(shape.members)}]"
        yield Violation(path, "union", wording, shape, value)
    members = shape.members
    for name, held in value.items():
        inner = members[name].shape
        if inner.kind == "string":  # the common case, kept short: most members carry no constraint at all
            if inner.enum or inner.pattern or inner.minimum is not None or inner.maximum is not None:
                yield from _scalar(inner, held, (*path, name))
        else:
            yield from _value(inner, held, (*path, name))


def _value(shape: Shape, value: Any, path: Path) -> Iterator[Violation]:
    match shape.kind:
        case "structure":
            yield from _structure(shape, value, path)
        case "list":
            yield from _list(shape, value, path)
        case "map":
            yield from _map(shape, value, path)
        case _:
            yield from _scalar(shape, value, path)


def _scalar(shape: Shape, value: Any, path: Path) -> Iterator[Violation]:
    for kind, constraint in broken(shape, value):
        yield Violation(path, kind, constraint, shape, value)


def _list(shape: Shape, value: list[Any], path: Path) -> Iterator[Violation]:
    yield from _scalar(shape, value, path)
    item = shape.of("item").shape
    if item.kind in {"structure", "list", "map"}:
        for index, element in enumerate(value, 1):
            if element is None:
                yield Violation((*path, str(index)), "missing", NOT_NULL, item)
            else:
                yield from _value(item, element, (*path, str(index)))
    elif any(element is None or next(broken(item, element), None) for element in value):
        # AWS reports a list of plain values as a whole, with everything its members must satisfy.
        yield Violation(path, "items", f"Member must satisfy constraint: [{', '.join(rules(item))}]", item, value)


def _map(shape: Shape, value: dict[str, Any], path: Path) -> Iterator[Violation]:
    yield from _scalar(shape, value, path)
    keys, held = shape.of("key").shape, shape.of("value").shape
    if any(next(broken(keys, key), None) for key in value):
        yield Violation(path, "keys", f"Map keys must satisfy constraint: [{', '.join(rules(keys))}]", keys, value)
    if held.kind in {"structure", "list", "map"}:
        for key, element in value.items():
            if element is None:
                yield Violation((*path, key), "missing", NOT_NULL, held)
            else:
                yield from _value(held, element, (*path, key))
    elif any(element is None or next(broken(held, element), None) for element in value.values()):
        yield Violation(path, "values", f"Map value must satisfy constraint: [{', '.join(rules(held))}]", held, value)


NOT_NULL = "Member must not be null"


def broken(shape: Shape, value: Any) -> Iterator[tuple[str, str]]:
    """The constraints of one shape that one value of it breaks, as kind and wording."""
    if shape.pattern is not None and isinstance(value, str) and not shape.pattern.matches(value):
        yield "pattern", f"Member must satisfy regular expression pattern: {shape.pattern.text}"
    measured, kind = (value, "range") if isinstance(value, int | float) else (None, "length")
    if shape.minimum is not None or shape.maximum is not None:
        if measured is None:
            measured = len(value)
        if shape.minimum is not None and measured < shape.minimum:
            yield kind, _bound(kind, "greater", shape.minimum)
        if shape.maximum is not None and measured > shape.maximum:
            yield kind, _bound(kind, "less", shape.maximum)
    if shape.enum and value not in shape.enum:
        yield "enum", _enum(shape)


def rules(shape: Shape) -> list[str]:
    """All constraints of a shape in AWS's order, as it lists them for the members of lists and maps."""
    kind = "length" if shape.kind in {"string", "blob"} else "range"
    found = []
    if shape.maximum is not None:
        found.append(_bound(kind, "less", shape.maximum))
    if shape.minimum is not None:
        found.append(_bound(kind, "greater", shape.minimum))
    if shape.enum:
        found.append(_enum(shape))
    if shape.pattern is not None:
        found.append(f"Member must satisfy regular expression pattern: {shape.pattern.text}")
    return [*found, NOT_NULL]


def _bound(kind: str, direction: str, limit: float) -> str:
    noun = "length" if kind == "length" else "value"
    return f"Member must have {noun} {direction} than or equal to {limit:.15g}"


def _enum(shape: Shape) -> str:
    return f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
