"""Metric math: AWS's tables, precedence, arrays against scalars, and errors with their position."""

import math

import pytest

from penstock.observe.metrics.expressions.evaluate import World, evaluate, evaluate_series
from penstock.observe.metrics.expressions.parse import parse
from penstock.observe.metrics.expressions.syntax import ExpressionError
from penstock.observe.metrics.expressions.values import Grid, TimeSeries

START = 1_800_000_000.0


def series(*values: float | None, label: str = "") -> TimeSeries:
    points = {START + 60 * number: float(value) for number, value in enumerate(values) if value is not None}
    return TimeSeries(points, 60, label, is_metric=True)


METRICS = {
    "m1": series(30, 20, 0, 0),
    "m2": series(20, None, 20, None),
    "one": series(1, 1, 0, 0, None),
    "two": series(30, None, 0, 0, 30),
    "three": series(0, 0, 20, None, 20),
    "gap": series(None, 2, None, None, 8),
    "up": series(1, 2, 4, 8),
    "sparse": series(1, None, 4),
    "empty": series(),
    "errors_4xx": series(1, 1),
    "errors_5xx": series(2, 2),
}
WORLD = World(dict(METRICS), METRICS, Grid(START, START + 300, START + 300))
ONLY_TWO = {"m1": METRICS["m1"], "m2": METRICS["m2"]}
SMALL_WORLD = World(dict(ONLY_TWO), ONLY_TWO, Grid(START, START + 300, START + 300))


def shown(value) -> object:
    """Points as a list with gaps, arrays as lists of such, scalars as they are."""
    if isinstance(value, tuple):
        return [shown(one) for one in value]
    if isinstance(value, TimeSeries):
        if not value.points:
            return []
        last = int((max(value.points) - START) / 60)
        return [value.points.get(START + 60 * number) for number in range(last + 1)]
    return value


