"""The tick's decision: the whole life of a deployment, and everything that may end it early, as tables."""

from dataclasses import replace

import pytest

from penstock.registry.model import State
from penstock.release.decide import decide
from penstock.release.model import (
    AlarmRules,
    DeploymentStatus,
    ErrorCode,
    EventName,
    EventStatus,
    RollbackEvent,
    RollbackRules,
    StopRequest,
    Target,
    Weights,
)
from penstock.release.outcome import InvokeHook
from release.samples import ALL_EVENTS, CANARY, alias, deployment, followed, seen, version, world_of

NO_ROLLBACK = RollbackRules()
LINEAR = "CodeDeployDefault.LambdaLinear10PercentEvery1Minute"
AT_ONCE = "CodeDeployDefault.LambdaAllAtOnce"


def event_statuses(current) -> list[str]:
    return [event.status.value for event in current.events]


def reported(current, name: EventName, status: EventStatus):
    return replace(current, events=tuple(replace(e, reported=status) if e.name is name else e for e in current.events))


def begun(**changes):
    """A deployment that has just entered the step that waits first."""
    return followed(deployment(**changes), seen(), 100.0)


def test_a_canary_shifts_once_waits_and_shifts_the_rest() -> None:
    started = begun()
    assert (started.status, started.percent, started.next_shift_at) == (DeploymentStatus.IN_PROGRESS, 10.0, 400.0)
    assert followed(started, world_of(started), 399.9) == started
    done = followed(started, world_of(started), 400.0)
    assert (done.status, done.percent, done.completed_at) == (DeploymentStatus.SUCCEEDED, 100.0, 400.0)
    assert event_statuses(done) == ["Succeeded"] * 3
    assert [(shift.at, shift.percent) for shift in done.shifts] == [(100.0, 10.0), (400.0, 100.0)]


def test_a_linear_plan_writes_every_weight() -> None:
    current, written = deployment(config=LINEAR), []
    now = 0.0
    while current.is_active:
        decision = decide(current, world_of(current), now)
        now = now if decision.changes(current) else now + 1
        current = decision.deployment
        written += [decision.weights] if decision.weights else []
    shares = [round(n / 10, 1) for n in range(1, 10)]
    assert written == [Weights("1", {"2": share}) for share in shares] + [Weights("2")]
    assert now == 9 * 60


def test_all_at_once_needs_no_shared_alias() -> None:
    world = replace(seen(), target=version("2", role="arn:aws:iam::000000000000:role/other"))
    done = followed(deployment(config=AT_ONCE), world, 5.0)
    assert done.status is DeploymentStatus.SUCCEEDED


def test_a_server_that_was_down_does_not_skip_the_watching() -> None:
    """The first tick after a long pause takes one step and then waits its full time."""
    started = begun(config=LINEAR)
    late = followed(started, world_of(started), 100.0 + 86_400)
    assert (late.percent, late.next_shift_at) == (20.0, 100.0 + 86_400 + 60)


def test_a_first_deployment_creates_the_alias_with_everything() -> None:
    first = deployment(target=Target("orders", "live", "2", None))
    world = seen(missing=True)
    start = decide(first, world, 1.0).deployment
    shifting = decide(start, world, 1.0).deployment
    shift = decide(shifting, world, 1.0)
    assert (shift.weights, shift.deployment.percent) == (Weights("2"), 100.0)


@pytest.mark.parametrize("name", [EventName.BEFORE_ALLOW_TRAFFIC, EventName.AFTER_ALLOW_TRAFFIC])
def test_a_hook_is_invoked_until_its_invoke_is_on_record_and_then_awaited(name: EventName) -> None:
    before = name is EventName.BEFORE_ALLOW_TRAFFIC
    waiting = begun(config=AT_ONCE, before="check" if before else None, after=None if before else "check")
    world = world_of(waiting)
    wanted = InvokeHook(waiting.id, name, "check", "x-before" if before else "x-after")
    assert decide(waiting, world, 100.0).effects == (wanted,)
    invoked = replace(waiting, events=tuple(replace(e, invoked=True) if e.name is name else e for e in waiting.events))
    assert decide(invoked, world, 3699.9).effects == ()
    assert followed(reported(invoked, name, EventStatus.SUCCEEDED), world, 3699.9).status is DeploymentStatus.SUCCEEDED


