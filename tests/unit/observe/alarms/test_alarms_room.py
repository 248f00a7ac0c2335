"""Alarms from outside: written through the operations, evaluated by the loop in business time."""

import asyncio
import json

import pytest

from penstock.core.bus import Bus
from penstock.core.context import ANONYMOUS, RequestContext
from penstock.core.errors import ApiError
from penstock.observe.alarms.model import AlarmState, AlarmStateChanged
from penstock.observe.alarms.room import Alarms
from penstock.observe.alarms.states import read_states
from penstock.observe.metrics.room import Metrics

OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"
DIMENSIONS = [{"Name": "FunctionName", "Value": "orders"}, {"Name": "Resource", "Value": "orders:live"}]
TOPIC = "arn:aws:sns:us-east-1:000000000000:page"
PREFIX = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:"


class World:
    """Metrics and alarms on one store, a listener on the bus, and the operations."""

    def __init__(self, store, clock, scope):
        self.store, self.clock, self.scope = store, clock, scope
        self.bus, self.facts = Bus(), []
        self.bus.subscribe(AlarmStateChanged, self.facts.append)
        self.metrics = Metrics(store=store, clock=clock)
        self.alarms = Alarms(store=store, clock=clock, bus=self.bus, fetch=self.metrics.periods)

    async def __call__(self, operation: str, **params):
        context = RequestContext("r", self.scope, ANONYMOUS, "cloudwatch", operation, self.clock.now())
        return await self.alarms.operations()["cloudwatch"][operation](context, params)

    async def put(self, name: str = "errors", **more):
        given = {
            "AlarmName": name,
            "Namespace": "AWS/Lambda",
            "MetricName": "Errors",
            "Dimensions": DIMENSIONS,
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            **more,
        }
        await self("PutMetricAlarm", **{name: value for name, value in given.items() if value is not None})

    async def composite(self, name: str, rule: str, **more):
        await self("PutCompositeAlarm", AlarmName=name, AlarmRule=rule, **more)

    def errors(self, count: int = 1, metric: str = "Errors") -> None:
        for _ in range(count):
            self.metrics.record(self.scope, "AWS/Lambda", metric, DIMS, 1.0, "Count", self.clock.now())

    async def state(self, name: str = "errors") -> str:
        found = await self("DescribeAlarms", AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        return (found["MetricAlarms"] + found["CompositeAlarms"])[0]["StateValue"]

    async def pass_(self, seconds: float) -> None:
        self.clock.move(seconds)
        await self.alarms.evaluate_all()


DIMS = tuple((pair["Name"], pair["Value"]) for pair in DIMENSIONS)


@pytest.fixture
def world(store, clock, scope):
    return World(store, clock, scope)


def run(scenario) -> object:
    return asyncio.run(scenario())


def test_a_bad_minute_alarms_when_it_is_over_and_a_good_one_clears_it(world) -> None:
    async def scenario():
        await world.put()
        await world.alarms.evaluate_all()
        seen = [await world.state()]
        world.errors(3)
        await world.pass_(50)
        seen.append(await world.state())
        await world.pass_(11)
        seen.append(await world.state())
        world.metrics.record(world.scope, "AWS/Lambda", "Errors", DIMS, 0.0, "Count", world.clock.now())
        await world.pass_(60)
        seen.append(await world.state())
        return seen

    assert run(scenario) == [OK, OK, ALARM, OK]
    assert [(fact.old, fact.new) for fact in world.facts] == [(INSUFFICIENT, OK), (OK, ALARM), (ALARM, OK)]
    assert world.facts[1].arn == PREFIX + "errors"
    assert "3.0" in world.facts[1].reason


def test_the_loop_evaluates_by_itself_in_business_time(world) -> None:
    async def scenario():
        world.alarms.start_at = world.clock.now()
        await world.alarms.start()
        await world.put()
        world.errors()
        for _ in range(50):
            await world.clock.advance(2)
            await asyncio.sleep(0.01)  # the store answers from its own threads
            if ALARM in [fact.new for fact in world.facts]:
                break
        await world.alarms.stop()
        return world.facts[-1].at - world.alarms.start_at

    assert 60 <= run(scenario) <= 75


def test_samples_published_late_are_noticed_within_the_minute(world) -> None:
    async def scenario():
        await world.put()
        await world.pass_(61)
        before = await world.state()
        world.metrics.record(world.scope, "AWS/Lambda", "Errors", DIMS, 1.0, "Count", world.clock.now() - 30)
        await world.pass_(10)
        return before, await world.state()

    assert run(scenario) == (OK, ALARM)


def test_state_history_and_timestamps_tell_one_story(world) -> None:
    async def scenario():
        await world.put(AlarmActions=[TOPIC], OKActions=[TOPIC])
        created = world.clock.now()
        world.errors()
        await world.pass_(61)
        alarm = (await world("DescribeAlarms"))["MetricAlarms"][0]
        await world.put(AlarmActions=[TOPIC], Threshold=2.0)
        after = (await world("DescribeAlarms"))["MetricAlarms"][0]
        history = (await world("DescribeAlarmHistory", AlarmName="errors"))["AlarmHistoryItems"]
        oldest = await world("DescribeAlarmHistory", AlarmName="errors", ScanBy="TimestampAscending", MaxRecords=1)
        rest = await world(
            "DescribeAlarmHistory", AlarmName="errors", ScanBy="TimestampAscending", NextToken=oldest["NextToken"]
        )
        moves = await world("DescribeAlarmHistory", HistoryItemType="StateUpdate", StartDate=created + 1)
        return created, alarm, after, history, oldest["AlarmHistoryItems"] + rest["AlarmHistoryItems"], moves

    created, alarm, after, history, ascending, moves = run(scenario)
    assert alarm["StateTransitionedTimestamp"] == alarm["StateUpdatedTimestamp"] == created + 61
    assert alarm["AlarmConfigurationUpdatedTimestamp"] == created
    assert alarm["StateReason"].startswith("Threshold Crossed: 1 datapoint [1.0 (")
    assert json.loads(alarm["StateReasonData"])["recentDatapoints"] == [1.0]
    assert (after["StateValue"], after["StateUpdatedTimestamp"], after["Threshold"]) == (ALARM, created + 61, 2.0)
    assert [item["HistorySummary"] for item in history] == [
        'Alarm "errors" updated',
        f"Did not execute action {TOPIC}: Penstock does not deliver alarm actions yet",
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        'Alarm "errors" created',
    ]
    assert ascending == history[::-1]
    assert [item["HistorySummary"] for item in moves["AlarmHistoryItems"]] == [history[2]["HistorySummary"]]
    data = json.loads(history[2]["HistoryData"])
    assert (data["oldState"]["stateValue"], data["newState"]["stateValue"]) == (INSUFFICIENT, ALARM)


def test_set_by_hand_stands_until_the_next_period_closes(world) -> None:
    async def scenario():
        await world.put()
        await world.alarms.evaluate_all()
        await world(
            "SetAlarmState", AlarmName="errors", StateValue=ALARM, StateReason="drill", StateReasonData='{"a": 1}'
        )
        alarm = (await world("DescribeAlarms"))["MetricAlarms"][0]
        await world.pass_(30)
        during = await world.state()
        await world.pass_(31)
        return alarm["StateReason"], alarm["StateReasonData"], during, await world.state()

    assert run(scenario) == ("drill", '{"a": 1}', ALARM, OK)
    assert [(fact.old, fact.new) for fact in world.facts] == [(INSUFFICIENT, OK), (OK, ALARM), (ALARM, OK)]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"AlarmName": "errors", "StateReasonData": "{"}, "InvalidFormat"),
        ({"AlarmName": "nobody"}, "ResourceNotFound"),
    ],
)
def test_set_by_hand_refused(world, params, code) -> None:
    async def scenario():
        await world.put()
        await world("SetAlarmState", StateValue=ALARM, StateReason="x", **params)

    with pytest.raises(ApiError) as caught:
        run(scenario)
    assert caught.value.code == code