_ = None


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("2 ^ 3 ^ 2", 512),
        ("-2 ^ 2", -4),
        ("2 ^ -1", 0.5),
        ("10 - 4 - 3", 3),
        ("100 / 10 / 2", 5),
        ("--3", 3),
        ("1.5e2 + .5", 150.5),
        ("1 + 1 == 2", 1),
        ("1 < 2 AND 2 < 1", 0),
        ("1 < 2 OR 2 < 1", 1),
        ("0 || 1 && 0", 0),
        ("3 != 3", 0),
        ("2 >= 2", 1),
        ("2 <= 1", 0),
        # AWS's table of comparison operators
        ("m1 < m2", [0, 0, 1, 0]),
        ("m1 >= 30", [1, 0, 0, 0]),
        ("m1 > 15 AND m2 > 15", [1, 0, 0, 0]),
        # missing counts as 0 beside another series, division by 0 drops the point
        ("m1 + m2", [50, 20, 20, 0]),
        ("m1 / m2", [1.5, _, 0]),
        ("m2 * 2", [40, _, 40]),
        ("-m2", [-20, _, -20]),
        ("100 - m1", [70, 80, 100, 100]),
        ("1 / m1", [1 / 30, 1 / 20]),
        ("m1 / 0", []),
        ("m1 ^ 2", [900, 400, 0, 0]),
        # AWS's tables of IF
        ("IF(one, two, three)", [30, 0, 20]),
        ("IF(one, 5, three)", [5, 5, 20]),
        ("IF(one, two, 5)", [30, 0, 5, 5]),
        ("IF(one, two)", [30, 0]),
        ("IF(m1 < 25, m1)", [_, 20, 0, 0]),
        ("IF(m1 < 25, 10, 2)", [2, 10, 10, 10]),
        ("IF(1, m1, m2)", [30, 20, 0, 0]),
        ("IF(0, m1, m2)", [20, _, 20]),
        ("IF(0, m1)", []),
        ("IF(-1, m1)", [30, 20, 0, 0]),
        # FILL
        ("FILL(gap, 5)", [5, 2, 5, 5, 8]),
        ("FILL(gap, REPEAT)", [_, 2, 2, 2, 8]),
        ("FILL(gap, LINEAR)", [_, 2, 4, 6, 8]),
        ("FILL(empty, 0)", [0, 0, 0, 0, 0]),
        ("FILL(empty, REPEAT)", []),
        ("FILL(m2, m1)", [20, 20, 20, 0]),
        ("FILL(gap, MIN(gap))", [2, 2, 2, 2, 8]),
        ("FILL([m2, gap], 1)", [[20, 1, 20, 1, 1], [1, 2, 1, 1, 8]]),
        # summaries of one series are numbers, of an array a series
        ("SUM(m1)", 50),
        ("AVG(m1)", 12.5),
        ("AVG(m2)", 20),
        ("MIN(m1)", 0),
        ("MAX(m1)", 30),
        ("STDDEV(m1)", 12.99038),
        ("DATAPOINT_COUNT(m2)", 2),
        ("SUM(empty)", 0),
        ("SUM([m1, m2])", [50, 20, 20, 0]),
        ("AVG([m1, m2])", [25, 10, 10, 0]),
        ("MIN([m1, m2])", [20, 20, 0, 0]),
        ("MAX([m1, m2])", [30, 20, 20, 0]),
        ("STDDEV([m1, m2])", [5, 0, 10, 0]),
        ("DATAPOINT_COUNT([m1, m2])", [2, 1, 2, 1]),
        ("SUM(100 / [m1, m2])", [100 / 30 + 5, 5, 5]),
        # point by point
        ("ABS(m2 - 25)", [5, _, 5]),
        ("CEIL(m1 / 7)", [5, 3, 0, 0]),
        ("FLOOR(m1 / 7)", [4, 2, 0, 0]),
        ("LOG(up)", [0, math.log(2), math.log(4), math.log(8)]),
        ("LOG10(m1 + 70)", [2, math.log10(90), math.log10(70), math.log10(70)]),
        ("LOG(m1)", [math.log(30), math.log(20)]),
        ("ABS([m1, m2])", [[30, 20, 0, 0], [20, _, 20]]),
        # from one point to the next
        ("DIFF(up)", [_, 1, 2, 4]),
        ("DIFF(sparse)", [_, _, 3]),
        ("DIFF_TIME(sparse)", [_, _, 120]),
        ("RATE(up)", [_, 1 / 60, 2 / 60, 4 / 60]),
        ("RATE(sparse)", [_, _, 3 / 120]),
        ("RUNNING_SUM(m2)", [20, _, 40]),
        ("RUNNING_SUM(DIFF(up))", [_, 1, 3, 7]),
        # arrays
        ("FIRST([m1, m2])", [30, 20, 0, 0]),
        ("LAST([m1, m2])", [20, _, 20]),
        ("METRIC_COUNT([m1, m2])", 2),
        ('SUM(METRICS("errors"))', [3, 3]),
        ("SUM([METRICS('4xx'), METRICS('5xx')])", [3, 3]),
        ("[m1, m2] / m1", [[1, 1], [20 / 30, 0]]),
        ("[m1, m2] + [m2, m1]", [[50, 20, 20, 0], [50, 20, 20, 0]]),
        ("REMOVE_EMPTY([empty, m2])", [[20, _, 20]]),
        ("SORT([m1, m2], MAX, ASC)", [[20, _, 20], [30, 20, 0, 0]]),
        ("SORT([m2, m1], MAX, DESC, 1)", [[30, 20, 0, 0]]),
        ("SLICE([m1, m2, up], 1, 2)", [[20, _, 20]]),
        ("SLICE([m1, m2], 1)", [[20, _, 20]]),
        # time
        ("PERIOD(m1)", 60),
        ("m1 / PERIOD(m1)", [0.5, 1 / 3, 0, 0]),
        ("TIME_SERIES(7)", [7] * 5),
        ("MINUTE(m2)", [0, 1, 2, 3, 4]),
        ("HOUR(m1)", [8] * 5),
        ("DAY(m1)", [5] * 5),
        ("DATE(m1)", [15] * 5),
        ("MONTH(m1)", [1] * 5),
        ("YEAR(m1)", [2027] * 5),
        # a number that is none spoils only the points it meets
        ("m1 * (1 / SUM(empty))", []),
        ("IF(SUM(empty) > 0, m1 / SUM(empty), m1)", [30, 20, 0, 0]),
    ],
)
def test_values(expression: str, expected) -> None:
    found = shown(evaluate(parse(expression), WORLD))
    if isinstance(expected, list) and expected and isinstance(expected[0], list):
        assert found == [pytest.approx(one) for one in expected]
    elif isinstance(expected, list):
        assert [value is None for value in found] == [value is None for value in expected]
        assert [v for v in found if v is not None] == pytest.approx([v for v in expected if v is not None])
    else:
        assert found == pytest.approx(expected, rel=1e-5)


