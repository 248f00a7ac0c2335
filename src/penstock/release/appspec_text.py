"""AppSpec text, JSON or YAML, to mappings, lists and text. Pure.

Rule: hostile text costs nothing: it is limited in size and depth, anchors, tags and doubled keys are refused. Every
scalar stays the text that was written: YAML 1.1 would read the version 010 as 8 and the alias `on` as true, and
PyYAML's own conversions fail in many ways (`!!int ""` is an IndexError).
"""

import contextlib
import json
from collections.abc import Hashable, Iterable
from typing import Any

import yaml

MOST_CHARACTERS = 16_384
"""A real one has less than a thousand; YAML is slow to read."""
DEEPEST = 20
"""A real one has five levels. Deep text takes PyYAML seconds, in which the server would do nothing else."""
LONGEST_WORDS = 400
TAGS = frozenset({f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map")})
NOTHING = frozenset({"", "~", "null", "Null", "NULL"})


class AppSpecError(ValueError):
    """What is wrong with the AppSpec, in words for the person who wrote it; what it quotes may be long, it is not."""

    def __init__(self, words: str) -> None:
        """See the class."""
        super().__init__(words if len(words) <= LONGEST_WORDS else f"{words[:LONGEST_WORDS]}…")


class _Loader(yaml.BaseLoader):
    """YAML whose scalars are text, without anchors (they make small texts huge), tags and doubled keys."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise AppSpecError("YAML anchors and aliases (& and *) are not allowed")
        self.depth += 1
        if self.depth > DEEPEST:
            raise AppSpecError("it is nested too deeply")
        node: Any = super().compose_node(parent, index)
        self.depth -= 1
        if node.tag not in TAGS:
            raise AppSpecError(f"YAML tags are not allowed: {node.tag}")
        return node

    def construct_scalar(self, node: Any) -> Any:
        return None if node.style is None and node.value in NOTHING else super().construct_scalar(node)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 - PyYAML's signature
        _refuse_doubled(self.construct_object(key, deep=True) for key, _ in node.value)
        return super().construct_mapping(node, deep=deep)


def read_text(text: str) -> Any:
    """What the text says, with every scalar as text (or None, or a truth of JSON). Raises `AppSpecError`."""
    if len(text) > MOST_CHARACTERS:
        raise AppSpecError(f"it has {len(text)} characters, more than the {MOST_CHARACTERS} allowed")
    if not text.strip():
        raise AppSpecError("it is empty")
    try:
        return _loaded(text)
    except AppSpecError:
        raise
    except RecursionError:
        raise AppSpecError("it is nested too deeply") from None
    except (yaml.YAMLError, ValueError, TypeError) as error:
        raise AppSpecError(f"it is neither JSON nor YAML: {' '.join(str(error).split())[:300]}") from None


def _loaded(text: str) -> Any:
    if text.lstrip().startswith("{"):
        with contextlib.suppress(json.JSONDecodeError):  # what is no JSON may still be YAML in braces
            return json.loads(text, object_pairs_hook=_unique, parse_int=str, parse_float=str, parse_constant=str)
    return yaml.load(text, _Loader)  # noqa: S506 - a BaseLoader made stricter


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    _refuse_doubled(key for key, _ in pairs)
    return dict(pairs)


def _refuse_doubled(keys: Iterable[Hashable]) -> None:
    seen: set[Hashable] = set()
    for key in keys:
        name = key.lower() if isinstance(key, str) else key
        if name in seen:
            raise AppSpecError(f"{name} is given twice")
        seen.add(name)
