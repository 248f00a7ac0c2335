"""`penstock up`: reads the options into one `Config` and becomes the server.

Rule: the process replaces itself, so that signals, the exit code and the terminal are the server's own.
"""

import ipaddress
import os
import re
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from penstock.cli.failure import CommandError
from penstock.cli.options import Data
from penstock.cli.screen import note
from penstock.config import Config, config_to_json
from penstock.core.serverfile import read_server_file

DEFAULTS = Config(data=Path())
ACCOUNT = re.compile(r"\d{12}")
REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}")
EXPOSURE = """\
  Whoever holds its key can run code here, and requests travel as plain HTTP.
  Keep it on a private network or put TLS in front of it. To stay local: --host 127.0.0.1"""


class LogFormat(StrEnum):
    """How the server writes its own log."""

    TEXT = "text"
    JSON = "json"


class IsolationDemand(StrEnum):
    """How strongly functions are kept apart."""

    AUTO = "auto"
    REQUIRED = "required"
    PROCESS = "process"


def check_account(text: str) -> str:
    """Twelve digits, as in every ARN."""
    if not ACCOUNT.fullmatch(text):
        raise typer.BadParameter("an account is 12 digits, e.g. 000000000000.")
    return text


def check_region(text: str) -> str:
    """A region's form; which one it is makes no difference to the server."""
    if not REGION.fullmatch(text):
        raise typer.BadParameter("a region reads like us-east-1 or eu-central-1.")
    return text


def check_speed(speed: float) -> float:
    """Positive and finite."""
    if not 0 < speed <= 100_000:
        raise typer.BadParameter("business time runs more than 0 and at most 100000 times as fast as real time.")
    return speed


def up(  # noqa: PLR0913 - one parameter for each option
    *,
    data: Data,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = DEFAULTS.host,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = DEFAULTS.port,
    region: Annotated[
        str, typer.Option(callback=check_region, help="Region of requests that name none, and of `penstock env`.")
    ] = DEFAULTS.region,
    account: Annotated[
        str, typer.Option(callback=check_account, help="Account number; fixed at the directory's first start.")
    ] = DEFAULTS.account,
    clock_speed: Annotated[
        float,
        typer.Option(
            "--clock-speed",
            callback=check_speed,
            metavar="N",
            help="Run business time (release steps, alarm periods, retries) N times faster. "
            "Handler durations and timeouts stay real.",
        ),
    ] = DEFAULTS.clock_speed,
    strict_runtimes: Annotated[
        bool,
        typer.Option(
            "--strict-runtimes",
            help="Refuse functions whose exact Python is not on this machine, instead of using the nearest.",
        ),
    ] = DEFAULTS.strict_runtimes,
    isolation: Annotated[
        IsolationDemand,
        typer.Option(
            help="Of functions from the machine and from each other: the strongest this machine allows (auto), full "
            "or no start (required), bare processes for code you trust (process)."
        ),
    ] = IsolationDemand.AUTO,
    account_concurrency: Annotated[
        int, typer.Option(min=1, help="Most invocations at the same time, over all functions.")
    ] = DEFAULTS.account_concurrency,
    idle_environment: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="Real seconds until an idle environment is ended.")
    ] = DEFAULTS.idle_environment_s,
    log_format: Annotated[LogFormat, typer.Option(help="The server's own log.")] = LogFormat.TEXT,
    access_log: Annotated[bool, typer.Option("--access-log", help="Log every request.")] = DEFAULTS.access_log,
) -> None:
    """Start the server and stay in the foreground.

    The first start creates the data directory, an account and its key. Ctrl-C or SIGTERM lets running work finish,
    then stops.

    Examples:
      penstock up                                  http://127.0.0.1:4566
      penstock up --data ./state --port 0          a directory and port of its own
      penstock up --clock-speed 60                 rehearse an hour's canary in a minute
    """
    config = Config(
        data=data.expanduser().absolute(),
        host=host,
        port=port,
        region=region,
        account=account,
        clock_speed=clock_speed,
        strict_runtimes=strict_runtimes,
        isolation=isolation.value,
        account_concurrency=account_concurrency,
        idle_environment_s=idle_environment,
        interpreters_path=os.environ.get("PATH", os.defpath),
        log_format=log_format.value,
        access_log=access_log,
    )
    refuse_second_server(config.data)
    if not is_loopback(host):
        note(f"WARNING: listening on {host}: other machines can reach this server.", colour="red")
        note(EXPOSURE)
    become_server(config)


def refuse_second_server(data: Path) -> None:
    """A friendly word early; what really decides is the lock that the server takes."""
    if running := read_server_file(data):
        raise CommandError(
            f"a server already runs on {data}: process {running.pid} at {running.endpoint}. Stop it first "
            f"(kill {running.pid}), or give this one a directory of its own with --data DIR."
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`. A name other than localhost may mean anything: not counted."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def become_server(config: Config) -> None:
    """Replace this process. `-P`: a file `json.py` where the person happens to stand must not become part of us."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(  # noqa: S606 - our own interpreter, no shell
        sys.executable, [sys.executable, "-P", "-m", "penstock.app", config_to_json(config)]
    )
