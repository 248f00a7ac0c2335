"""An environment whose runtime is a program of its own that speaks the Runtime API. Rule: what the runtime says over
HTTP and what the keeper says of its processes meet here, in one state; whoever comes first decides.

An invoke has two ends: the reply, and the moment when the runtime and all extensions have asked for the next event. The
caller is answered at the first, the environment is free at the second.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from pathlib import Path

import orjson

from penstock.core.clock import Clock
from penstock.core.dice import Dice
from penstock.execution.bootstrap.frames import MAX_RESPONSE
from penstock.execution.environment import End, EndKind, Environment
from penstock.execution.failures import INVALID_ENTRYPOINT, NO_REASON, exit_reason
from penstock.execution.journal import Journal
from penstock.execution.lines import stamp
from penstock.execution.runtime_api.address import EXTENSION, RUNTIME, TELEMETRY, Address
from penstock.execution.runtime_api.connection import Answer
from penstock.execution.runtime_api.extensions import INVOKE, ExtensionsDesk
from penstock.execution.runtime_api.runtime import Event, RuntimeDesk, response_too_large
from penstock.execution.runtime_api.states import Client
from penstock.execution.runtime_api.telemetry import TelemetryDesk
from penstock.execution.sandbox.freezer import Freezer
from penstock.execution.sandbox.model import Body
from penstock.execution.served import memory
from penstock.execution.served.farewell import Farewell
from penstock.execution.served.plan import Plan
from penstock.execution.served.processes import Processes
from penstock.execution.served.reporter import Reporter
from penstock.execution.states import State, move
from penstock.execution.stream import ResponseStream
from penstock.registry.model import FunctionVersion

log = logging.getLogger(__name__)

GRACE_S = 0.1
"""A reply may still be in the address's socket when the process has ended."""
TURN_S = 0.25
"""How long a reply waits for the runtime to ask for the next event: a caller that invokes again at once should find
the environment free, not pay for another cold start."""
EXTENDED_TURN_S = 0.025
"""The same where extensions take their time after the reply: the caller does not wait for them."""
DEATH_S = 5.0
Ended = Callable[[Environment, End], None]