def test_a_stale_decision_does_not_undo_a_newer_write(world) -> None:
    async def scenario():
        await world.put()
        world.errors()
        world.clock.move(61)
        real = world.metrics.periods

        async def slow(query):
            found = await real(query)
            await world.put(Threshold=100.0)  # someone reconfigures while we decide
            return found

        world.alarms._evaluator._fetch = slow
        await world.alarms.evaluate_all()
        stale = await world.state()
        world.alarms._evaluator._fetch = real
        await world.alarms.evaluate_all()
        return stale, await world.state()

    assert run(scenario) == (INSUFFICIENT, OK)


def test_states_for_other_rooms_are_committed_ones_and_none_when_absent(world) -> None:
    async def scenario():
        await world.put("one")
        await world.put("two")
        world.errors()
        world.clock.move(61)
        now = await world.alarms.evaluate_now(world.scope, ["one", "nobody"])
        read = await world.store.read(lambda c: read_states(c, world.scope, ["one", "two", "nobody"]))
        return now, read

    now, read = run(scenario)
    assert now == {"one": AlarmState.ALARM, "nobody": None}
    assert read == {"one": AlarmState.ALARM, "two": AlarmState.INSUFFICIENT_DATA, "nobody": None}


def test_an_alarm_on_metric_math_percentiles_and_long_periods(world) -> None:
    rate = [
        {"Id": "rate", "Expression": "100 * errors / FILL(calls, 1)", "ReturnData": True},
        metric("errors", "Errors"),
        metric("calls", "Invocations"),
    ]
    one = {"Namespace": None, "MetricName": None, "Dimensions": None, "Statistic": None, "Period": None}

    async def scenario():
        await world.put("rate", Metrics=rate, **one, Threshold=20.0)
        await world.put("slow", MetricName="Duration", Statistic=None, ExtendedStatistic="p90", Threshold=500.0)
        await world.put("five", Period=300, Threshold=6.0)
        for call in range(10):
            world.errors(metric="Invocations")
            if call < 3:
                world.errors()
            world.metrics.record(
                world.scope, "AWS/Lambda", "Duration", DIMS, 100.0 * call, "Milliseconds", world.clock.now()
            )
        await world.pass_(61)
        seen = [await world.state(name) for name in ("rate", "slow", "five")]
        world.errors(3)
        await world.pass_(60)
        seen.append(await world.state("five"))
        shown = (await world("DescribeAlarms", AlarmNames=["rate"]))["MetricAlarms"][0]
        return seen, shown

    seen, shown = run(scenario)
    assert seen == [ALARM, ALARM, OK, ALARM]
    assert shown["Metrics"] == rate
    assert "30.0" in shown["StateReason"]
    assert "Period" not in shown


