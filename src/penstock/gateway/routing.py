"""Which operation a REST path means, from the models' `requestUri` templates, compiled once per service.

Rule: the path is matched as sent, segment by segment, and each label is percent-decoded after the match, so that a
colon or slash of an ARN may come encoded without moving the segments.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qsl, unquote_to_bytes

from penstock.gateway.malformed import Malformed

REMEMBERED = 1024
"""Request lines whose operation is known; what is invoked often is invoked by the same few."""
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class Routable(Protocol):
    """What a router needs to know of an operation."""

    name: str
    method: str
    uri: str


@dataclass(frozen=True, slots=True)
class Template:
    """A `requestUri` taken apart: literals as they are, labels by name, the query constants it demands."""

    operation: str
    segments: tuple[str | None, ...]
    """A literal, or None where a label stands."""
    labels: tuple[str, ...]
    greedy: int | None
    """The index of the segment that may hold slashes."""
    constants: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Match:
    """An operation and its path labels, decoded."""

    operation: str
    labels: dict[str, str]


class PathRouter:
    """The routes of one service."""

    def __init__(self, operations: Iterable[Routable]) -> None:
        """Compile every template; literal segments win over labels, more query constants over fewer."""
        by_method: dict[str, list[Template]] = {}
        for operation in operations:
            by_method.setdefault(operation.method, []).append(compile_template(operation.name, operation.uri))
        self._by_method = {method: sorted(found, key=_precedence) for method, found in by_method.items()}
        self._found: dict[tuple[str, str, str], Match] = {}

    def match(self, method: str, path: str, query: str) -> Match | None:
        """The operation for a request line; raises `Malformed` when a label is not valid percent-encoded UTF-8."""
        line = (method, path, query)
        found = self._found.get(line)
        if found is None:
            found = self._match(method, path, query)
            if found is not None:
                if len(self._found) >= REMEMBERED:
                    self._found.clear()
                self._found[line] = found
        return found

    def _match(self, method: str, path: str, query: str) -> Match | None:
        parts = _split(path)
        constants: set[tuple[str, str]] | None = None
        for template in self._by_method.get(method, ()):
            raw = _labels(template, parts)
            if raw is None:
                continue
            if template.constants:
                constants = set(parse_qsl(query, keep_blank_values=True)) if constants is None else constants
                if not template.constants <= constants:
                    continue
            return Match(template.operation, {name: decode_label(text) for name, text in raw.items()})
        return None


def compile_template(operation: str, uri: str) -> Template:
    """`/2015-03-31/functions/{FunctionName}/code?x=y` as a `Template`."""
    path, _, query = uri.partition("?")
    segments: list[str | None] = []
    labels: list[str] = []
    greedy = None
    for index, part in enumerate(_split(path)):
        if part.startswith("{"):
            label = part[1:-1]
            greedy = index if label.endswith("+") else greedy
            labels.append(label.rstrip("+"))
            segments.append(None)
        else:
            segments.append(part)
    constants = frozenset(parse_qsl(query, keep_blank_values=True)) if query else frozenset()
    return Template(operation, tuple(segments), tuple(labels), greedy, constants)


def decode_label(text: str) -> str:
    """A percent-encoded path label as text; raises `Malformed`."""
    if "%" not in text:
        return text
    if _BAD_ESCAPE.search(text):
        raise Malformed("the path holds a percent sign that does not begin a two-digit hexadecimal escape")
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise Malformed("a percent-encoded part of the path is not UTF-8") from None


def _split(path: str) -> list[str]:
    """Segments without the leading slash; a trailing slash is forgiven, as AWS forgives it."""
    parts = path.split("/")[1:]
    return parts[:-1] if len(parts) > 1 and parts[-1] == "" else parts


def _labels(template: Template, parts: Sequence[str]) -> dict[str, str] | None:
    if template.greedy is not None:
        surplus = len(parts) - len(template.segments)
        if surplus < 0:
            return None
        at = template.greedy
        parts = [*parts[:at], "/".join(parts[at : at + surplus + 1]), *parts[at + surplus + 1 :]]
    if len(parts) != len(template.segments):
        return None
    found = []
    for expected, part in zip(template.segments, parts, strict=True):
        if expected is None:
            if not part:
                return None
            found.append(part)
        elif expected != part:
            return None
    return dict(zip(template.labels, found, strict=True))


def _precedence(template: Template) -> tuple[int, int, int]:
    """Sort key: fewest labels, then most constants, greedy last."""
    return (len(template.labels), -len(template.constants), int(template.greedy is not None))
