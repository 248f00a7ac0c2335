"""The metrics room from outside: recorded samples come back, refused ones do not, and a restart keeps them."""

import asyncio
import math
from dataclasses import replace

import pytest

from penstock.core.clock import MockClock
from penstock.core.context import ANONYMOUS, RequestContext, Scope
from penstock.core.errors import ApiError
from penstock.observe.metrics.memory import HELD_S, Memory
from penstock.observe.metrics.model import MetricKey
from penstock.observe.metrics.room import Metrics

DIMENSIONS = (("FunctionName", "orders"),)
HOUR, DAY = 3600, 86400


def context(scope: Scope) -> RequestContext:
    return RequestContext("r", scope, ANONYMOUS, "cloudwatch", "x", 0.0)


class Api:
    """Calls operations as the gateway does, on a started room."""

    def __init__(self, store, clock, scope):
        self.room = Metrics(store=store, clock=clock)
        self.scope = scope

    async def __aenter__(self):
        await self.room.start()
        return self

    async def __aexit__(self, *_):
        await self.room.stop()

    async def __call__(self, operation: str, **params):
        return await self.room.operations()["cloudwatch"][operation](context(self.scope), params)

    async def put(self, *values: float, **more):
        data = [{"MetricName": "Latency", "Value": value, **more} for value in values]
        await self("PutMetricData", Namespace="Shop", MetricData=data)

    async def statistics(self, clock, *, back: float = HOUR, period: int = 60, **more):
        params = {"Statistics": ["Sum", "SampleCount"], **more}
        if "ExtendedStatistics" in more:
            del params["Statistics"]
        found = await self(
            "GetMetricStatistics", Namespace="Shop", MetricName="Latency", StartTime=clock.now() - back,
            EndTime=clock.now() + 60, Period=period, **params,
        )  # fmt: skip
        return sorted(found["Datapoints"], key=lambda point: point["Timestamp"])


@pytest.fixture
def api(store, clock, scope):
    return Api(store, clock, scope)


def test_what_the_sink_records_is_read_back_by_minute(api, clock, scope) -> None:
    async def scenario():
        async with api:
            for second in range(150):
                api.room.record(
                    scope, "AWS/Lambda", "Duration", DIMENSIONS, float(second), "Milliseconds", clock.now() + second
                )
            return await api.room.series(
                scope, "AWS/Lambda", "Duration", DIMENSIONS, clock.now(), clock.now() + 180, 60, "Maximum"
            )

    start = clock.now()
    assert asyncio.run(scenario()) == [(start, 59.0), (start + 60, 119.0), (start + 120, 149.0)]


def test_the_sink_ignores_what_is_no_number_and_never_raises(api, clock, scope) -> None:
    async def scenario():
        async with api:
            for value in (math.nan, math.inf, -math.inf):
                api.room.record(scope, "AWS/Lambda", "Duration", (), value, "None", clock.now())
            return api.room.listed(scope)

    assert asyncio.run(scenario()) == []


def test_a_restart_keeps_history_and_goes_on_counting(store, clock, scope) -> None:
    async def first():
        async with Api(store, clock, scope) as api:
            await api.put(1, 2, 3)
            await api.put(-1, Unit="Count")

    async def second():
        async with Api(store, clock, scope) as api:
            await api.put(4)
            found = await api.statistics(clock, ExtendedStatistics=["p50"]), await api.statistics(clock)
            return found, (await api("ListMetrics"))["Metrics"]

    asyncio.run(first())
    (percentiles, sums), listed = asyncio.run(second())
    assert percentiles == [{"Timestamp": clock.now(), "Unit": "None", "ExtendedStatistics": {"p50": 2.0}}]
    assert {point["Unit"]: (point["Sum"], point["SampleCount"]) for point in sums} == {
        "None": (10, 4),
        "Count": (-1, 1),
    }
    assert listed == [{"Namespace": "Shop", "MetricName": "Latency", "Dimensions": []}]