def test_a_throttled_hook_is_tried_again_when_its_time_comes() -> None:
    waiting = begun(before="check")
    throttled = replace(waiting, events=(replace(waiting.events[0], retry_at=115.0), *waiting.events[1:]))
    assert decide(throttled, seen(), 114.9).effects == ()
    assert decide(throttled, seen(), 115.0).effects != ()


HOOK_TROUBLE = {
    "reported Failed": ({"reported": EventStatus.FAILED}, 101.0, ErrorCode.HOOK_FAILED),
    "could not be invoked": ({"broken": "check does not exist"}, 101.0, ErrorCode.HOOK_FAILED),
    "silent for an hour": ({"invoked": True}, 3700.0, ErrorCode.HOOK_TIMED_OUT),
    "throttled for an hour": ({"retry_at": 9999.0}, 3700.0, ErrorCode.HOOK_TIMED_OUT),
    "failed report after a broken invoke": (
        {"reported": EventStatus.FAILED, "broken": "boom"},
        101.0,
        ErrorCode.HOOK_FAILED,
    ),
}


@pytest.mark.parametrize(("trouble", "now", "code"), HOOK_TROUBLE.values(), ids=HOOK_TROUBLE)
@pytest.mark.parametrize("place", ["before", "after"])
def test_a_hook_that_does_not_say_succeeded_fails_the_deployment(place, trouble, now, code) -> None:
    waiting = begun(config=AT_ONCE, **{place: "check"})
    index = 0 if place == "before" else 2
    events = list(waiting.events)
    events[index] = replace(events[index], **trouble)
    decision = decide(replace(waiting, events=tuple(events)), world_of(waiting), now)
    ended = decision.deployment
    assert (ended.status, ended.error.code) == (DeploymentStatus.FAILED, code)
    assert ended.events[index].status is EventStatus.FAILED
    assert event_statuses(ended) == (
        ["Failed", "Skipped", "Skipped"] if place == "before" else ["Succeeded", "Succeeded", "Failed"]
    )
    assert decision.rolls_back
    assert decision.weights == (None if place == "before" else Weights("1"))
    assert ended.percent == 0.0


def test_a_report_of_success_counts_even_when_the_invoke_broke_afterwards() -> None:
    waiting = begun(config=AT_ONCE, before="check")
    event = replace(waiting.events[0], reported=EventStatus.SUCCEEDED, broken="timed out")
    assert followed(replace(waiting, events=(event, *waiting.events[1:])), seen(), 101.0).status is (
        DeploymentStatus.SUCCEEDED
    )


ALARMS = {
    "in alarm": ({"errors": "ALARM"}, False, DeploymentStatus.STOPPED, ErrorCode.ALARM_ACTIVE),
    "one of two in alarm": ({"errors": "OK", "slow": "ALARM"}, False, DeploymentStatus.STOPPED, ErrorCode.ALARM_ACTIVE),
    "no data is not an alarm": ({"errors": "INSUFFICIENT_DATA"}, False, DeploymentStatus.IN_PROGRESS, None),
    "fine": ({"errors": "OK"}, False, DeploymentStatus.IN_PROGRESS, None),
    "does not exist": ({"errors": None}, False, DeploymentStatus.STOPPED, ErrorCode.ALARM_UNREADABLE),
    "does not exist, ignored": ({"errors": None}, True, DeploymentStatus.IN_PROGRESS, None),
    "ignoring one does not ignore the other": (
        {"errors": None, "slow": "ALARM"},
        True,
        DeploymentStatus.STOPPED,
        ErrorCode.ALARM_ACTIVE,
    ),
}


@pytest.mark.parametrize(("states", "ignore", "status", "code"), ALARMS.values(), ids=ALARMS)
def test_alarms_stop_a_running_deployment(states, ignore, status, code) -> None:
    rules = AlarmRules(tuple(states), enabled=True, ignore_unreadable=ignore)
    running = replace(begun(), alarms=rules)
    decision = decide(running, world_of(running, **states), 130.0)
    assert decision.deployment.status is status
    assert (decision.deployment.error.code if decision.deployment.error else None) == code
    if code:
        assert (decision.rolls_back, decision.weights) == (True, Weights("1"))
        named = [name for name, state in states.items() if f"<{name}>" in decision.deployment.error.message]
        culprits = [name for name, state in states.items() if state == "ALARM"]
        assert named == (culprits or list(states))


def test_alarm_rules_that_are_switched_off_do_not_count() -> None:
    running = replace(begun(), alarms=AlarmRules(("errors",), enabled=False))
    assert decide(running, world_of(running, errors="ALARM"), 130.0).deployment == running