def metric(query_id: str, name: str) -> dict:
    stat = {
        "Metric": {"Namespace": "AWS/Lambda", "MetricName": name, "Dimensions": DIMENSIONS},
        "Period": 60,
        "Stat": "Sum",
    }
    return {"Id": query_id, "MetricStat": stat, "ReturnData": False}


def test_a_ten_second_alarm_on_high_resolution_data(world) -> None:
    async def scenario():
        await world.put(Period=10, EvaluationPeriods=2)
        for second in range(20):
            cell = world.metrics._memory.cell(
                (world.scope, "AWS/Lambda", "Errors", DIMS), "Count", world.clock.now() + second, 1
            )
            cell.add(1.0)
        await world.pass_(10)
        half = await world.state()
        await world.pass_(10)
        return half, await world.state()

    assert run(scenario) == (OK, ALARM)


def test_composites_follow_their_children_and_nest(world) -> None:
    async def scenario():
        await world.put("a")
        await world.put("b", MetricName="Throttles")
        await world.composite("both", "ALARM(a) AND ALARM(b)")
        await world.composite("any", f'ALARM(a) OR OK("{PREFIX}both")', AlarmActions=[TOPIC])
        await world.composite("top", "NOT ALARM(any)")
        await world.alarms.evaluate_all()
        first = [await world.state(name) for name in ("both", "any", "top")]
        world.errors()
        world.errors(metric="Throttles")
        await world.pass_(61)
        second = [await world.state(name) for name in ("both", "any", "top")]
        found = (await world("DescribeAlarms", AlarmTypes=["CompositeAlarm"]))["CompositeAlarms"]
        return first, second, {alarm["AlarmName"]: alarm for alarm in found}

    first, second, shown = run(scenario)
    assert first == [OK, ALARM, OK]
    assert second == [ALARM, ALARM, OK]
    assert shown["any"]["AlarmRule"].startswith("ALARM(a) OR")
    assert shown["both"]["StateReason"].startswith(f"{PREFIX}a transitioned to ALARM at ")
    assert shown["both"]["StateReason"].endswith(" UTC")
    assert json.loads(shown["both"]["StateReasonData"])["triggeringAlarms"][0]["state"]["value"] == ALARM
    assert [fact.new for fact in world.facts if fact.name == "top"] == [OK], "a parent saw a child that was not done"
    assert shown["top"]["StateReason"] == f"{PREFIX}top was created and its alarm rule evaluates to OK"