def test_a_kill_loses_only_what_was_not_flushed(store, clock, scope) -> None:
    async def killed():
        room = Api(store, clock, scope)
        await room.room.start()
        await room.put(5)
        await room.room.flush()
        await room.put(7)  # and no stop

    async def after():
        async with Api(store, clock, scope) as api:
            return await api.statistics(clock)

    asyncio.run(killed())
    assert [point["Sum"] for point in asyncio.run(after())] == [5]


def test_samples_for_the_past_join_what_is_stored(api, clock, scope) -> None:
    async def scenario():
        async with api:
            old = clock.now() - 5 * DAY
            for value in (1, 2, 4):
                await api.put(value, Timestamp=old)
            return await api.statistics(clock, back=6 * DAY, period=3600)

    assert [(point["Sum"], point["SampleCount"]) for point in asyncio.run(scenario())] == [(7, 3)]


def test_numbers_that_leave_memory_are_still_read(api, clock, scope) -> None:
    async def scenario():
        async with api:
            for _ in range(9):
                await api.put(1)
                await api.room.flush()
                clock.move(HOUR)
            assert len(api.room._memory.units(MetricKey(scope, "Shop", "Latency"))["None"].cells) <= 4
            return await api.statistics(clock, back=10 * HOUR, period=HOUR)

    assert [point["Sum"] for point in asyncio.run(scenario())] == [1] * 9


def test_a_failed_flush_is_made_up_for(api, store, clock, scope) -> None:
    async def scenario():
        async with api:
            await api.put(1, Timestamp=clock.now() - 5 * DAY)
            real, store.write = store.write, refuse
            await api.put(2)
            with pytest.raises(OSError):
                await api.put(3, Timestamp=clock.now() - 5 * DAY)
            store.write = real
            await api.put(4)
            await api.room.flush()
            return await api.statistics(clock, back=6 * DAY, period=DAY)

    async def refuse(_):
        raise OSError("disk full")

    assert [point["Sum"] for point in asyncio.run(scenario())] == [4, 6]


def test_memory_is_bounded_in_cells_and_series(scope) -> None:
    memory = Memory(0.0, max_cells=100, max_series=3)
    for minute in range(500):
        memory.cell((scope, "N", "m", ()), "None", minute * 60.0, 60).add(1)
        memory.take()
        memory.forget(500.0 * 60)
    assert len(memory.units(MetricKey(scope, "N", "m"))["None"].cells) <= 100
    assert memory.cell((scope, "N", "a", ()), "None", 0.0, 60) is not None
    assert memory.cell((scope, "N", "b", ()), "None", 0.0, 60) is not None
    assert memory.cell((scope, "N", "c", ()), "None", 0.0, 60) is None
    assert memory.refused == 1


def test_cells_the_store_never_took_are_given_up_at_twice_the_bound(scope) -> None:
    memory = Memory(0.0, max_cells=100)
    lost = 0
    for minute in range(1000):
        memory.cell((scope, "N", "m", ()), "None", minute * 60.0, 60).add(1)
        lost += memory.forget(0.0)
    assert len(memory.units(MetricKey(scope, "N", "m"))["None"].cells) <= 201
    assert lost > 700


def test_high_resolution_is_kept_by_the_second(api, clock, scope) -> None:
    async def scenario():
        async with api:
            for second in range(20):
                await api.put(1, Timestamp=clock.now() + second, StorageResolution=1)
                await api.put(1, Timestamp=clock.now() + second)
            return await api.statistics(clock, back=0, period=10)

    assert [point["Sum"] for point in asyncio.run(scenario())] == [10 + 20, 10]


def test_values_and_counts_and_statistic_sets(api, clock) -> None:
    async def scenario():
        async with api:
            many = {"MetricName": "Latency", "Values": [1, 10], "Counts": [99, 1]}
            aggregated = {
                "MetricName": "Total",
                "StatisticValues": {"SampleCount": 2, "Sum": 5, "Minimum": 1, "Maximum": 4},
            }
            await api("PutMetricData", Namespace="Shop", MetricData=[many, aggregated])
            percentiles = await api.statistics(clock, ExtendedStatistics=["p99", "p99.5"])
            total = await api(
                "GetMetricStatistics", Namespace="Shop", MetricName="Total", StartTime=clock.now(),
                EndTime=clock.now() + 60, Period=60, Statistics=["Sum", "Average", "Minimum", "Maximum", "SampleCount"],
            )  # fmt: skip
            return percentiles[0]["ExtendedStatistics"], total["Datapoints"][0]

    percentiles, total = asyncio.run(scenario())
    assert percentiles == {"p99": 1.0, "p99.5": 10.0}
    assert (total["Sum"], total["Average"], total["Minimum"], total["Maximum"], total["SampleCount"]) == (
        5,
        2.5,
        1,
        4,
        2,
    )


