"""An environment whose runtime is forked from a zygote, at either level of isolation. Rule: nothing the function does
to its channel, its descriptors or its processes blocks or breaks the server; the worst it gets is its own end.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Callable

import orjson

from penstock.core.clock import Clock
from penstock.execution.bootstrap import frames
from penstock.execution.environment import End, EndKind, Environment
from penstock.execution.failures import NO_REASON, exit_reason
from penstock.execution.journal import Journal
from penstock.execution.output import Output
from penstock.execution.sandbox.freezer import Freezer
from penstock.execution.sandbox.model import Body
from penstock.execution.served import memory
from penstock.execution.states import State, move
from penstock.execution.stream import ResponseStream
from penstock.execution.zygote import ZygoteError
from penstock.registry.model import FunctionVersion

log = logging.getLogger(__name__)

GRACE_S = 0.25
"""How long the exit report and the end of the channel may lie apart."""
DEATH_S = 5.0
MAX_STRAYS = 100
_ENDS = {frames.READY: EndKind.READY, frames.RESULT: EndKind.RESULT}
Ended = Callable[[Environment, End], None]


class ForkedEnvironment(asyncio.Protocol):
    """See the module; the methods are those of `Environment`."""

    def __init__(
        self,
        version: FunctionVersion,
        journal: Journal,
        clock: Clock,
        freezer: Freezer,
        gone: Callable[[Environment], None],
    ) -> None:
        """`connect` gives it a body; `freezer` stills it while it is idle."""
        self.version = version
        self.journal = journal
        self.created_at = self.idle_since = clock.monotonic()
        self.invokes = 0
        self.init_ms = 0.0
        self.doomed = False
        self.substitute = False
        self._state = State.STARTING
        self._pid: int | None = None
        self._clock = clock
        self._freezer = freezer
        self._frozen = False
        self._gone = gone
        self._sequence = 0
        self._ended: Ended | None = None
        self._initialised: asyncio.Future[End] | None = None
        self._exit: tuple[int | None, int] | None = None
        self._buffer = bytearray()
        self._strays = 0
        self._peak_kb = 0

    @property
    def state(self) -> State:
        """Where it is in its life."""
        return self._state

    @property
    def pid(self) -> int | None:
        """Its main process."""
        return self._pid

    async def connect(self, body: Body, plan: dict[str, object]) -> None:
        """Let the body live, and send the plan; raises `ZygoteError` or `OSError`."""
        self._loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        output_read, output_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        os.set_blocking(output_write, True)
        ours.setblocking(False)  # noqa: FBT003 - its only parameter
        self._output = Output(output_read, self.journal.output)
        self._body = body
        try:
            body.begin(theirs.fileno(), output_write, self)
        except Exception:
            ours.close()
            self._output.close()
            raise
        finally:
            theirs.close()
            os.close(output_write)
        self._transport, _ = await self._loop.create_unix_connection(lambda: self, sock=ours)
        if self._exit is not None:  # it is gone before it could begin
            self._transport.abort()
            raise ZygoteError("the fork failed")
        self._initialised = self._loop.create_future()
        self._move(State.INITIALISING)
        self._transport.write(frames.encode(frames.INIT, 0, orjson.dumps(plan)))

    async def initialise(self, limit_s: float) -> End | None:
        assert self._initialised is not None
        try:
            async with asyncio.timeout(limit_s):
                end = await self._initialised
        except TimeoutError:
            self.drain()
            self.stop()
            return None
        except asyncio.CancelledError:
            self.stop()
            raise
        self.init_ms = (self._clock.monotonic() - self.created_at) * 1000
        self.drain()
        if end.kind is not EndKind.READY:
            self.stop()
        return end

    def begin(self, meta: bytes, event: bytes, ended: Ended, stream: ResponseStream | None = None) -> None:
        del stream  # Python handlers do not stream, at AWS neither
        if self._frozen:
            self._frozen = False
            self._body.thaw()
        self._move(State.BUSY)
        self._sequence += 1
        self.invokes += 1
        self._ended = ended
        if self._transport.is_closing():
            return  # its death is on the way and will end this invoke as a crash
        self._transport.write(frames.encode(frames.INVOKE, self._sequence, meta, event))

    def when_idle(self, then: Callable[[Environment], None]) -> None:
        then(self)  # it has replied, so it is idle

    def drain(self) -> None:
        self._output.drain()

    def memory_kb(self) -> tuple[int, int]:
        now = 0
        if self._pid is not None and self._state is not State.DEAD:
            known = self._body.memory_kb()
            now = memory.resident_kb([self._pid]) if known is None else known
        self._peak_kb = max(self._peak_kb, now)
        return now, self._peak_kb

    def stop(self) -> None:
        self._ended = None
        self.kill()
        if self._state is not State.DEAD and self._state is not State.STOPPING:
            self._move(State.STOPPING)

    def kill(self) -> None:
        if self._state in (State.DEAD, State.STOPPING):
            return
        self.doomed = True
        self._body.kill()
        self._loop.call_later(DEATH_S, self._give_up)

    def still(self, idle_since: float) -> None:
        """Freeze it, if it has not been busy since."""
        if self._state is State.IDLE and self.idle_since == idle_since and not self._frozen:
            self._frozen = True
            self._body.freeze()

    # What the body tells.

    def forked(self, pid: int) -> None:
        self._pid = pid

    def exited(self, wait_status: int | None, rss_kb: int) -> None:
        if self._exit is not None:
            return
        self.doomed = True
        self._exit = (wait_status, rss_kb)
        self._peak_kb = max(self._peak_kb, rss_kb)
        if self._state is State.STARTING or self._transport.is_closing():
            self._die()
        else:  # a reply may still be in the channel: its end comes after it
            self._loop.call_later(GRACE_S, self._die)

    # What the channel tells.

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        try:
            while len(self._buffer) >= frames.HEAD.size and self._take_frame():
                pass
        except (frames.FrameError, ValueError, KeyError, TypeError) as error:
            log.warning("%s sent garbage on its channel and is ended: %s", self.journal.stream, error)
            self._transport.abort()

    def _take_frame(self) -> bool:
        kind, sequence, meta_size, body_size = frames.decode_head(self._buffer)
        middle = frames.HEAD.size + meta_size
        end = middle + body_size
        if len(self._buffer) < end:
            return False
        with memoryview(self._buffer) as view:
            meta, body = bytes(view[frames.HEAD.size : middle]), bytes(view[middle:end])
        del self._buffer[:end]
        self._receive(kind, sequence, meta, body)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.doomed = True
        if self._exit is not None:
            self._die()
        else:
            self._loop.call_later(GRACE_S, self.kill)

    def _receive(self, kind: int, sequence: int, meta: bytes, body: bytes) -> None:
        told = orjson.loads(meta)
        self._peak_kb = max(self._peak_kb, int(told["rss_kb"]))
        end = End(_ENDS.get(kind, EndKind.ERROR), body, told.get("error_type"), "", self._peak_kb)
        if self._state is State.INITIALISING and sequence == 0:
            self._settle_init(end)
        elif self._state is State.BUSY and sequence == self._sequence:
            self._rest()
            self._finish(end)
        else:  # a reply nobody waits for: forged, or the second of two
            self._strays += 1
            if self._strays > MAX_STRAYS:
                raise frames.FrameError("too many replies that nobody asked for")

    def _settle_init(self, end: End) -> None:
        if self._initialised is not None and not self._initialised.done():
            if end.kind is EndKind.READY:
                self._body.initialised()
                self._rest()
            self._initialised.set_result(end)

    def _rest(self) -> None:
        self._move(State.IDLE)
        self.idle_since = self._clock.monotonic()
        self._freezer.rest(self)

    def _finish(self, end: End) -> None:
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(self, end)

    def _give_up(self) -> None:
        if self._state is not State.DEAD:
            log.error("%s (pid %s) was killed and nobody saw it end", self.journal.stream, self._pid)
            self._die()

    def _die(self) -> None:
        if self._state is State.DEAD:
            return
        before = self._state
        status = self._exit[0] if self._exit else None
        self._move(State.DEAD)
        self._output.close()
        self.journal.flush()
        if before is not State.STARTING:
            self._transport.abort()
        end = End(EndKind.EXITED, reason=exit_reason(status) if self._exit else NO_REASON, peak_kb=self._peak_kb)
        if self._initialised is not None and not self._initialised.done():
            self._initialised.set_result(end)
        self._finish(end)
        self._gone(self)

    def _move(self, then: State) -> None:
        self._state = move(self._state, then)