def test_alarms_count_while_the_last_hook_runs() -> None:
    waiting = begun(config=AT_ONCE, after="check", alarms=())
    waiting = replace(waiting, alarms=AlarmRules(("errors",), enabled=True))
    decision = decide(waiting, world_of(waiting, errors="ALARM"), 130.0)
    assert (decision.deployment.status, decision.weights) == (DeploymentStatus.STOPPED, Weights("1"))


def test_an_alarm_that_is_in_alarm_at_the_start_stops_it_and_says_so() -> None:
    decision = decide(deployment(alarms=("errors",), before="check"), seen(errors="ALARM"), 7.0)
    ended = decision.deployment
    assert (ended.status, ended.error.code, ended.shifts) == (DeploymentStatus.STOPPED, ErrorCode.ALARM_ACTIVE, ())
    assert "already when the deployment started" in ended.error.message
    assert event_statuses(ended) == ["Skipped"] * 3
    assert (decision.rolls_back, decision.weights, decision.effects) == (True, None, ())


@pytest.mark.parametrize(
    ("moved_to", "words"),
    [
        (alias("2"), "version 2"),
        (alias("3"), "version 3"),
        (alias("1"), "version 1"),
        (alias("1", v2=0.5), "50 % to version 2"),
        (alias("1", v3=0.1), "10 % to version 3"),
        (None, "does not exist"),
    ],
)
@pytest.mark.parametrize("alarm", ["OK", "ALARM"])
@pytest.mark.parametrize("stopped", [None, StopRequest(120.0, "ann", rollback=True)])
def test_someone_elses_move_fails_the_deployment_and_nothing_is_written(moved_to, words, alarm, stopped) -> None:
    running = replace(begun(), alarms=AlarmRules(("errors",), enabled=True), stop=stopped)
    world = replace(seen(moved_to, errors=alarm), alias=moved_to)
    decision = decide(running, world, 130.0)
    ended = decision.deployment
    assert (ended.status, ended.error.code) == (DeploymentStatus.FAILED, ErrorCode.LAMBDA_CONFIGURATION)
    assert words in ended.error.message
    assert "Someone else" in ended.error.message
    assert (decision.weights, decision.rolls_back) == (None, False)
    assert "Not rolled back" in ended.rollback_info.message


def test_editing_the_aliass_description_is_not_a_move() -> None:
    running = begun()
    world = replace(seen(), alias=replace(alias("1", v2=0.1), revision_id="other", description="edited"))
    assert decide(running, world, 130.0).deployment == running


STARTS = {
    "alias missing": ({"missing": True}, {}, "does not exist"),
    "alias elsewhere": ({"current": alias("3")}, {}, "does not match the current version"),
    "alias shared": ({"current": alias("1", v3=0.5)}, {}, "already shared by two versions"),
    "target missing": ({}, {"target": None}, "no published version 2"),
    "target pending": ({}, {"target": version("2", state=State.PENDING)}, "state Pending"),
    "target failed": ({}, {"target": version("2", state=State.FAILED, state_reason="no code")}, "no code"),
    "roles differ": ({}, {"target": version("2", role="arn:aws:iam::000000000000:role/x")}, "execution roles differ"),
    "queues differ": ({}, {"target": version("2", dead_letter_target="arn:q")}, "dead-letter queues differ"),
    "current missing": ({}, {"current": None}, "does not exist any more"),
}


@pytest.mark.parametrize(("world", "changes", "words"), STARTS.values(), ids=STARTS)
def test_what_cannot_start_fails_untouched(world, changes, words) -> None:
    decision = decide(deployment(before="check"), replace(seen(**world), **changes), 1.0)
    ended = decision.deployment
    assert ended.status is DeploymentStatus.FAILED
    assert words in ended.error.message
    assert ended.error.message.startswith("The deployment failed because the AppSpec file")
    assert (decision.weights, decision.rolls_back, decision.effects, ended.started_at) == (None, False, (), None)


@pytest.mark.parametrize(
    ("target", "world", "words"),
    [
        (Target("orders", "live", "1", "1"), seen(), "are the same"),
        (Target("orders", "live", "2", None), seen(), "must name it as CurrentVersion"),
    ],
)
def test_targets_that_make_no_sense_fail(target, world, words) -> None:
    ended = decide(deployment(target=target), world, 1.0).deployment
    assert (ended.status, words in ended.error.message) == (DeploymentStatus.FAILED, True)