def test_a_composite_set_by_hand_stands_until_a_child_moves(world) -> None:
    async def scenario():
        await world.put("a")
        await world.composite("c", "ALARM(a)")
        await world.alarms.evaluate_all()
        world.clock.move(1)
        await world("SetAlarmState", AlarmName="c", StateValue=INSUFFICIENT, StateReason="drill")
        await world.pass_(600)
        during = await world.state("c")
        world.errors()
        await world.pass_(61)
        return during, await world.state("c")

    assert run(scenario) == (INSUFFICIENT, ALARM)


@pytest.mark.parametrize(
    ("rule", "more", "words"),
    [
        ("ALARM(nobody)", {}, "no alarm is named nobody"),
        ("ALARM(c)", {}, "would depend on itself"),
        ("ALARM(d)", {}, "would depend on itself"),
        ("ALARM(", {}, "AlarmRule is invalid"),
        ("ALARM(a)", {"ActionsSuppressor": "a"}, "go together"),
        (
            "ALARM(a)",
            {"ActionsSuppressor": "nobody", "ActionsSuppressorWaitPeriod": 1, "ActionsSuppressorExtensionPeriod": 1},
            "nobody",
        ),
        ("ALARM(a)", {"AlarmActions": ["page me"]}, "Invalid arn syntax: page me"),
    ],
)
def test_composites_refused(world, rule, more, words) -> None:
    async def scenario():
        await world.put("a")
        await world.composite("c", "ALARM(a)")
        await world.composite("d", "OK(c)")
        with pytest.raises(ApiError) as caught:
            await world.composite("c", rule, **more)
        shown = (await world("DescribeAlarms", AlarmNames=["c"], AlarmTypes=["CompositeAlarm"]))["CompositeAlarms"][0]
        return caught.value, shown["AlarmRule"]

    error, kept = run(scenario)
    assert error.code == "ValidationError"
    assert words in error.message
    assert kept == "ALARM(a)"


