"""Steady customers: orders at a constant rate through the alias, each answer written down. Rule: no retries, no mercy.

Anything but an answer of the function itself (a transport error, a throttle, a 5xx) counts as a platform error.
"""

import itertools
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

COUNTRIES = ("DE", "FR", "CH", "IT", "DE", "NL", "DE", "FR", "PL", "DE")
"""Three in ten (CH, NL, PL) are missing from version 3's tax table."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One request's end, at business time."""

    at: float
    version: str | None
    """The executed version, None when the platform failed."""
    error: str | None
    milliseconds: float


class Traffic:
    """Worker threads that share one pace."""

    def __init__(
        self, client: Any, target: str, per_second: float, now: Callable[[], float], speed: float, threads: int = 8
    ):
        """`target` is the qualified function; `now` is business time, which runs `speed` times faster."""
        self._client = client
        self._target = target
        self._interval_s = threads / per_second
        self._now = now
        self._speed = speed
        self._ids = itertools.count(1)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._answers: list[Answer] = []
        self._threads = [threading.Thread(target=self._customer, args=(n / threads,)) for n in range(threads)]

    def start(self) -> None:
        """Let the customers in."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Close the shop, after the orders in hand."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def answers(self, since: float = 0.0) -> list[Answer]:
        """What came back from business time `since` on."""
        with self._lock:
            return [answer for answer in self._answers if answer.at >= since]

    def _customer(self, offset: float) -> None:
        self._stop.wait(self._interval_s * offset)
        while not self._stop.is_set():
            started_at = self._now()
            answer = self._order(next(self._ids), started_at)
            with self._lock:
                self._answers.append(answer)
            self._stop.wait(max(0.0, self._interval_s - (self._now() - started_at) / self._speed))

    def _order(self, number: int, started_at: float) -> Answer:
        lines = [{"sku": "mug", "quantity": 1 + number % 12, "unit_cents": 1250}]
        order = {"id": f"o-{number}", "country": COUNTRIES[number % len(COUNTRIES)], "lines": lines}
        try:
            reply = self._client.invoke(FunctionName=self._target, Payload=json.dumps({"order": order}))
            body = json.load(reply["Payload"])
        except (BotoCoreError, ClientError, OSError, ValueError) as failure:
            return self._answer(None, f"platform: {failure}", started_at)
        if "FunctionError" in reply:
            return self._answer(reply["ExecutedVersion"], f"{body['errorType']}: {body['errorMessage']}", started_at)
        problem = None if body.get("status") == 201 else f"answered {body}"
        return self._answer(reply["ExecutedVersion"], problem, started_at)

    def _answer(self, version: str | None, error: str | None, started_at: float) -> Answer:
        now = self._now()
        return Answer(now, version, error, (now - started_at) / self._speed * 1000)