class ServedEnvironment:
    """See the module; the public methods are those of `Environment`, `RuntimeDesk`'s `Listener` and the keeper's."""

    def __init__(
        self,
        version: FunctionVersion,
        journal: Journal,
        *,
        clock: Clock,
        dice: Dice,
        freezer: Freezer,
        gone: Callable[[Environment], None],
    ) -> None:
        """`connect` gives it processes; `freezer` stills them while it is idle."""
        self.version = version
        self.journal = journal
        self.created_at = self.idle_since = clock.monotonic()
        self.invokes = 0
        self.init_ms = 0.0
        self.doomed = False
        self.substitute = False
        self._clock = clock
        self._dice = dice
        self._freezer = freezer
        self._frozen = False
        self._gone = gone
        self._state = State.STARTING
        self._loop = asyncio.get_running_loop()
        self._initialised: asyncio.Future[End] = self._loop.create_future()
        self._runtime = RuntimeDesk(self, restorable=version.snap_start != "None")
        about = {"functionName": version.name, "functionVersion": version.version, "handler": version.handler}
        self._extensions = ExtensionsDesk(self, dice, about)
        self._processes = Processes(self, self._printed, self._extension_printed)
        post = self._processes.connector.post
        desk = TelemetryDesk(find=self._extensions.find, deliver=post, now=lambda: stamp(clock.now()))
        self.telemetry = Reporter(desk, version)
        self._address = Address({RUNTIME: self._runtime, EXTENSION: self._extensions, TELEMETRY: self.telemetry.desk})
        self._farewell: Farewell | None = None
        self._reason = "failure"
        self._listening: asyncio.Task[None] | None = None
        self._ended: Ended | None = None
        self._end: End | None = None
        self._free: Callable[[Environment], None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._turn: asyncio.TimerHandle | None = None
        self._streamed = bytearray()
        self._stream: ResponseStream | None = None
        self._pid: int | None = None
        self._peak_kb = 0

    @property
    def state(self) -> State:
        """Where it is in its life."""
        return self._state

    @property
    def pid(self) -> int | None:
        """Its keeper."""
        return self._pid

    def connect(self, body: Body, plan: Plan) -> None:
        """Start it; raises `ZygoteError` or `OSError`."""
        self._plan = plan
        self._body = body
        self._processes.begin(body, plan)
        self._move(State.INITIALISING)
        self.telemetry.init_start()

    async def initialise(self, limit_s: float) -> End | None:
        try:
            async with asyncio.timeout(limit_s):
                end = await asyncio.shield(self._initialised)
        except TimeoutError:
            self.drain()
            self._reason = "timeout"
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
        if self._frozen:
            self._frozen = False
            self._body.thaw()
        self._move(State.BUSY)
        self._stream = stream
        self.invokes += 1
        self._ended, self._end = ended, None
        self._streamed.clear()
        told = orjson.loads(meta)
        trace = told.get("trace") or self._new_trace()
        deadline_ms = int(self._clock.real() * 1000 + told["remaining_ms"])
        self._reason = "timeout"  # unless something else ends it
        self.telemetry.start(told["request_id"], trace, self._clock.monotonic())
        self._timer = self._loop.call_later(max(told["remaining_ms"] / 1000, 0), self._overdue)
        self._runtime.deliver(
            Event(
                request_id=told["request_id"],
                deadline_ms=deadline_ms,
                arn=told["arn"],
                payload=event,
                trace=trace,
                client_context=told.get("client_context"),
                identity=told.get("identity"),
            )
        )
        self._extensions.tell(
            INVOKE,
            {
                "deadlineMs": deadline_ms,
                "requestId": told["request_id"],
                "invokedFunctionArn": told["arn"],
                "tracing": {"type": "X-Amzn-Trace-Id", "value": trace},
            },
        )

    def when_idle(self, then: Callable[[Environment], None]) -> None:
        self._free = then

    def drain(self) -> None:
        self._processes.drain()

    def memory_kb(self) -> tuple[int, int]:
        if self._pid is None or self._state is State.DEAD:
            return 0, self._peak_kb
        known = self._body.memory_kb()
        if known is not None:
            self._peak_kb = max(self._peak_kb, known)
            return known, self._peak_kb
        pids = memory.tree(self._pid)
        self._peak_kb = max(self._peak_kb, memory.peak_kb(pids))
        return memory.resident_kb(pids), self._peak_kb

    def stop(self) -> None:
        self._ended = None
        if self._state in (State.DEAD, State.STOPPING):
            return
        self.doomed = True
        if self._state is State.STARTING or not self._extensions.all:
            self.kill()
            self._move(State.STOPPING)
        else:
            self._say_farewell()

    def _say_farewell(self) -> None:
        """Let the extensions finish what they have to, thawed, within the time of the shutdown phase."""
        if self._frozen:
            self._frozen = False
            self._body.thaw()
        self._move(State.STOPPING)
        self.telemetry.desk.flush()
        self._farewell = Farewell(
            keeper=self._processes.keeper, extensions=self._extensions, reason=self._reason, real=self._clock.real,
            running=self._processes.running, over=self._destroy,
        )  # fmt: skip
        self._farewell.begin()

    def kill(self) -> None:
        if self._state in (State.DEAD, State.STOPPING, State.STARTING):
            return
        self._destroy()

    def _destroy(self) -> None:
        self.doomed = True
        self._processes.keeper.kill()
        self._loop.call_later(DEATH_S, self._give_up)

    def still(self, idle_since: float) -> None:
        """Freeze it, if it has not been busy since."""
        if self._state is State.IDLE and self.idle_since == idle_since and not self._frozen:
            self._frozen = True
            self._body.freeze()

    # What the body tells of the keeper.

    def forked(self, pid: int) -> None:
        self._pid = pid

    def exited(self, wait_status: int | None, rss_kb: int) -> None:
        self._peak_kb = max(self._peak_kb, rss_kb)
        self._die(exit_reason(wait_status))

    # What is told of its processes.

    def listening(self, sock: socket.socket) -> None:
        self._listening = self._loop.create_task(self._open(sock))

    def not_started(self, name: str, why: str) -> None:
        if name == "runtime":
            self._refuse_entry(f"fork/exec {self._plan.command[0]}: {why}")
        else:
            self._break(End(EndKind.EXITED, error_type="Extension.LaunchError", reason=f"{name}: {why}"))

    def process_ended(self, name: str, status: int, rss_kb: int) -> None:
        self._peak_kb = max(self._peak_kb, rss_kb)
        if self._farewell is not None:
            self._farewell.look()
            return
        self.doomed = True
        reason, kind = exit_reason(status), None
        if name != "runtime":
            reason, kind = f"{name}: {reason.replace('Runtime', 'Extension', 1)}", "Extension.Crash"
        end = End(EndKind.EXITED, error_type=kind, reason=reason, peak_kb=self._peak_kb)
        # What it sent before may still have to be read.
        self._loop.call_later(GRACE_S, self._break, end)

    def lost(self, why: str) -> None:
        if self._state not in (State.STOPPING, State.DEAD):
            log.warning("the keeper of %s %s; the environment is ended", self.journal.stream, why)
            self.kill()

    # What extensions tell.

    def extension_moved(self) -> None:
        if self._state is State.INITIALISING and self._extensions.registered:
            self._start_runtime()
        self._look_around()

    def extension_failed(self, name: str, kind: str, told: str) -> None:
        self._break(End(EndKind.EXITED, error_type=kind, reason=f"{name}: {told}", peak_kb=self._peak_kb))

    def _printed(self, lines: list[str]) -> None:
        self.journal.output(lines)
        self.telemetry.desk.lines("function", lines)

    def _extension_printed(self, lines: list[str]) -> None:
        self.journal.output(lines)
        self.telemetry.desk.lines("extension", lines)

    # What the runtime tells.

    def runtime_ready(self) -> None:
        self._extensions.close_registration()
        self._look_around()

    def init_failed(self, kind: str, body: bytes) -> None:
        self._settle_init(End(EndKind.ERROR, body, kind, peak_kb=self.memory_kb()[1]))

    def responding(self, answer: Answer, content_type: str) -> None:
        if self._stream is not None:
            self._stream.begin(content_type, answer.pause, answer.resume)

    def chunk(self, data: bytes) -> None:
        if self._stream is not None:
            self._stream.write(data)
        elif len(self._streamed) <= MAX_RESPONSE:
            self._streamed += data

    def responded(self, payload: bytes) -> None:
        if len(self._streamed) > MAX_RESPONSE:
            self.failed(*response_too_large())
        else:
            self._replied(End(EndKind.RESULT, payload or bytes(self._streamed), peak_kb=self.memory_kb()[1]))

    def failed(self, kind: str, body: bytes) -> None:
        self._replied(End(EndKind.ERROR, body, kind, peak_kb=self.memory_kb()[1]))

    # The state.

    async def _open(self, sock: socket.socket) -> None:
        """The address is there: serve it, then start what speaks to it."""
        await self._address.listen(sock)
        self._extensions.expect(Path(one).name for one in self._plan.extensions)
        for file in self._plan.extensions:
            self._processes.start(Path(file).name, (file,), own_output=True)
        if not self._plan.extensions:
            self._start_runtime()

    def _start_runtime(self) -> None:
        if self._plan.refusal:
            self._refuse_entry(self._plan.refusal)
        else:
            self._processes.start("runtime", self._plan.command)

    def _refuse_entry(self, why: str) -> None:
        self._settle_init(End(EndKind.EXITED, error_type=INVALID_ENTRYPOINT, reason=why))

    def _look_around(self) -> None:
        """Somebody asked for the next event: perhaps now everybody has."""
        if self._runtime.state is not Client.READY or not self._extensions.ready:
            return
        if self._state is State.INITIALISING:
            self._settle_init(End(EndKind.READY, peak_kb=self.memory_kb()[1]))
        elif self._state is State.SETTLING:
            self._become_idle()

    def _settle_init(self, end: End) -> None:
        if not self._initialised.done():
            self.telemetry.init_done(end, self._clock.monotonic() - self.created_at, self._extensions.all)
            if end.kind is EndKind.READY:
                self._move(State.IDLE)
                self._reason = "spindown"
            self._initialised.set_result(end)

    def _replied(self, end: End) -> None:
        if self._state is not State.BUSY:
            return
        self._end = end
        self._move(State.SETTLING)
        self.telemetry.runtime_done(end, self._clock.monotonic())
        turn_s = EXTENDED_TURN_S if self._extensions.all else TURN_S
        self._turn = self._loop.call_later(turn_s, self._finish)

    def _become_idle(self) -> None:
        self._move(State.IDLE)
        self.idle_since = self._clock.monotonic()
        self._reason = "spindown"
        self.telemetry.report(self._clock.monotonic(), self._peak_kb)
        self._freezer.rest(self)
        if self._timer is not None:
            self._timer.cancel()
        self._finish()
        free, self._free = self._free, None
        if free is not None:
            if self.doomed:
                self.stop()
            else:
                free(self)

    def _finish(self) -> None:
        """Answer the caller, once."""
        if self._turn is not None:
            self._turn.cancel()
        ended, self._ended = self._ended, None
        if ended is not None and self._end is not None:
            ended(self, self._end)

    def _overdue(self) -> None:
        """The time limit passed while something still worked on an invoke that is answered."""
        if self._state is State.SETTLING:
            log.info("%s was not done with its invoke in time and is ended", self.journal.stream)
            self._finish()
            self.stop()

    def _break(self, end: End) -> None:
        """Something that the environment cannot do without is gone."""
        if self._state in (State.STOPPING, State.DEAD):
            return
        self._settle_init(end)
        if self._state is State.BUSY:
            self._end = end
        self._reason = "failure"
        ended = self._ended
        self._finish()
        if ended is None or self._state not in (State.STOPPING, State.DEAD):
            self.stop()

    def _give_up(self) -> None:
        if self._state is not State.DEAD:
            log.error("%s (pid %s) was killed and nobody saw it end", self.journal.stream, self._pid)
            self._die(NO_REASON)

    def _die(self, reason: str) -> None:
        if self._state is State.DEAD:
            return
        before = self._state
        self.doomed = True
        self._move(State.DEAD)
        for timer in (self._timer, self._turn):
            if timer is not None:
                timer.cancel()
        if before is not State.STARTING:
            self._close()
        end = End(EndKind.EXITED, reason=reason, peak_kb=self._peak_kb)
        self._settle_init(end)
        self._end = self._end or end
        self._finish()
        self._gone(self)

    def _close(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
        if self._farewell is not None:
            self._farewell.cancel()
        self._address.close()
        self.telemetry.desk.close()
        self._processes.close()
        self.journal.flush()

    def _new_trace(self) -> str:
        root = f"1-{int(self._clock.real()):08x}-{self._dice.token(12).hex()}"
        return f"Root={root};Parent={self._dice.token(8).hex()};Sampled=0"

    def _move(self, then: State) -> None:
        self._state = move(self._state, then)
