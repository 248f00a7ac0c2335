# ruff: noqa: E501 - AWS's sentences stay in one piece
"""AWS's tables of missing data, M of N, low samples, and the wording of reasons."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.observe.alarms.evaluate import evaluate, range_length
from penstock.observe.alarms.model import AlarmState, Comparison, Datapoint, MetricRule, Missing, Watch

NOW = 1_795_253_400.0  # 2026-11-21T09:30:00Z
OK, ALARM, INSUFFICIENT = AlarmState.OK, AlarmState.ALARM, AlarmState.INSUFFICIENT_DATA
RETAIN = None
WATCH = Watch("Shop", "Errors", (), "Sum")


def rule(n: int = 3, m: int | None = None, missing: str | None = None, **more) -> MetricRule:
    treatment = None if missing is None else Missing(missing)
    values = {"comparison": Comparison.ABOVE, "threshold": 1.0, "period_s": 60, "watch": WATCH, **more}
    return MetricRule(evaluation_periods=n, datapoints_to_alarm=m, missing=treatment, **values)


def points(text: str, samples: float = 1.0) -> list[Datapoint]:
    """`0 - X`: good, missing, breaching; the newest is at NOW minus one minute."""
    values = {"0": 0.0, "X": 5.0, "-": None}
    words = text.split()
    start = NOW - 60 * len(words)
    return [
        Datapoint(start + 60 * number, values[word], None if word == "-" else samples)
        for number, word in enumerate(words)
    ]


def decide(rule: MetricRule, data: list[Datapoint], current: AlarmState) -> AlarmState:
    decision = evaluate(rule, data, current, NOW)
    return decision.state if decision else current


# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
THREE_OF_THREE = [
    ("0 - X - X", OK, OK, OK, OK),
    ("0 - - - -", OK, OK, OK, OK),
    ("- - - - -", INSUFFICIENT, RETAIN, ALARM, OK),
    ("0 X X - X", ALARM, ALARM, ALARM, ALARM),
    ("- - X - -", ALARM, RETAIN, ALARM, OK),
    # rows of the page's earlier edition and of its section on premature transitions
    ("- - - - X", INSUFFICIENT, RETAIN, ALARM, OK),
    ("- - - X -", INSUFFICIENT, RETAIN, ALARM, OK),
    ("X - - - -", ALARM, RETAIN, ALARM, OK),
    ("- - - X 0", OK, OK, OK, OK),
    ("- - X - 0", OK, OK, OK, OK),
]
TWO_OF_THREE = [
    ("0 - X - X", ALARM, ALARM, ALARM, ALARM),
    ("0 0 X 0 X", ALARM, ALARM, ALARM, ALARM),
    ("0 - X - -", OK, OK, ALARM, OK),
    ("- - - - 0", OK, OK, ALARM, OK),
    ("- - - X -", ALARM, RETAIN, ALARM, OK),
    ("- - - - X", INSUFFICIENT, RETAIN, ALARM, OK),
]


@pytest.mark.parametrize("current", list(AlarmState))
@pytest.mark.parametrize("column", range(4), ids=[missing.value for missing in Missing])
@pytest.mark.parametrize(
    ("m", "row"),
    [
        *((None, row) for row in THREE_OF_THREE),
        *((3, row) for row in THREE_OF_THREE),
        *((2, row) for row in TWO_OF_THREE),
    ],
    ids=lambda value: value[0].replace(" ", "") if isinstance(value, tuple) else f"M={value}",
)
def test_the_tables_of_missing_data(m, row, column: int, current: AlarmState) -> None:
    expected = row[1 + column]
    found = decide(rule(3, m, list(Missing)[column].value), points(row[0]), current)
    assert found is (current if expected is RETAIN else expected)


def test_the_default_treatment_is_missing() -> None:
    for text, missing, *_ in THREE_OF_THREE:
        assert decide(rule(3), points(text), OK) is missing


def test_the_range_is_five_for_three_as_in_the_tables() -> None:
    assert range_length(rule(3)) == 5
    assert range_length(rule(1)) == 3


@given(st.lists(st.sampled_from("0X-"), min_size=7, max_size=7), st.integers(1, 5), st.sampled_from(list(Missing)))
def test_enough_real_data_never_needs_the_treatment(words, m, missing) -> None:
    data = points(" ".join(words))
    real = [point for point in data if point.value is not None][-5:]
    state = decide(rule(5, m, missing.value), data, INSUFFICIENT)
    breaching = sum(point.value > 1 for point in real)
    if len(real) == 5:
        assert state is (ALARM if breaching >= m else OK)
    if breaching >= m:
        assert state is ALARM


@pytest.mark.parametrize(
    ("comparison", "below", "at", "above"),
    [
        ("GreaterThanOrEqualToThreshold", OK, ALARM, ALARM),
        ("GreaterThanThreshold", OK, OK, ALARM),
        ("LessThanThreshold", ALARM, OK, OK),
        ("LessThanOrEqualToThreshold", ALARM, ALARM, OK),
    ],
)
def test_comparisons(comparison, below, at, above) -> None:
    one = rule(1, comparison=Comparison(comparison))
    for value, expected in ((0.5, below), (1.0, at), (1.5, above)):
        assert decide(one, [Datapoint(NOW - 60, value, 1.0)], INSUFFICIENT) is expected


@pytest.mark.parametrize(
    ("statistic", "samples", "decided"),
    [
        ("p99", 333, False),
        ("p99", 334, True),
        ("p95", 66, False),
        ("p95", 67, True),
        ("p50", 6, False),
        ("p50", 7, True),
        ("p10", 33, False),
        ("p10", 34, True),
        ("p90", 33, False),
        ("Average", 1, True),
        ("tm90", 1, True),
        ("p0", 1, False),
        ("p100", 1, False),
    ],
)
def test_percentiles_with_few_samples_keep_the_state_when_told_to(statistic: str, samples: int, decided: bool) -> None:
    """Three datapoints: p99 wants 1000 samples, p95 200, p50 20, p10 100."""
    watch = Watch("Shop", "Latency", (), statistic)
    data = points("X X X", samples)
    assert decide(rule(3, low_samples="ignore", watch=watch), data, OK) is (ALARM if decided else OK)
    assert decide(rule(3, low_samples="evaluate", watch=watch), data, OK) is ALARM
    assert decide(rule(3, watch=watch), data, OK) is ALARM


def reason(rule: MetricRule, text: str, current: AlarmState) -> str:
    decision = evaluate(rule, points(text), current, NOW)
    assert decision
    return decision.reason


AT = [f"(21/11/26 09:{minute})" for minute in ("29:00", "28:00", "27:00", "26:00", "25:00")]


@pytest.mark.parametrize(
    ("rule", "text", "current", "words"),
    [
        (rule(1, 1), "- - X", OK, f"Threshold Crossed: 1 out of the last 1 datapoints [5.0 {AT[0]}] was greater than the threshold (1.0) (minimum 1 datapoint for OK -> ALARM transition)."),
        (rule(1, 1), "- - 0", ALARM, f"Threshold Crossed: 1 out of the last 1 datapoints [0.0 {AT[0]}] was not greater than the threshold (1.0) (minimum 1 datapoint for ALARM -> OK transition)."),
        (rule(3, 2), "0 0 X 0 X", OK, f"Threshold Crossed: 2 out of the last 3 datapoints [5.0 {AT[0]}, 5.0 {AT[2]}] were greater than the threshold (1.0) (minimum 2 datapoints for OK -> ALARM transition)."),
        (rule(3, 2), "0 0 X 0 0", ALARM, f"Threshold Crossed: 2 out of the last 3 datapoints [0.0 {AT[0]}, 0.0 {AT[1]}] were not greater than the threshold (1.0) (minimum 2 datapoints for ALARM -> OK transition)."),
        (rule(1), "0 0 X", OK, f"Threshold Crossed: 1 datapoint [5.0 {AT[0]}] was greater than the threshold (1.0)."),
        (rule(3), "0 0 X X X", OK, f"Threshold Crossed: 3 datapoints [5.0 {AT[0]}, 5.0 {AT[1]}, 5.0 {AT[2]}] were greater than the threshold (1.0)."),
        (rule(3), "X X X 0 X", ALARM, f"Threshold Crossed: 1 datapoint [0.0 {AT[1]}] was not greater than the threshold (1.0)."),
        (rule(2, None, "breaching"), "- - - -", OK, "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as [Breaching]."),
        (rule(1, None, "notBreaching"), "- - -", INSUFFICIENT, "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching]."),
        (rule(2, None, "breaching"), "- - - 0", ALARM, f"Threshold Crossed: 1 datapoint [0.0 {AT[0]}] was not greater than the threshold (1.0) and 1 missing datapoint was treated as [Breaching]."),
        (rule(3, 2, "breaching"), "0 - - - -", OK, "Threshold Crossed: 1 datapoint was received for 3 periods and 2 missing datapoints were treated as [Breaching]."),
        (rule(3, None, "notBreaching"), "- - - - X", ALARM, "Threshold Crossed: 1 datapoint was received for 3 periods and 2 missing datapoints were treated as [NonBreaching]."),
        (rule(1), "- - -", OK, "Insufficient Data: 1 datapoint was unknown."),
        (rule(3), "- - - - -", OK, "Insufficient Data: 3 datapoints were unknown."),
        (rule(7), "X X X X X X X X X", OK, f"Threshold Crossed: 7 datapoints were greater than the threshold (1.0). The most recent datapoints which crossed the threshold: [{', '.join(f'5.0 {at}' for at in AT)}]."),
        (rule(1, comparison=Comparison.AT_MOST), "- - 0", OK, f"Threshold Crossed: 1 datapoint [0.0 {AT[0]}] was less than or equal to the threshold (1.0)."),
    ],
)  # fmt: skip
def test_reasons_read_as_in_aws(rule: MetricRule, text: str, current: AlarmState, words: str) -> None:
    assert reason(rule, text, current) == words


def test_reason_data_for_machines() -> None:
    decision = evaluate(rule(2, None, "breaching"), points("- - - X"), OK, NOW + 1.25)
    assert decision
    assert json.loads(decision.reason_data) == {
        "version": "1.0",
        "queryDate": "2026-11-21T09:30:01.250+0000",
        "startDate": "2026-11-21T09:29:00.000+0000",
        "statistic": "Sum",
        "period": 60,
        "recentDatapoints": [5.0],
        "threshold": 1.0,
        "evaluatedDatapoints": [
            {"timestamp": "2026-11-21T09:29:00.000+0000", "sampleCount": 1.0, "value": 5.0},
            {"timestamp": "2026-11-21T09:28:00.000+0000"},
        ],
    }


def test_long_alarms_keep_their_reasons_within_the_wire_s_limits() -> None:
    data = points(" ".join(["X"] * 1442))
    decision = evaluate(rule(1440), data, OK, NOW)
    assert decision
    assert len(decision.reason) <= 1023
    assert len(decision.reason_data) <= 4000