NOW = MockClock().now()


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        ([], "MissingParameter", "MetricData is required"),
        ([{}], "MissingParameter", "member.1.Value is required"),
        ([{"Value": 1}] * 1001, "InvalidParameterValue", "must not have a size greater than 1000"),
        (
            [{"Value": 1}, {"Value": 1, "Values": [1]}],
            "InvalidParameterCombination",
            "member.2.Value and MetricData.member.2.Values",
        ),
        ([{"Values": [1, 2], "Counts": [1]}], "InvalidParameterValue", "must be of the same size"),
        ([{"Values": [1], "Counts": [-1]}], "InvalidParameterValue", "Counts is invalid"),
        ([{"Values": list(range(151))}], "InvalidParameterValue", "greater than 150"),
        ([{"Value": math.nan}], "InvalidParameterValue", "nan"),
        ([{"Value": math.inf}], "InvalidParameterValue", "inf"),
        ([{"Value": 2.0**361}], "InvalidParameterValue", "2^360"),
        ([{"Value": 1, "Timestamp": NOW - 14 * DAY - 1}], "InvalidParameterValue", "past two weeks"),
        ([{"Value": 1, "Timestamp": NOW + 2 * HOUR + 1}], "InvalidParameterValue", "two hours in the future"),
        ([{"Value": 1, "StorageResolution": 5}], "InvalidParameterValue", "StorageResolution"),
        (
            [{"Value": 1, "Dimensions": [{"Name": "a", "Value": "1"}, {"Name": "a", "Value": "2"}]}],
            "InvalidParameterValue",
            "twice",
        ),
        ([{"Value": 1, "Dimensions": [{"Name": ":a", "Value": "1"}]}], "InvalidParameterValue", ":a"),
        ([{"Value": 1, "Dimensions": [{"Name": "a", "Value": "  "}]}], "InvalidParameterValue", "Value is invalid"),
        (
            [{"StatisticValues": {"SampleCount": 1, "Sum": 1, "Minimum": 2, "Maximum": 1}}],
            "InvalidParameterValue",
            "Maximum",
        ),
        (
            [{"StatisticValues": {"SampleCount": 0, "Sum": 1, "Minimum": 1, "Maximum": 1}}],
            "InvalidParameterValue",
            "SampleCount",
        ),
    ],
)
def test_refused_data_leaves_nothing_behind(api, data, code, words) -> None:
    async def scenario():
        async with api:
            good = [{"MetricName": "Good", "Value": 1}] if data else []
            with pytest.raises(ApiError) as caught:
                await api(
                    "PutMetricData",
                    Namespace="Shop",
                    MetricData=good * (len(data) < 2) + [{"MetricName": "Bad", **d} for d in data],
                )
            return caught.value, (await api("ListMetrics"))["Metrics"]

    error, listed = asyncio.run(scenario())
    assert error.code == code
    assert words.replace("member.1", "member.2" if 0 < len(data) < 2 else "member.1") in error.message
    assert listed == []