STOPS = {
    "asked with rollback": (True, NO_ROLLBACK, True),
    "asked without": (False, ALL_EVENTS, False),
    "not said, group rolls back": (None, ALL_EVENTS, True),
    "not said, group does not": (None, NO_ROLLBACK, False),
    "not said, group only on alarm": (None, RollbackRules(enabled=True, events=(RollbackEvent.ALARM,)), False),
    "not said, group's rules are off": (None, RollbackRules(enabled=False, events=tuple(RollbackEvent)), False),
}


@pytest.mark.parametrize(("asked", "rules", "rolls_back"), STOPS.values(), ids=STOPS)
def test_stop_requests(asked, rules, rolls_back) -> None:
    running = replace(begun(rollback=rules), stop=StopRequest(120.0, "ann", asked))
    decision = decide(running, world_of(running), 120.0)
    ended = decision.deployment
    assert (ended.status, ended.error.code) == (DeploymentStatus.STOPPED, ErrorCode.MANUAL_STOP)
    assert decision.rolls_back is rolls_back
    assert decision.weights == (Weights("1") if rolls_back else None)
    assert ended.percent == (0.0 if rolls_back else 10.0)
    assert ("stays at version 1 with 10 % to version 2" in ended.error.message) is not rolls_back


@pytest.mark.parametrize(
    ("event", "rules", "rolls_back"),
    [
        (RollbackEvent.FAILURE, (RollbackEvent.FAILURE,), True),
        (RollbackEvent.FAILURE, (RollbackEvent.ALARM,), False),
        (RollbackEvent.ALARM, (RollbackEvent.ALARM,), True),
        (RollbackEvent.ALARM, (RollbackEvent.FAILURE, RollbackEvent.REQUEST), False),
    ],
)
def test_only_the_chosen_events_roll_back(event, rules, rolls_back) -> None:
    chosen = RollbackRules(enabled=True, events=rules)
    if event is RollbackEvent.ALARM:
        running = replace(begun(rollback=chosen), alarms=AlarmRules(("errors",), enabled=True))
        decision = decide(running, world_of(running, errors="ALARM"), 101.0)
    else:
        waiting = begun(config=AT_ONCE, after="check", rollback=chosen)
        failed = reported(waiting, EventName.AFTER_ALLOW_TRAFFIC, EventStatus.FAILED)
        decision = decide(failed, world_of(waiting), 101.0)
    assert (decision.rolls_back, decision.weights is not None) == (rolls_back, rolls_back)


def test_a_first_deployment_cannot_be_rolled_back_and_says_so() -> None:
    first = deployment(target=Target("orders", "live", "2", None), after="check", config=AT_ONCE)
    waiting = followed(first, seen(missing=True), 1.0)
    failed = reported(waiting, EventName.AFTER_ALLOW_TRAFFIC, EventStatus.FAILED)
    decision = decide(failed, seen(alias("2")), 2.0)
    assert (decision.rolls_back, decision.weights) == (False, None)
    assert "no earlier version" in decision.deployment.rollback_info.message


def test_no_rollback_to_a_version_that_was_deleted() -> None:
    waiting = begun(config=AT_ONCE, after="check")
    failed = reported(waiting, EventName.AFTER_ALLOW_TRAFFIC, EventStatus.FAILED)
    decision = decide(failed, replace(world_of(waiting), current=None), 101.0)
    assert (decision.deployment.status, decision.rolls_back) == (DeploymentStatus.FAILED, False)
    assert "version 1 was deleted" in decision.deployment.rollback_info.message


def test_a_target_that_is_deleted_before_the_shift_fails_the_deployment() -> None:
    waiting = begun(before="check")
    decision = decide(waiting, replace(seen(), target=None), 101.0)
    assert (decision.deployment.status, decision.weights) == (DeploymentStatus.FAILED, None)
    assert decision.deployment.error.code is ErrorCode.LAMBDA_FUNCTION


@pytest.mark.parametrize("status", [DeploymentStatus.SUCCEEDED, DeploymentStatus.FAILED, DeploymentStatus.STOPPED])
def test_nothing_moves_a_finished_deployment(status) -> None:
    ended = replace(deployment(config=CANARY), status=status, stop=StopRequest(1.0, "ann", rollback=True))
    decision = decide(ended, seen(alias("7"), errors="ALARM"), 9e9)
    assert (decision.deployment, decision.weights, decision.effects) == (ended, None, ())
