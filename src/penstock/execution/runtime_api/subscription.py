"""What an extension asks of the Telemetry API, read and checked. Rule: pure; AWS's bounds and defaults.

https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api-reference.html
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

SCHEMAS = ("2022-07-01", "2022-12-13", "2025-01-29")
TYPES = ("platform", "function", "extension")
HOSTS = ("sandbox.localdomain", "sandbox.local", "sandbox", "localhost", "127.0.0.1")
BOUNDS = {
    "maxItems": (1000, 10_000, 10_000),
    "maxBytes": (262_144, 1_048_576, 262_144),
    "timeoutMs": (25, 30_000, 1000),
}
"""Least, most, default."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where what is sent, and how it is gathered before."""

    types: tuple[str, ...]
    port: int
    path: str
    max_items: int
    max_bytes: int
    timeout_ms: int


class SubscriptionError(ValueError):
    """It is not one; the message says why."""


def read(body: bytes) -> Subscription:
    """The subscription; raises `SubscriptionError`."""
    try:
        found = json.loads(body)
    except ValueError as error:
        raise SubscriptionError(f"the body is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise SubscriptionError("the body is not a JSON object")
    if found.get("schemaVersion") not in SCHEMAS:
        raise SubscriptionError(f"schemaVersion is one of {', '.join(SCHEMAS)}")
    types = found.get("types")
    if not isinstance(types, list) or not types or not set(map(str, types)) <= set(TYPES):
        raise SubscriptionError(f"types is a list of {', '.join(TYPES)}")
    port, path = _destination(found.get("destination"))
    buffering = found.get("buffering") or {}
    if not isinstance(buffering, dict):
        raise SubscriptionError("buffering is an object")
    return Subscription(tuple(types), port, path, *(_bounded(buffering, name) for name in BOUNDS))


def _destination(value: Any) -> tuple[int, str]:
    if not isinstance(value, dict) or value.get("protocol") != "HTTP":
        raise SubscriptionError("destination.protocol is HTTP; Penstock sends over nothing else")
    parts = urlsplit(str(value.get("URI", "")))
    try:
        port = parts.port
    except ValueError:
        port = None
    if parts.scheme != "http" or parts.hostname not in HOSTS or not port:
        raise SubscriptionError("destination.URI is http://sandbox.localdomain:PORT with an optional path")
    return port, parts.path or "/"


def _bounded(buffering: Mapping[str, Any], name: str) -> int:
    least, most, default = BOUNDS[name]
    value = buffering.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise SubscriptionError(f"buffering.{name} is between {least} and {most}")
    return value
