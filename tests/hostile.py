"""Hostile requests made from botocore's own models: nearly right parameters with one thing wrong, and bodies broken on
the wire. Imports nothing of Penstock. Everything is seeded, so a failure can be repeated.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import botocore.session
from botocore.model import OperationModel, Shape

SERVICES = ("lambda", "codedeploy", "cloudwatch", "logs", "sts")
TEXTS = (
    "",
    " ",
    "a\x00b",
    "\u202e\u0000\U0001f4a9",
    "\ufeffé́" * 40,
    "\ud7ff\ue000\U0010ffff",
    "../../../etc/passwd",
    "%00%2e%2e%2f",
    "'; DROP TABLE functions; --",
    "arn:aws:lambda:us-east-1:000000000000:function:" + ":" * 20,
    "arn:aws:lambda:::function:x:y:z",
    "$LATEST:$LATEST",
    "-1",
    "1e999",
    "NaN",
    "²",
    "٣",
    "9" * 5000,
    "a" * 300,
    "(" * 400,
    "{$." + "[*]." * 200 + "}",
    "ß" * 70_000,
)
NUMBERS = (-1, 0, 2**31, 2**63, -(2**63) - 1, 10**40, 0.1, -0.0, 1e308)
STRANGE = (float("nan"), float("inf"), None, True, [], {}, [[]], {"": {}}, "text", 7, 1.5, "٣")
JSON_TEXTS = (
    "null",
    "{}",
    "[]",
    "[" * 3000,
    '{"a":' * 3000,
    "NaN",
    "-Infinity",
    "1e999",
    "9" * 5000,
    '"\\ud800"',
    '"\\u0000"',
    "[null]",
    '[{"\\ud800":1}]',
    "{",
    '{"a":1,"a":2}',
)


@dataclass(frozen=True)
class Hostile:
    """One request: the parameters for botocore, and perhaps what to put in place of a JSON value on the wire."""

    operation: str
    params: dict[str, Any]
    story: str
    graft: str | None = None


class Maker:
    """Makes hostile requests for one service; `known` are good values by member name."""

    def __init__(self, service: str, known: dict[str, Any], seed: int):
        self.model = botocore.session.get_session().get_service_model(service)
        self.known = known
        self.dice = random.Random(f"{service}-{seed}")

    def requests(self, name: str, count: int) -> Iterator[Hostile]:
        """`count` requests for one operation."""
        operation = self.model.operation_model(name)
        for _ in range(count):
            yield self._one(operation)

    def plain(self, name: str) -> dict[str, Any]:
        """Parameters with nothing wrong that the model knows of."""
        shape = self.model.operation_model(name).input_shape
        return self._structure(shape, 0, optional=0.0) if shape else {}

    def _one(self, operation: OperationModel) -> Hostile:
        shape, name = operation.input_shape, operation.name
        if shape is None or not shape.members:
            return Hostile(name, {}, "nothing to break")
        params = self._structure(shape, 0, optional=0.4)
        path = self._path(shape, params)
        at = ".".join(map(str, path))
        if operation.service_model.metadata["protocol"] != "query" and self.dice.random() < 0.3:
            graft = self.dice.choice(JSON_TEXTS)
            return Hostile(name, _with(params, path, "@graft@"), f"{at} = JSON {graft[:30]}", graft)
        value = self._hostile()
        return Hostile(name, _with(params, path, value), f"{at} = {value!r:.60}")

    def _hostile(self) -> Any:
        kind = self.dice.random()
        return self.dice.choice(TEXTS if kind < 0.55 else NUMBERS if kind < 0.75 else STRANGE)

    def _path(self, shape: Shape, params: dict[str, Any]) -> list[str | int]:
        """Where to be hostile: a member that is there, or any that the shape has."""
        path: list[str | int] = [self.dice.choice(list(shape.members))]
        value = params.get(str(path[0]))
        while self.dice.random() < 0.7:
            if isinstance(value, dict) and value:
                path.append(self.dice.choice(list(value)))
            elif isinstance(value, list) and value:
                path.append(self.dice.randrange(len(value)))
            else:
                break
            value = value[path[-1]]
        return path

    def _structure(self, shape: Shape, depth: int, optional: float) -> dict[str, Any]:
        wanted = [
            name
            for name in shape.members
            if name in shape.required_members or (depth < 4 and self.dice.random() < optional)
        ]
        return {name: self._value(name, shape.members[name], depth, optional) for name in wanted}

    def _value(self, name: str, shape: Any, depth: int, optional: float) -> Any:
        if name in self.known:
            return self.known[name]
        below = depth + 1
        makers = {
            "structure": lambda: self._structure(shape, below, optional),
            "list": lambda: [self._value(name, shape.member, below, optional)] if depth < 5 else [],
            "map": lambda: {self._value("key", shape.key, below, 0): self._value("value", shape.value, below, 0)},
            "string": lambda: self.dice.choice(shape.enum) if shape.enum else "word",
            "blob": lambda: b"{}",
            "boolean": lambda: self.dice.random() < 0.5,
            "timestamp": lambda: 1_700_000_000,
            "float": lambda: 0.5,
            "double": lambda: 0.5,
        }
        return makers.get(shape.type_name, lambda: 1)()


def _with(value: Any, path: list[str | int], put: Any) -> Any:
    if not path:
        return put
    first, *rest = path
    if isinstance(value, list):
        return [_with(held, rest, put) if place == first else held for place, held in enumerate(value)]
    held = value if isinstance(value, dict) else {}
    return held | {first: _with(held.get(first), rest, put)}


def grafted(body: bytes | str, graft: str) -> bytes:
    """The JSON body with the graft in place of the mark."""
    text = body.decode() if isinstance(body, bytes) else body
    return text.replace(json.dumps("@graft@"), graft).replace("@graft@", "x").encode("utf-8", "surrogatepass")