def test_metrics_are_all_metrics_of_the_request() -> None:
    assert shown(evaluate(parse("METRICS() / 10"), SMALL_WORLD)) == [[3, 2, 0, 0], [2, None, 2]]


@pytest.mark.parametrize(
    ("expression", "message", "position"),
    [
        ("", "ends too early", 1),
        ("m1 +", "ends too early", 5),
        ("m1 m2", "unexpected 'm2'", 4),
        ("(m1", "expected ')'", 4),
        ("m1)", "unexpected ')'", 3),
        ("[m1, m2", "expected ']'", 8),
        ("m1 $ m2", "unexpected '$'", 4),
        ("SUM(m1,)", "unexpected ')'", 8),
        ("m1 + nope", "unknown id 'nope'", 6),
        ("m1 + SUM", "need brackets", 6),
        ("NOPE(m1)", "unknown function 'NOPE'", 1),
        ("1 + sum(m1)", "write SUM", 5),
        ("SUM()", "takes 1 arguments, not 0", 1),
        ("IF(m1)", "takes 2 to 3", 1),
        ("PERIOD(m1 + 1)", "not the result of an expression", 1),
        ("PERIOD(3)", "takes a time series", 1),
        ("RATE(5)", "time series", 1),
        ("IF(1, 2, 3)", "must be a time series", 1),
        ("IF([m1], 2, 3)", "not arrays", 1),
        ("FILL(m1, [m2])", "takes a time series and a number", 1),
        ("[1, 2]", "not single numbers", 1),
        ("'text'", "inside METRICS", 1),
        ("METRICS(m1)", "quoted part", 1),
        ("[m1, m2] + [m1, m2, up]", "2 and 3", 10),
        ("m1 = 3", "unexpected '='", 4),
        ("SEARCH('x', 'Sum', 60)", "SEARCH is not supported", 1),
        ("ANOMALY_DETECTION_BAND(m1)", "not supported", 1),
        ("AND m1", "unexpected 'AND'", 1),
        ("SORT(METRICS(), m1, DESC)", "one of AVG", 1),
        ('METRICS("x', "unexpected '\"'", 9),
        ("(" * 60 + "m1" + ")" * 60, "nested more than 50", 51),
        ("-" * 200 + "m1", "nested more than 50", 51),
        ("2^" * 200 + "2", "nested more than 50", 102),
    ],
)
def test_errors_say_where(expression: str, message: str, position: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate_series(parse(expression), WORLD)
    assert message in str(caught.value)
    assert caught.value.position == position, str(caught.value)


def test_the_final_result_must_be_a_series() -> None:
    with pytest.raises(ExpressionError, match="must be a time series"):
        evaluate_series(parse("SUM(m1) + 1"), WORLD)


def test_metrics_insights_is_refused_by_name() -> None:
    with pytest.raises(ExpressionError, match="Metrics Insights"):
        parse('SELECT AVG(CPUUtilization) FROM "AWS/EC2"')


@pytest.mark.parametrize("expression", ["0 ^ -1", "(0 - 8) ^ 0.5", "10 ^ 1000", "1 / 0"])
def test_what_is_no_number_is_nan(expression: str) -> None:
    assert math.isnan(evaluate(parse(expression), WORLD))


def test_a_long_chain_is_computed_and_a_longer_one_refused() -> None:
    assert evaluate(parse(" + ".join(["1"] * 300)), WORLD) == 300
    with pytest.raises(ExpressionError, match="more than 600 words"):
        parse(" + ".join(["1"] * 301))
