"""Whatever a caller writes into an expression, a rule or a statistic: understood, or refused in words."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from penstock.core.context import Scope
from penstock.observe.alarms.composite import RuleError, is_true, parse_rule
from penstock.observe.metrics.expressions.functions import FUNCTIONS
from penstock.observe.metrics.expressions.values import Grid, TimeSeries
from penstock.observe.metrics.queries import QueryError, compute, read_queries
from penstock.observe.metrics.statistic import StatisticError, parse_statistic

HERE = Scope("000000000000", "us-east-1")
SIGNS = [*list("()[],+-*/^<$'"), "==", "&&", '"m"']
WORDS = [*FUNCTIONS, *SIGNS, "METRICS", "REPEAT", "DESC", "AVG", "m1", "m2", "AND", "OR", "0", "1", "2.5", "1e308"]
SOUP = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)
CALLS = st.recursive(
    st.sampled_from(["m1", "m2", "0", "-3", "1e308", "[m1, m2]", "METRICS()", "REPEAT", "AVG", "DESC"]),
    lambda inner: st.builds(
        lambda name, arguments: f"{name}({', '.join(arguments)})",
        st.sampled_from([*FUNCTIONS, ""]),
        st.lists(inner, min_size=1, max_size=3),
    ) | st.builds(lambda left, op, right: f"{left} {op} {right}", inner, st.sampled_from("+-*/^<"), inner),
    max_leaves=8,
)  # fmt: skip


@given(
    st.one_of(st.text(max_size=60), SOUP, CALLS), st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=5)
)
def test_expressions(text: str, values: list[float]) -> None:
    metric = {"Metric": {"Namespace": "N", "MetricName": "m"}, "Period": 60, "Stat": "Sum"}
    members = [{"Id": "m1", "MetricStat": metric}, {"Id": "m2", "MetricStat": metric}, {"Id": "e1", "Expression": text}]
    series = TimeSeries({60.0 * number: value for number, value in enumerate(values)}, 60, "m", is_metric=True)
    with contextlib.suppress(QueryError):
        results = compute(read_queries(HERE, members), {"m1": series, "m2": series}, Grid(0, 300, 300))
        assert all(value - value == 0 for one in results["e1"] for value in one.points.values()), "not finite"


@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(st.sampled_from(["ALARM(a)", "OK", "(", ")", "AND", "OR", "NOT", "TRUE", '"'])).map(" ".join),
    )
)
def test_rules(text: str) -> None:
    with contextlib.suppress(RuleError):
        assert is_true(parse_rule(text, HERE), {}) in (True, False)


@given(st.one_of(st.text(max_size=20), st.from_regex(r"(p|tm|TM|PR|WM)\(?[0-9.:%]{0,9}\)?")))
def test_statistics(text: str) -> None:
    with contextlib.suppress(StatisticError):
        assert parse_statistic(text).text == text
