"""Random values of any shape, for hypothesis.

`Style` says what the wire in between can carry: XML has no control characters, a header no line breaks, a form no empty
structure.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from hypothesis import strategies as st

from penstock.gateway.patterns import Pattern
from penstock.gateway.shapes import Member, Shape
from penstock.gateway.validate import broken

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ANY_TEXT = st.characters(exclude_categories=["Cs"])
XML_TEXT = st.characters(
    exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff", include_characters="\t\n\r"
)
HEADER_TEXT = st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=',"')


@dataclass(frozen=True)
class Style:
    """How to draw values for one protocol and direction."""

    alphabet: Any = ANY_TEXT
    valid: bool = True
    """Keep to patterns, lengths and ranges (inputs); outputs are held to no constraint."""
    no_empty: bool = False
    """Draw no empty structures and maps: the query protocol cannot send them."""
    special_floats: bool = True


@cache
def structure(shape: Shape, style: Style, depth: int = 0) -> st.SearchStrategy[dict[str, Any]]:
    """Some members of `shape`, always the required ones, exactly one of a union."""
    members = {
        name: member
        for name, member in shape.members.items()
        if not (style.no_empty and member.shape.kind == "structure" and not member.shape.members)
    }

    @st.composite
    def build(draw: Any) -> dict[str, Any]:
        names = list(shape.required) if depth < 4 or style.valid else []
        optional = [name for name in members if name not in names]
        if shape.union:
            names = [draw(st.sampled_from(sorted(members)))]
        elif depth < 2 and optional:
            fewest = 1 if style.no_empty and not names else 0
            names += draw(st.lists(st.sampled_from(optional), min_size=fewest, max_size=5, unique=True))
        elif optional and style.no_empty and not names:
            names = [min(optional, key=lambda name: _weight(members[name].shape))]
        return {
            name: draw(of_member(members[name], style, depth + 1, payload=name == shape.payload))
            for name in names
            if name in members
        }

    return build()


@cache
def of_member(member: Member, style: Style, depth: int, *, payload: bool = False) -> st.SearchStrategy[Any]:
    """A value of the member's shape, fit for where the member travels."""
    if member.location in {"header", "headers"}:
        style = Style(HEADER_TEXT, style.valid, style.no_empty, special_floats=False)
    if member.location == "statusCode":
        return st.sampled_from([200, 201, 202])
    if member.location == "uri":
        return of_shape(member.shape, style, depth).filter(lambda value: value != "")
    fewest = 1 if member.location or payload else 0  # an empty one is the same as none
    return of_shape(member.shape, style, depth, fewest)


@cache
def of_shape(  # noqa: PLR0911 - one return per kind
    shape: Shape, style: Style, depth: int = 0, fewest: int = 0
) -> st.SearchStrategy[Any]:
    """A value of any kind."""
    match shape.kind:
        case "structure":
            return structure(shape, style, depth)
        case "list":
            low, high = _sizes(shape, style, fewest)
            return st.lists(
                st.deferred(lambda: of_shape(shape.of("item").shape, style, depth + 1)), min_size=low, max_size=high
            )
        case "map":
            low, high = _sizes(shape, style, max(fewest, int(style.no_empty)))
            keys = of_shape(shape.of("key").shape, style, depth + 1)
            values = st.deferred(lambda: of_shape(shape.of("value").shape, style, depth + 1))
            return st.dictionaries(keys, values, min_size=low, max_size=high)
        case "string":
            return strings(shape, style)
        case "boolean":
            return st.booleans()
        case "timestamp":
            return st.integers(0, 4_000_000_000_000).map(lambda ms: EPOCH + timedelta(milliseconds=ms))
        case "blob":
            low, high = _sizes(shape, style, fewest)
            return st.binary(min_size=low, max_size=high)
        case "float" | "double":
            return floats(shape, style)
        case _:
            bits = 31 if shape.kind == "integer" else 63
            low = int(shape.minimum) if style.valid and shape.minimum is not None else -(2**bits)
            high = int(shape.maximum) if style.valid and shape.maximum is not None else 2**bits - 1
            return st.integers(low, high)


def floats(shape: Shape, style: Style) -> st.SearchStrategy[float]:
    """32 bits for `float`, for more would not survive CBOR."""
    width = 32 if shape.kind == "float" else 64
    if style.valid and (shape.minimum is not None or shape.maximum is not None):
        return st.floats(shape.minimum, shape.maximum, width=width, allow_nan=False, allow_infinity=False)
    return st.floats(width=width, allow_nan=style.special_floats, allow_infinity=style.special_floats)


@cache
def strings(shape: Shape, style: Style) -> st.SearchStrategy[str]:
    """Text that the shape allows, when it must."""
    if shape.enum:
        return st.sampled_from(shape.enum)
    low, high = _sizes(shape, style, 0)
    if style.valid and shape.pattern is not None and shape.pattern.compiled is not None:
        if any(mark in shape.pattern.text for mark in (r"\p{", r"\uD7FF")):
            return st.text("aZ9é_.:/=+-@", min_size=max(low, 1), max_size=high or 1)
        one_class = re.fullmatch(r"\^?(\[[^\[\]]+\])[*+]\$?", shape.pattern.text)
        if one_class is not None:
            letters = st.from_regex(Pattern(one_class[1]).compiled, fullmatch=True, alphabet=style.alphabet)
            return st.text(letters, min_size=low, max_size=high).filter(shape.pattern.matches)
        drawn = st.from_regex(shape.pattern.compiled, fullmatch=True, alphabet=style.alphabet)
        return drawn.filter(lambda text: next(broken(shape, text), None) is None)
    return st.text(style.alphabet, min_size=low, max_size=high)


def _sizes(shape: Shape, style: Style, fewest: int) -> tuple[int, int]:
    low = max(fewest, int(shape.minimum or 0) if style.valid else 0)
    high = max(low, 3 if shape.kind in {"list", "map"} else low + 12)
    return low, min(high, int(shape.maximum)) if style.valid and shape.maximum is not None else high


def _weight(shape: Shape) -> int:
    return {"structure": 3, "map": 2, "list": 1}.get(shape.kind, 0)


def everything(shape: Shape, depth: int = 0) -> Any:  # noqa: PLR0911 - one return per kind
    """One value with every member that is not nested deeper than four levels: so that none goes untried."""
    match shape.kind:
        case "structure":
            names = list(shape.members)[:1] if shape.union else list(shape.members)
            deep = depth >= 4
            return {
                name: everything(shape.members[name].shape, depth + 1)
                for name in names
                if not deep or shape.members[name].shape.kind not in {"structure", "list", "map"}
            }
        case "list":
            return [everything(shape.of("item").shape, depth + 1)]
        case "map":
            return {"key": everything(shape.of("value").shape, depth + 1)}
        case "string":
            return shape.enum[0] if shape.enum else "text"
        case "boolean":
            return True
        case "timestamp":
            return EPOCH + timedelta(days=20_000)
        case "blob":
            return b"bytes"
        case kind:
            return 1.5 if kind in {"float", "double"} else 201
