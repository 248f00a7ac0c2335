"""The Telemetry API: who subscribed, and what was sent to them. Follows
https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api.html.

Rule: bounded and never in the way; what a subscriber does not take in time is dropped and counted, and it is told so.
"""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from penstock.execution.runtime_api import refusals
from penstock.execution.runtime_api.connection import Answer, Receiver, Request
from penstock.execution.runtime_api.extensions import IDENTIFIER, Extension
from penstock.execution.runtime_api.refusals import Buffered
from penstock.execution.runtime_api.subscription import Subscription, SubscriptionError, read

MAX_BODY = 64 * 1024
EARLY = 1000
"""Events kept for those who subscribe later in the init phase."""
MOST_BATCHES = 20
"""Batches a subscriber may leave lying."""
Deliver = Callable[[int, str, bytes], Awaitable[bool]]
"""Post a batch to a port and path inside of the environment; whether it was taken."""


class Subscriber:
    """One extension's stream of events."""

    def __init__(self, subscription: Subscription, deliver: Deliver, dropped: Callable[[int, int], None]) -> None:
        """`dropped` hears of records and bytes that were not taken."""
        self.subscription = subscription
        self._deliver = deliver
        self._dropped = dropped
        self._items: list[bytes] = []
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None
        self._batches: deque[tuple[int, bytes]] = deque()
        self._sending: asyncio.Task[None] | None = None

    def add(self, event: bytes) -> None:
        """Gather an event; full batches go at once, others after the subscriber's time."""
        wanted = self.subscription
        if self._items and self._size + len(event) > wanted.max_bytes:
            self.flush()
        self._items.append(event)
        self._size += len(event) + 1
        if len(self._items) >= wanted.max_items:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(wanted.timeout_ms / 1000, self.flush)

    def flush(self) -> None:
        """Send what is gathered."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._items:
            return
        items, self._items, self._size = self._items, [], 0
        batch = b"[" + b",".join(items) + b"]"
        if len(self._batches) >= MOST_BATCHES:
            self._dropped(len(items), len(batch))
            return
        self._batches.append((len(items), batch))
        if self._sending is None or self._sending.done():
            self._sending = asyncio.get_running_loop().create_task(self._send(), name="telemetry")

    def close(self) -> None:
        """Nobody is there any more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._sending is not None:
            self._sending.cancel()

    async def _send(self) -> None:
        while self._batches:
            count, batch = self._batches[0]
            taken = await self._deliver(self.subscription.port, self.subscription.path, batch)
            self._batches.popleft()
            if not taken:
                self._dropped(count, len(batch))


class TelemetryDesk:
    """The telemetry part of one environment's address, and the source of its events."""

    def __init__(self, *, find: Callable[[str], Extension | None], deliver: Deliver, now: Callable[[], str]) -> None:
        """`find` knows extensions by identifier; `now` is the time as events carry it."""
        self._find = find
        self._deliver = deliver
        self._now = now
        self._subscribers: dict[str, Subscriber] = {}
        self._early: deque[tuple[str, bytes]] = deque(maxlen=EARLY)
        self._open = True

    @property
    def idle(self) -> bool:
        """Whether nobody listens, and nobody will."""
        return not self._open and not self._subscribers

    def emit(self, kind: str, record: object) -> None:
        """One event; `kind` is `function`, `extension` or `platform.…`."""
        if self.idle:
            return
        event = json.dumps({"time": self._now(), "type": kind, "record": record}, separators=(",", ":")).encode()
        family = kind.partition(".")[0]
        if self._open:
            self._early.append((family, event))
        for subscriber in self._subscribers.values():
            if family in subscriber.subscription.types:
                subscriber.add(event)

    def lines(self, kind: str, lines: list[str]) -> None:
        """What a process printed."""
        if not self.idle:
            for line in lines:
                self.emit(kind, _record(line))

    def close_registration(self) -> None:
        """The init phase is over: nobody subscribes any more."""
        self._open = False
        self._early.clear()

    def flush(self) -> None:
        """Send what is gathered, because the environment is about to rest or end."""
        for subscriber in self._subscribers.values():
            subscriber.flush()

    def close(self) -> None:
        """The environment is dead."""
        for subscriber in self._subscribers.values():
            subscriber.close()
        self._subscribers.clear()
        self._open = False

    def route(self, path: str, request: Request, answer: Answer) -> Receiver:
        """Begin a request at `/telemetry`."""
        if path.strip("/"):
            return Buffered(lambda _: refusals.not_found(answer))
        if request.method != "PUT":
            return Buffered(lambda _: refusals.wrong_method(answer))
        return Buffered(lambda body: self._subscribe(request, answer, body), MAX_BODY)

    def _subscribe(self, request: Request, answer: Answer, body: bytes | None) -> None:
        extension = self._find(request.headers.get(IDENTIFIER, ""))
        if extension is None:
            refusals.refuse(answer, 403, "Extension.UnknownExtensionIdentifier", "Unknown extension")
            return
        if not self._open:
            refusals.refuse(answer, 403, "Telemetry.SubscriptionClosed", "The init phase is over")
            return
        try:
            subscription = read(body or b"")
        except SubscriptionError as error:
            refusals.refuse(answer, 400, "ValidationError", str(error))
            return
        answer.send(200, {"content-type": "text/plain"}, b'"OK"')
        subscriber = Subscriber(subscription, self._deliver, self._tell_dropped)
        self._subscribers[extension.name] = subscriber
        for family, event in self._early:
            if family in subscription.types:
                subscriber.add(event)
        told = {"name": extension.name, "state": "Subscribed", "types": list(subscription.types)}
        self.emit("platform.telemetrySubscription", told)

    def _tell_dropped(self, records: int, size: int) -> None:
        reason = "Consumer seems to have fallen behind as it has not acknowledged receipt of logs."
        self.emit("platform.logsDropped", {"droppedBytes": size, "droppedRecords": records, "reason": reason})


def _record(line: str) -> object:
    """A line that is a JSON object is one, as AWS sends it; any other is text."""
    if line.startswith("{"):
        try:
            found: Mapping[str, Any] = json.loads(line)
        except ValueError:
            return line
        return found
    return line
