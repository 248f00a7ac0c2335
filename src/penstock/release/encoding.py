"""Dataclasses to JSON and back, by their type hints. Rule: what was stored by an older Penstock still reads: members
that are missing take their defaults, members that are unknown are left out.
"""

import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


def encoded(value: Any) -> Any:
    """JSON values for what `dataclasses.asdict` gives."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: encoded(member) for key, member in value.items()}
    return [encoded(member) for member in value] if isinstance(value, list | tuple) else value


def decoded(kind: type[T], value: Mapping[str, Any]) -> T:
    """The dataclass `kind` from its JSON object."""
    hints = _hints(typing.cast("Any", kind))
    return kind(**{name: _read(hints[name], member) for name, member in value.items() if name in hints})


@cache
def _hints(kind: Any) -> Mapping[str, Any]:
    known = typing.get_type_hints(kind)
    return {member.name: known[member.name] for member in fields(kind)}


def _read(hint: Any, value: Any) -> Any:
    if isinstance(hint, types.UnionType):
        if value is None:
            return None
        hint = next(option for option in typing.get_args(hint) if option is not types.NoneType)
    if typing.get_origin(hint) is tuple:
        inner = typing.get_args(hint)[0]
        return tuple(_read(inner, member) for member in value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    return decoded(hint, value) if is_dataclass(hint) and isinstance(hint, type) else value