def test_names_below_aws_are_ours(api) -> None:
    async def scenario():
        async with api:
            await api("PutMetricData", Namespace="AWS/Lambda", MetricData=[{"MetricName": "Errors", "Value": 1}])

    with pytest.raises(ApiError, match="AWS/Lambda for parameter Namespace is invalid"):
        asyncio.run(scenario())


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"Statistics": []}, "MissingParameter"),
        ({"Statistics": ["Sum"], "ExtendedStatistics": ["p9"]}, "InvalidParameterCombination"),
        ({"ExtendedStatistics": ["p999"]}, "InvalidParameterValue"),
        ({"Statistics": ["Sum"], "Period": 61}, "InvalidParameterValue"),
        ({"Statistics": ["Sum"], "StartTime": 100.0, "EndTime": 100.0}, "InvalidParameterValue"),
        ({"Statistics": ["Sum"], "StartTime": NOW - 1441 * 60}, "InvalidParameterCombination"),
    ],
)
def test_refused_statistics(api, params, code) -> None:
    base = {"Namespace": "Shop", "MetricName": "m", "StartTime": NOW - 60, "EndTime": NOW, "Period": 60}

    async def scenario():
        async with api:
            await api("GetMetricStatistics", **{**base, **params})

    with pytest.raises(ApiError) as caught:
        asyncio.run(scenario())
    assert caught.value.code == code


def test_list_metrics_filters_and_pages(api, clock, scope) -> None:
    async def scenario():
        async with api:
            for number in range(1200):
                dims = (("Even", str(number % 2 == 0)), ("Number", str(number)))
                api.room.record(scope, "Many", "m", dims, 1.0, "None", clock.now())
            api.room.record(replace(scope, region="eu-west-1"), "Many", "m", (), 1.0, "None", clock.now())
            api.room.record(scope, "Old", "m", (), 1.0, "None", clock.now() - 4 * HOUR)
            pages, token = [], None
            while True:
                found = await api("ListMetrics", Namespace="Many", **({"NextToken": token} if token else {}))
                pages.append(found["Metrics"])
                token = found["NextToken"]
                if not token:
                    break
            even = (await api("ListMetrics", Dimensions=[{"Name": "Even", "Value": "True"}]))["Metrics"]
            named = (await api("ListMetrics", Dimensions=[{"Name": "Number"}, {"Name": "Even", "Value": "False"}]))[
                "Metrics"
            ]
            old = (await api("ListMetrics", Namespace="Old"))["Metrics"]
            recent = (await api("ListMetrics", Namespace="Old", RecentlyActive="PT3H"))["Metrics"]
            with pytest.raises(ApiError, match="nextToken"):
                await api("ListMetrics", NextToken="_w")
            clock.move(15 * DAY)
            return pages, len(even), len(named), len(old), len(recent), (await api("ListMetrics"))["Metrics"]

    pages, even, named, old, recent, forgotten = asyncio.run(scenario())
    assert [len(page) for page in pages] == [500, 500, 200]
    assert len({str(metric) for page in pages for metric in page}) == 1200
    assert (even, named, old, recent, forgotten) == (500, 500, 1, 0, [])


def query(**more):
    stat = {"Metric": {"Namespace": "Shop", "MetricName": "Latency"}, "Period": 60, "Stat": "Sum"}
    return {"Id": "m1", "MetricStat": stat, **more}


def test_get_metric_data_with_math_order_and_pages(api, clock) -> None:
    async def scenario():
        async with api:
            for minute in range(5):
                await api.put(minute, Timestamp=clock.now() + 60 * minute)
            clock.move(300)
            queries = [
                query(ReturnData=False),
                {"Id": "e2", "Expression": "e1 * 2", "Label": "double"},
                {"Id": "e1", "Expression": "m1 + 1"},
            ]
            params = {"MetricDataQueries": queries, "StartTime": clock.now() - 300, "EndTime": clock.now()}
            whole = await api("GetMetricData", **params, ScanBy="TimestampAscending")
            pages, token = [], None
            while not pages or token:
                page = await api("GetMetricData", **params, MaxDatapoints=3, **({"NextToken": token} if token else {}))
                token = page["NextToken"]
                pages += page["MetricDataResults"]
            return whole["MetricDataResults"], pages

    whole, pages = asyncio.run(scenario())
    assert [(r["Id"], r["Label"], r["Values"], r["StatusCode"]) for r in whole] == [
        ("e2", "double", [2, 4, 6, 8, 10], "Complete"),
        ("e1", "e1", [1, 2, 3, 4, 5], "Complete"),
    ]
    joined: dict[str, list[float]] = {}
    for result in pages:
        joined.setdefault(result["Id"], []).extend(result["Values"])
        assert len(result["Values"]) == len(result["Timestamps"]) <= 3
    assert joined == {"e2": [10, 8, 6, 4, 2], "e1": [5, 4, 3, 2, 1]}


