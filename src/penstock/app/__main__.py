"""`python -m penstock.app CONFIG-JSON`: runs one server until SIGTERM or Ctrl-C. Started by `penstock up`.

Rule: what the operator sees at start and stop is written here; exit code 0 is a clean stop, 1 a refused start.
"""

import asyncio
import gc
import logging
import shlex
import signal
import sys

import uvloop

from penstock import __version__
from penstock.app.compose import App
from penstock.app.log import set_up_logging
from penstock.config import Config, config_from_json
from penstock.core.errors import StartupError
from penstock.execution.sandbox.model import Isolation

SWITCH_S = 0.0005
GARBAGE = 10_000
"""New objects between two collections. Python's 700 is a dozen invokes, which leave no cycles behind."""


def main(argv: list[str]) -> int:
    """Run the server described by the JSON in `argv[0]`; returns the exit code."""
    gc.disable()  # until the server is up: nothing made on the way becomes garbage
    config = config_from_json(argv[0])
    set_up_logging(config.log_format)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(config))
    except StartupError as refused:
        sys.stderr.write(f"Penstock cannot start: {refused}\n")
        return 1
    return 0


async def _serve(config: Config) -> None:
    app = App(config)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _on_signal, stop)
    try:
        endpoint = await app.start()
        _settle_interpreter()
        _announce(config, endpoint, app.isolation)
        await stop.wait()
        logging.getLogger("penstock").info("stopping: finishing the requests in hand (again to stop at once)")
    finally:
        await app.stop()


def _settle_interpreter() -> None:
    """Keep the interpreter's own habits out of replies."""
    gc.freeze()  # what start-up made stays for good: no collection looks at it again
    gc.set_threshold(GARBAGE, 20, 20)
    gc.enable()
    # The writer thread and the event loop share one interpreter lock, and the loop gives it up at every poll: at
    # Python's 5 ms a busy writer would hold each reply up by as much.
    sys.setswitchinterval(SWITCH_S)


def _on_signal(stop: asyncio.Event) -> None:
    if stop.is_set():  # the second one: the operator will not wait
        sys.stderr.write("stopped at once\n")
        sys.stderr.flush()
        # Everything accepted is in the store; environments die with this process.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTERM)
    stop.set()


def _announce(config: Config, endpoint: str, isolation: Isolation) -> None:
    speed = f", business time × {config.clock_speed:g}" if config.clock_speed != 1 else ""
    sys.stdout.write(
        f"Penstock {__version__} serves {endpoint}  (data in {config.data}{speed})\n"
        f'Point every AWS tool here:  eval "$(penstock env --data {shlex.quote(str(config.data))})"\n'
        f"Isolation of functions: {isolation.level} ({isolation.words})\n"
        "Stop with Ctrl-C.\n"
    )
    sys.stdout.flush()
    if isolation.warning:
        logging.getLogger("penstock").warning("%s", isolation.warning)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