def test_deleting_spares_what_composites_need(world) -> None:
    async def scenario():
        await world.put("a")
        await world.put("b")
        await world.put("s")
        suppressor = {
            "ActionsSuppressor": "s",
            "ActionsSuppressorWaitPeriod": 10,
            "ActionsSuppressorExtensionPeriod": 20,
        }
        await world.composite("c", "ALARM(a)", **suppressor)
        await world.composite("d", "FALSE")
        refusals = []
        for names in (["a", "b"], ["s"], ["c", "d"], ["nobody"]):
            with pytest.raises(ApiError) as caught:
                await world("DeleteAlarms", AlarmNames=names)
            refusals.append((caught.value.code, caught.value.message[:23]))
        everything = {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}
        before = await world("DescribeAlarms", **everything)
        await world("DeleteAlarms", AlarmNames=["a", "c", "nobody"])
        after = await world("DescribeAlarms", **everything)
        history = await world("DescribeAlarmHistory", AlarmName="a")
        return refusals, names_of(before), names_of(after), history["AlarmHistoryItems"][0]["HistorySummary"]

    refusals, before, after, last = run(scenario)
    assert refusals == [
        ("ValidationError", f"Cannot delete {PREFIX}"[:23]),
        ("ValidationError", f"Cannot delete {PREFIX}"[:23]),
        ("ValidationError", "At most one composite a"),
        ("ResourceNotFound", "No alarm is named nobod"),
    ]
    assert before == ["a", "b", "s", "c", "d"]
    assert after == ["b", "s", "d"]
    assert last == 'Alarm "a" deleted'


def names_of(found) -> list[str]:
    return [alarm["AlarmName"] for alarm in [*found["MetricAlarms"], *found["CompositeAlarms"]]]


def test_describe_filters_and_pages(world) -> None:
    async def scenario():
        for number in range(7):
            await world.put(f"shop-{number}", AlarmActions=[TOPIC] if number == 3 else [])
        await world.put("other", MetricName="Throttles", Statistic=None, ExtendedStatistic="p99")
        await world.composite("shop-all", "ALARM(shop-1) OR ALARM(shop-2)")
        await world("SetAlarmState", AlarmName="shop-5", StateValue=ALARM, StateReason="x")
        pages, token = [], None
        while not pages or token:
            found = await world(
                "DescribeAlarms", MaxRecords=3, AlarmNamePrefix="shop", **({"NextToken": token} if token else {})
            )
            pages.append(names_of(found))
            token = found["NextToken"]
        filters = [
            {},
            {"AlarmTypes": ["CompositeAlarm"]},
            {"StateValue": ALARM},
            {"ActionPrefix": "arn:aws:sns"},
            {"AlarmNames": ["shop-2", "nobody", "shop-all"]},
            {"ChildrenOfAlarmName": "shop-all"},
            {"ParentsOfAlarmName": "shop-1"},
        ]
        found = [names_of(await world("DescribeAlarms", **one)) for one in filters]
        base = {"Namespace": "AWS/Lambda", "MetricName": "Throttles", "Dimensions": DIMENSIONS}
        for_metric = [
            names_of({**await world("DescribeAlarmsForMetric", **{**base, **more}), "CompositeAlarms": []})
            for more in ({}, {"ExtendedStatistic": "p99"}, {"Statistic": "Sum"}, {"Period": 300}, {"Dimensions": []})
        ]
        return pages, found, for_metric

    pages, found, for_metric = run(scenario)
    shops = [f"shop-{number}" for number in range(7)]
    assert pages == [shops[:3], shops[3:6], shops[6:]]
    assert found == [
        ["other", *shops],
        ["shop-all"],
        ["shop-5"],
        ["shop-3"],
        ["shop-2"],
        ["shop-1", "shop-2"],
        ["shop-all"],
    ]
    assert for_metric == [["other"], ["other"], [], [], []]


