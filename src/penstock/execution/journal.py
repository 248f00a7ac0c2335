"""One environment's log: gathers lines, hands them to the sink in order, keeps the tail of the running invoke.

Rule: memory only; a function that prints without end costs a bounded amount of it.
"""

from collections import deque
from collections.abc import Collection

from penstock.core.clock import Clock
from penstock.core.context import Scope
from penstock.observe.ports import LogLine, LogSink

MAX_INVOKE_BYTES = 16 * 1024 * 1024
"""What one invoke may log; the rest is counted, not kept."""
TAIL_BYTES = 4096
BATCH = 200
ON_DEMAND = "on-demand"
PROVISIONED = "provisioned-concurrency"


def tail_text(lines: Collection[str]) -> bytes:
    """The last 4 KB of a log, as `LogType=Tail` returns it."""
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")[-TAIL_BYTES:] if lines else b""


class Journal:
    """Lines of one log stream."""

    def __init__(
        self, sink: LogSink, clock: Clock, scope: Scope, group: str, stream: str, initialization: str = ON_DEMAND
    ) -> None:
        """Nothing is created until the first line. `initialization`: what the environment is made for, AWS's word."""
        self.initialization = initialization
        self.group = group
        self.stream = stream
        self._sink = sink
        self._clock = clock
        self._scope = scope
        self._pending: list[LogLine] = []
        self._tail: deque[str] = deque()
        self._tail_size = 0
        self._written = 0
        self._dropped = 0

    def begin(self) -> None:
        """A new invoke: its own tail and its own allowance."""
        self._tell_dropped()
        self._tail.clear()
        self._tail_size = self._written = 0

    def output(self, lines: list[str]) -> None:
        """What the function wrote."""
        size = sum(map(len, lines))
        if self._written + size > MAX_INVOKE_BYTES:
            self._dropped += len(lines)
            return
        self._written += size
        self.platform(lines)

    def platform(self, lines: list[str]) -> None:
        """What the platform writes; never dropped."""
        at = self._clock.now()
        for line in lines:
            self._pending.append(LogLine(at, line))
            self._tail.append(line)
            self._tail_size += len(line) + 1
        while self._tail and self._tail_size - len(self._tail[0]) - 1 >= TAIL_BYTES:
            self._tail_size -= len(self._tail.popleft()) + 1
        if len(self._pending) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Hand over what is gathered."""
        if self._pending:
            lines, self._pending = self._pending, []
            self._sink.append(self._scope, self.group, self.stream, lines)

    def close_invoke(self, lines: list[str]) -> None:
        """The last lines of an invoke, after what was dropped is told."""
        self._tell_dropped()
        self.platform(lines)
        self.flush()

    def last_lines(self) -> tuple[str, ...]:
        """The last lines of this invoke: `tail_text` makes its tail of them."""
        return tuple(self._tail)

    def tail(self) -> bytes:
        """The last 4 KB of this invoke's log."""
        return tail_text(self._tail)

    def _tell_dropped(self) -> None:
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            self.platform([f"[PENSTOCK] {dropped} lines dropped: one invoke may log {MAX_INVOKE_BYTES >> 20} MB"])