def test_units_are_added_up_unless_one_is_asked_for(api, clock) -> None:
    async def scenario():
        async with api:
            await api.put(1)
            await api.put(10, Unit="Seconds")
            both, one = query(Id="both"), query(Id="one")
            one["MetricStat"] = {**one["MetricStat"], "Unit": "Seconds"}
            params = {"MetricDataQueries": [both, one], "StartTime": clock.now(), "EndTime": clock.now() + 60}
            return [result["Values"] for result in (await api("GetMetricData", **params))["MetricDataResults"]]

    assert asyncio.run(scenario()) == [[11], [10]]


@pytest.mark.parametrize(
    ("queries", "words"),
    [
        ([], "must not be empty"),
        ([query(Id="M1")], "lower-case letter"),
        ([query(Id="a-b")], "lower-case letter"),
        ([query(), query()], "used twice"),
        ([{"Id": "e1"}], "either Expression or MetricStat"),
        ([query(Expression="1")], "either Expression or MetricStat"),
        ([{"Id": "e1", "Expression": "m9"}], "unknown id 'm9' at position 1"),
        ([query(), {"Id": "e1", "Expression": "SUM(m1)"}], "must be a time series"),
        ([query(), {"Id": "e1", "Expression": "m1 + ("}], "at position 7"),
        ([{"Id": "e1", "Expression": "e2"}, {"Id": "e2", "Expression": "e1"}], "in a circle"),
        ([{"Id": "e1", "Expression": "e1 + 1"}], "in a circle"),
        ([query(), {"Id": "e1", "Expression": "m1", "Period": 61}], "multiple of 60"),
        ([query(MetricStat={**query()["MetricStat"], "Period": 61})], "multiple of 60"),
        ([query(MetricStat={**query()["MetricStat"], "Stat": "p101"})], "p101"),
        ([query(MetricStat={**query()["MetricStat"], "Metric": {"Namespace": "x"}})], "Namespace and MetricName"),
        ([query(), {"Id": "e1", "Expression": "SEARCH(' {x} ', 'Sum', 60)"}], "SEARCH is not supported"),
        ([query(Id=f"m{n}") for n in range(501)], "more than 500"),
    ],
)
def test_refused_queries(api, clock, queries, words) -> None:
    async def scenario():
        async with api:
            await api("GetMetricData", MetricDataQueries=queries, StartTime=clock.now() - 60, EndTime=clock.now())

    with pytest.raises(ApiError) as caught:
        asyncio.run(scenario())
    assert caught.value.code == "ValidationError"
    assert words in caught.value.message


@pytest.mark.parametrize("token", ["nonsense", "!!", "LTE6MA"])
def test_a_strange_token_is_refused(api, clock, token) -> None:
    async def scenario():
        async with api:
            await api(
                "GetMetricData",
                MetricDataQueries=[query()],
                StartTime=clock.now() - 60,
                EndTime=clock.now(),
                NextToken=token,
            )

    with pytest.raises(ApiError) as caught:
        asyncio.run(scenario())
    assert caught.value.code == "InvalidNextToken"


def test_what_memory_holds_is_the_recent_hours() -> None:
    assert HELD_S == 3 * HOUR


def test_totals_on_a_snapshot_join_memory_and_store(api, store, clock, scope) -> None:
    key = MetricKey(scope, "Shop", "Latency")

    async def scenario():
        async with api:
            start = clock.now()
            for _ in range(6):
                await api.put(1.5)
                await api.put(1, Unit="Count")
                await api.room.flush()
                clock.move(HOUR)
            spans = [
                (start, clock.now()),
                (start, start + 2 * HOUR),
                (clock.now() - HOUR, clock.now()),
                (clock.now(), start + 9e9),
            ]
            return [await store.read(lambda c, s=s: api.room.total(c, key, *s)) for s in spans]

    assert asyncio.run(scenario()) == [15.0, 5.0, 2.5, None]