@pytest.mark.parametrize(
    ("operation", "params", "code"),
    [
        ("DescribeAlarms", {"AlarmNames": ["a"], "AlarmNamePrefix": "b"}, "InvalidParameterCombination"),
        ("DescribeAlarms", {"ChildrenOfAlarmName": "a", "StateValue": "OK"}, "ValidationError"),
        ("DescribeAlarms", {"NextToken": "_w"}, "InvalidNextToken"),
        ("DescribeAlarmHistory", {"NextToken": "_w"}, "InvalidNextToken"),
        ("ListTagsForResource", {"ResourceARN": "nonsense"}, "InvalidParameterValue"),
        ("ListTagsForResource", {"ResourceARN": PREFIX + "nobody"}, "ResourceNotFoundException"),
        (
            "TagResource",
            {"ResourceARN": PREFIX.replace("us-east-1", "eu-west-1") + "a", "Tags": []},
            "ResourceNotFoundException",
        ),
        ("UntagResource", {"ResourceARN": PREFIX + "nobody", "TagKeys": []}, "ResourceNotFoundException"),
    ],
)
def test_refused_reads(world, operation, params, code) -> None:
    async def scenario():
        await world(operation, **params)

    with pytest.raises(ApiError) as caught:
        run(scenario)
    assert caught.value.code == code


def test_actions_are_switched_and_tags_kept(world) -> None:
    async def scenario():
        arn = PREFIX + "errors"
        await world.put(Tags=[{"Key": "team", "Value": "shop"}], AlarmActions=[TOPIC])
        await world("DisableAlarmActions", AlarmNames=["errors", "nobody"])
        off = (await world("DescribeAlarms"))["MetricAlarms"][0]["ActionsEnabled"]
        await world("SetAlarmState", AlarmName="errors", StateValue=ALARM, StateReason="x")
        history = (await world("DescribeAlarmHistory", HistoryItemType="Action"))["AlarmHistoryItems"]
        await world("EnableAlarmActions", AlarmNames=["errors"])
        on = (await world("DescribeAlarms"))["MetricAlarms"][0]["ActionsEnabled"]
        await world("TagResource", ResourceARN=arn, Tags=[{"Key": "team", "Value": "web"}, {"Key": "b", "Value": "2"}])
        await world.put(Tags=[{"Key": "ignored", "Value": "on update"}])
        together = (await world("ListTagsForResource", ResourceARN=arn))["Tags"]
        await world("UntagResource", ResourceARN=arn, TagKeys=["team", "nobody"])
        return off, on, history, together, (await world("ListTagsForResource", ResourceARN=arn))["Tags"]

    off, on, history, together, left = run(scenario)
    assert (off, on, history) == (False, True, [])
    assert together == [{"Key": "b", "Value": "2"}, {"Key": "team", "Value": "web"}]
    assert left == [{"Key": "b", "Value": "2"}]


