"""The wire operation GetMetricData: many series at once, in pages. Rule: a page begins where a token says.

See https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from penstock.core.clock import Clock
from penstock.core.context import RequestContext
from penstock.core.errors import ApiError
from penstock.core.paging import BadTokenError, decode_token, encode_token
from penstock.gateway.contract import Operation, Params, Result
from penstock.observe.metrics.model import SeriesQuery
from penstock.observe.metrics.queries import ExpressionQuery, Query, QueryError, read_queries, run_queries
from penstock.observe.metrics.read import Periods
from penstock.observe.metrics.windows import period_count

MAX_DATAPOINTS = 100_800


class MetricsRoom(Protocol):
    """What this operation needs of the room."""

    async def periods(self, query: SeriesQuery) -> Periods: ...


@dataclass(frozen=True, slots=True)
class Line:
    """One series of the answer, points in the order asked for."""

    id: str
    label: str
    points: tuple[tuple[float, float], ...]


def operations(room: MetricsRoom, clock: Clock) -> dict[str, Operation]:
    """The operation, bound to the room."""

    async def get_metric_data(context: RequestContext, params: Params) -> Result:
        start, end = params["StartTime"], params["EndTime"]
        if start >= end:
            raise _refused("The parameter StartTime must be less than the parameter EndTime.")
        try:
            queries = read_queries(context.scope, params["MetricDataQueries"])
            _check_size(queries, start, end)
            results = await run_queries(queries, room.periods, start, end, clock.now())
        except QueryError as error:
            raise _refused(f"{error}.") from error
        newest_first = params.get("ScanBy", "TimestampDescending") == "TimestampDescending"
        lines = [
            Line(query.id, _label(query, series.label, len(results[query.id])), _points(series.points, newest_first))
            for query in queries
            if query.returns_data
            for series in results[query.id]
        ]
        return _page(lines, params.get("NextToken"), _page_size(params))

    return {"GetMetricData": get_metric_data}


def _check_size(queries: Sequence[Query], start: float, end: float) -> None:
    asked = sum(period_count(start, end, query.period_s) for query in queries if query.period_s)
    if asked > 10 * MAX_DATAPOINTS:
        raise QueryError(f"The request could give {asked:,} datapoints; ask for a shorter time or a longer period")


def _page_size(params: Params) -> int:
    size = params.get("MaxDatapoints") or MAX_DATAPOINTS
    if not 0 < size <= MAX_DATAPOINTS:
        raise _refused(f"The value {size} for parameter MaxDatapoints is invalid: it must be 1 to {MAX_DATAPOINTS:,}.")
    return int(size)


def _label(query: Query, series_label: str, lines: int) -> str:
    """An expression with several results names each after the metric it came from."""
    if isinstance(query, ExpressionQuery) and lines > 1:
        return f"{query.label} {series_label}".strip()
    return query.label


def _points(points: Any, newest_first: bool) -> tuple[tuple[float, float], ...]:  # noqa: FBT001
    return tuple(sorted(points.items(), reverse=newest_first))


def _page(lines: list[Line], token: str | None, size: int) -> Result:
    """Lines one after another until `size` points are out; the token is how many lines and points came before."""
    first_line, first_point = _position(token)
    results, left, following = [], size, None
    for number, line in enumerate(lines[first_line:], first_line):
        skip = first_point if number == first_line else 0
        taken = line.points[skip : skip + left]
        complete = skip + len(taken) == len(line.points)
        results.append(_result(line, taken, complete=complete))
        left -= len(taken)
        if not complete or (left == 0 and number + 1 < len(lines)):
            following = encode_token(f"{number + complete}:{0 if complete else skip + len(taken)}")
            break
    return {"MetricDataResults": results, "NextToken": following, "Messages": []}


def _result(line: Line, points: Sequence[tuple[float, float]], *, complete: bool) -> dict[str, Any]:
    return {
        "Id": line.id,
        "Label": line.label,
        "Timestamps": [at for at, _ in points],
        "Values": [value for _, value in points],
        "StatusCode": "Complete" if complete else "PartialData",
    }


def _position(token: str | None) -> tuple[int, int]:
    if not token:
        return 0, 0
    try:
        line, point = decode_token(token).split(":")
    except (BadTokenError, ValueError):
        line = point = ""
    if not line.isdecimal() or not point.isdecimal():
        raise ApiError("InvalidNextToken", "The NextToken did not come from GetMetricData; begin without one.")
    return int(line), int(point)


def _refused(message: str) -> ApiError:
    return ApiError("ValidationError", message, status=400)
