"""The demo, chapter by chapter, and its verdict. Rule: it succeeds only when everything it tells truly happened."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from penstock.cli.demo.application import ALARM, CONFIGURATION, Application
from penstock.cli.demo.screen import Screen, clock_time
from penstock.cli.demo.server import DemoServer
from penstock.cli.demo.traffic import Answer, Traffic

SPEED = 30.0
PER_SECOND = 40.0
FINISHED = {"Succeeded", "Failed", "Stopped"}
DEPLOYMENT_WITHIN_S = 60.0
LOOK_EVERY_S = 1.0
MINUTE_S = 60.0


class DemoFailedError(Exception):
    """Something the demo promises did not happen; the message says what."""


@dataclass(frozen=True, slots=True)
class BadRelease:
    """What became of version 3."""

    version: str
    safe_version: str
    deployment: dict[str, Any]
    rollback: dict[str, Any]
    alarm_at: float


def tell(server: DemoServer, screen: Screen, timeline: Callable[[], None]) -> None:
    """Run the whole story; raises `DemoFailedError` when it does not end as told."""
    application = Application(server.client("lambda"), server.client("codedeploy"), server.client("cloudwatch"))
    screen.chapter(1, "Version 1 of the order service goes live")
    application.create()
    screen.say(f"function orders, alias live → version 1, alarm {ALARM}, business time × {SPEED:g}")
    traffic = Traffic(server.client("lambda", 16), "orders:live", PER_SECOND, server.business_now, SPEED)
    traffic.start()
    try:
        _wait(lambda: len(traffic.answers()) >= PER_SECOND, 30.0, "traffic did not start to flow")
        screen.say(f"{PER_SECOND:g} orders a second through orders:live")
        _healthy_release(application, server, screen, traffic)
        bad = _bad_release(application, server, screen, traffic)
        recovered_at = server.business_now()
        _watch_recovery(screen, traffic, recovered_at, bad.safe_version)
    finally:
        traffic.stop()
    screen.chapter(4, "The timeline: what changed, when and why")
    timeline()
    _report(screen, traffic.answers(), bad)


def _healthy_release(application: Application, server: DemoServer, screen: Screen, traffic: Traffic) -> None:
    screen.chapter(2, f"Version 2, a bulk discount, by {CONFIGURATION.removeprefix('CodeDeployDefault.')}")
    version = application.publish("v2", "bulk discount")
    deployment = application.release(version, "bulk discount for ten of a kind")
    ended = _follow(application, server, screen, traffic, deployment)
    _demand(ended["status"] == "Succeeded", f"the healthy release ended {ended['status']}: {ended}")
    _demand(application.weights() == {version: 1.0}, f"orders:live is at {application.weights()}, not at v{version}")
    screen.say(f"[green]✓[/green] healthy: orders:live is at version {version}, 100 %")


def _bad_release(application: Application, server: DemoServer, screen: Screen, traffic: Traffic) -> BadRelease:
    screen.chapter(3, "Version 3, taxes: its smoke test passes, three orders in ten will fail")
    safe = application.live_version()
    version = application.publish("v3", "taxes")
    ended = _follow(application, server, screen, traffic, application.release(version, "taxes on every order"))
    _demand(ended["status"] in {"Stopped", "Failed"}, f"the bad release ended {ended['status']}")
    rollback_id = ended.get("rollbackInfo", {}).get("rollbackDeploymentId")
    _demand(bool(rollback_id), "no rollback deployment was recorded")
    rollback = _settled(application, str(rollback_id))
    _demand(rollback["status"] == "Succeeded", f"the rollback ended {rollback['status']}")
    _demand(application.weights() == {safe: 1.0}, f"orders:live is at {application.weights()}, not back at v{safe}")
    message = ended.get("errorInformation", {}).get("message", "")
    screen.say(f"[red]✗[/red] stopped: {message}")
    screen.say(f"[green]✓[/green] taken back by deployment {rollback_id}: orders:live is at version {safe}, 100 %")
    return BadRelease(version, safe, ended, rollback, _alarm_time(application, ended["createTime"].timestamp()))


def _follow(
    application: Application, server: DemoServer, screen: Screen, traffic: Traffic, deployment_id: str
) -> dict[str, Any]:
    deadline = time.monotonic() + DEPLOYMENT_WITHIN_S  # noqa: TID251 - a client's stopwatch
    while True:
        information = application.deployment(deployment_id)
        now = server.business_now()
        recent = traffic.answers(now - MINUTE_S)
        failed = sum(1 for answer in recent if answer.error)
        alarm = str(application.alarm()["StateValue"])
        screen.tick(now, application.weights(), (failed, len(recent)), alarm, information["status"])
        if information["status"] in FINISHED:
            return information
        if time.monotonic() > deadline:  # noqa: TID251
            raise DemoFailedError(f"deployment {deployment_id} did not end: {information}")
        threading.Event().wait(LOOK_EVERY_S)


def _settled(application: Application, deployment_id: str) -> dict[str, Any]:
    _wait(
        lambda: application.deployment(deployment_id)["status"] in FINISHED, 30.0, f"deployment {deployment_id} hangs"
    )
    return application.deployment(deployment_id)


def _watch_recovery(screen: Screen, traffic: Traffic, since: float, safe_version: str) -> None:
    _wait(lambda: len(traffic.answers(since)) >= PER_SECOND * 2, 30.0, "traffic stopped after the rollback")
    # Requests in flight while the alias moved may still have been started on the bad version.
    later = traffic.answers(since + MINUTE_S / 4)
    _demand(all(a.version == safe_version and not a.error for a in later), "errors went on after the rollback")
    screen.say(f"[green]✓[/green] {len(later)} orders since: none failed, all by version {safe_version}")


def _alarm_time(application: Application, since: float) -> float:
    history = application.alarms.describe_alarm_history(AlarmName=ALARM, HistoryItemType="StateUpdate")
    times = [
        item["Timestamp"].timestamp() for item in history["AlarmHistoryItems"] if "to ALARM" in item["HistorySummary"]
    ]
    times = [at for at in times if at >= since]
    _demand(bool(times), "the alarm's history has no change to ALARM")
    return float(min(times))


def _report(screen: Screen, answers: list[Answer], bad: BadRelease) -> None:
    platform = [answer for answer in answers if answer.version is None]
    _demand(not platform, f"{len(platform)} requests failed outside the function: {platform[:1]}")
    served = [answer for answer in answers if answer.version == bad.version]
    failed = [answer for answer in served if answer.error]
    _demand(bool(failed), "the bad version never failed, so nothing was proven")
    elsewhere = [answer for answer in answers if answer.error and answer.version != bad.version]
    _demand(not elsewhere, f"{len(elsewhere)} errors came from other versions")
    first_at = min(answer.at for answer in failed)
    rolled_back_at = bad.rollback["completeTime"].timestamp()
    rows = [
        ("requests in all", f"{len(answers)}"),
        (f"served by the bad version {bad.version}", f"{len(served)}  ({100 * len(served) / len(answers):.1f} %)"),
        ("of these failed", f"{len(failed)}  ({100 * len(failed) / len(answers):.2f} % of all)"),
        ("errors from Penstock itself", "0"),
        ("first bad response", clock_time(first_at)),
        ("→ alarm", f"{clock_time(bad.alarm_at)}  after {bad.alarm_at - first_at:.0f} business seconds"),
        ("→ all traffic back", f"{clock_time(rolled_back_at)}  after {rolled_back_at - first_at:.0f} business seconds"),
    ]
    screen.facts("Blast radius", rows)


def _wait(condition: Callable[[], bool], seconds: float, otherwise: str) -> None:
    deadline = time.monotonic() + seconds  # noqa: TID251
    while not condition():
        if time.monotonic() > deadline:  # noqa: TID251
            raise DemoFailedError(otherwise)
        threading.Event().wait(0.1)


def _demand(truth: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as an assertion
    if not truth:
        raise DemoFailedError(otherwise)