NOT_ONE = {"Namespace": None, "MetricName": None, "Dimensions": None, "Statistic": None, "Period": None}
RETURNS = {"ReturnData": True}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"Period": 15}, "Period must be 10, 20, 30 or a multiple of 60"),
        ({"Period": 90}, "Period must be"),
        ({"Period": None}, "Period is required"),
        ({"Namespace": None}, "Namespace is required"),
        ({"MetricName": None}, "Either MetricName or Metrics"),
        ({"Period": 60, "EvaluationPeriods": 1441}, "<= 86400"),
        ({"Period": 3600, "EvaluationPeriods": 169}, "<= 604800"),
        ({"EvaluationPeriods": None}, "EvaluationPeriods is required"),
        ({"Threshold": None}, "Threshold is required"),
        ({"Threshold": float("nan")}, "must be a number"),
        ({"ComparisonOperator": None}, "ComparisonOperator is required"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "anomaly detection"),
        ({"ThresholdMetricId": "t"}, "anomaly detection"),
        ({"DatapointsToAlarm": 2}, "DatapointsToAlarm must be less than or equal"),
        ({"Statistic": None}, "Exactly one of Statistic and ExtendedStatistic"),
        ({"ExtendedStatistic": "p99"}, "Exactly one of Statistic and ExtendedStatistic"),
        ({"Statistic": None, "ExtendedStatistic": "p101"}, "p101"),
        ({"TreatMissingData": "sometimes"}, "sometimes is not supported"),
        ({"EvaluateLowSampleCountPercentile": "ignore"}, "goes with a percentile"),
        (
            {"Statistic": None, "ExtendedStatistic": "p9", "EvaluateLowSampleCountPercentile": "x"},
            "Option x is not supported",
        ),
        ({"AlarmName": "a\nb"}, "control characters"),
        ({"AlarmActions": ["page"]}, "Invalid arn syntax"),
        ({"Tags": [{"Key": "aws:x", "Value": ""}]}, "reserved"),
        ({"Tags": [{"Key": str(n), "Value": ""} for n in range(51)]}, "at most 50"),
        ({"EvaluationInterval": 60}, "PromQL"),
        ({"EvaluationWindow": {"WallClockWindow": {}}}, "wall clock"),
        ({**NOT_ONE, "Metrics": [metric("m1", "Errors")]}, "must return data, not 0"),
        (
            {**NOT_ONE, "Metrics": [{**metric("m1", "E"), **RETURNS}, {**metric("m2", "E"), **RETURNS}]},
            "must return data, not 2",
        ),
        ({**NOT_ONE, "Metrics": [metric("m1", "E"), {"Id": "e", "Expression": "m1 + m3"}]}, "unknown id 'm3'"),
        (
            {**NOT_ONE, "Metrics": [metric("m1", "E"), {"Id": "e", "Expression": "m1", "Period": 300}]},
            "Period must be the same",
        ),
        ({**NOT_ONE, "Metrics": [{"Id": "e", "Expression": "TIME_SERIES(1)"}]}, "at least one metric"),
        (
            {**NOT_ONE, "Metrics": [*(metric(f"m{n}", "E") for n in range(11)), {"Id": "e", "Expression": "m1"}]},
            "more than 10",
        ),
        ({"AlarmName": "composite"}, "belongs to a CompositeAlarm"),
    ],
    ids=str,
)
def test_refused_alarms_are_not_written(world, more, words) -> None:
    async def scenario():
        await world.composite("composite", "FALSE")
        with pytest.raises(ApiError) as caught:
            await world.put(**more) if "AlarmName" not in more else await world.put(more["AlarmName"])
        return caught.value, (await world("DescribeAlarms"))["MetricAlarms"]

    error, written = run(scenario)
    assert error.code == "ValidationError"
    assert words in error.message
    assert written == []


def test_metrics_list_excludes_the_single_metric(world) -> None:
    async def scenario():
        await world.put(Metrics=[{**metric("m1", "Errors"), **RETURNS}])

    with pytest.raises(ApiError, match="InvalidParameterCombination"):
        run(scenario)


def test_a_restart_goes_on_without_replaying_the_gap(store, clock, scope) -> None:
    first = World(store, clock, scope)

    async def before():
        await first.metrics.start()
        await first.put(TreatMissingData="missing")
        first.errors()
        await first.pass_(61)
        await first.metrics.stop()

    async def after():
        second = World(store, clock, scope)
        await second.metrics.start()
        await second.alarms.evaluate_all()
        still = await second.state()
        second.clock.move(7200)
        await second.alarms.evaluate_all()
        await second.metrics.stop()
        return still, await second.state(), len(second.facts)

    asyncio.run(before())
    assert asyncio.run(after()) == (ALARM, INSUFFICIENT, 1)


def test_an_alarm_that_cannot_be_computed_does_not_blind_the_others(world) -> None:
    async def scenario():
        await world.put("good")
        await world.put("broken", MetricName="Throttles")
        await world.alarms.evaluate_all()
        real = world.metrics.periods

        async def failing(query):
            if query.key.name == "Throttles":
                raise OverflowError("impossible")
            return await real(query)

        world.alarms._evaluator._fetch = failing
        world.errors()
        await world.pass_(61)
        return await world.state("good"), await world.state("broken")

    assert run(scenario) == (ALARM, INSUFFICIENT)
