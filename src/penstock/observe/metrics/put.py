"""Publishing samples: what AWS refuses, then all of them or none. Rule: a refused request leaves no sample behind.

See https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
"""

import math
from collections.abc import Sequence

from penstock.core.context import Scope
from penstock.core.errors import ApiError
from penstock.observe.metrics.memory import Memory
from penstock.observe.metrics.model import DAY_S, HOUR_S, Datum, MetricKey, StatisticSet
from penstock.observe.ports import Dimensions

LARGEST = 2.0**360
MAX_DATA = 1000
MAX_VALUES = 150


def check_namespace(namespace: str) -> None:
    """Only Penstock itself may write below `AWS/`: release alarms watch it."""
    if namespace.startswith("AWS/"):
        raise _invalid(f"The value {namespace} for parameter Namespace is invalid: names below AWS/ are reserved.")


def check_data(data: Sequence[Datum], now: float) -> None:
    """Raise the first thing that is wrong with the request."""
    if not data:
        raise ApiError("MissingParameter", "The parameter MetricData is required.")
    if len(data) > MAX_DATA:
        raise _invalid(f"The collection MetricData must not have a size greater than {MAX_DATA}.")
    for number, datum in enumerate(data, 1):
        _check_datum(datum, f"MetricData.member.{number}", now)


def record_all(memory: Memory, scope: Scope, namespace: str, data: Sequence[Datum]) -> bool:
    """Record checked data; returns whether some of it is older than what memory holds and wants a flush to be seen."""
    unknown = {key for key in (_key(scope, namespace, d) for d in data) if not memory.units(key)}
    if not memory.has_room(len(unknown)):
        raise ApiError(
            "LimitExceeded",
            "This server keeps no more different metrics; use fewer distinct dimension values.",
            status=400,
        )
    for datum in data:
        cell = memory.cell((scope, namespace, datum.name, datum.dimensions), datum.unit, datum.at, datum.resolution_s)
        if cell is None:
            continue
        if datum.statistics:
            cell.add_set(datum.statistics)
        for value, count in datum.values:
            if count:
                cell.add(value, count)
    return any(datum.at < memory.held_since for datum in data)


def _key(scope: Scope, namespace: str, datum: Datum) -> MetricKey:
    return MetricKey(scope, namespace, datum.name, datum.dimensions)


def _check_datum(datum: Datum, where: str, now: float) -> None:
    if datum.at > now + 2 * HOUR_S:
        raise _invalid(f"The parameter {where}.Timestamp must specify a time no more than two hours in the future.")
    if datum.at < now - 14 * DAY_S:
        raise _invalid(f"The parameter {where}.Timestamp must specify a time within the past two weeks.")
    if datum.resolution_s not in (1, 60):
        raise _invalid(f"The value {datum.resolution_s} for parameter {where}.StorageResolution is invalid.")
    check_dimensions(datum.dimensions, where)
    if datum.statistics:
        _check_statistics(datum.statistics, f"{where}.StatisticValues")
        return
    if len(datum.values) > MAX_VALUES:
        raise _invalid(f"The collection {where}.Values must not have a size greater than {MAX_VALUES}.")
    for value, count in datum.values:
        _check_number(value, f"{where}.Value")
        _check_number(count, f"{where}.Counts")
        if count < 0:
            raise _invalid(f"The value {count} for parameter {where}.Counts is invalid: a count cannot be negative.")


def check_dimensions(dimensions: Dimensions, where: str) -> None:
    """Names once each, ASCII, not blank, not beginning with a colon."""
    names = [name for name, _ in dimensions]
    if len(set(names)) != len(names):
        raise _invalid(f"The parameter {where}.Dimensions names a dimension twice; each name may appear once.")
    for name, value in dimensions:
        if name.startswith(":") or not _is_plain(name):
            raise _invalid(f"The value {name} for parameter {where}.Dimensions.member.Name is invalid.")
        if not _is_plain(value):
            raise _invalid(f"The value {value} for parameter {where}.Dimensions.member.Value is invalid.")


def _is_plain(text: str) -> bool:
    return bool(text.strip()) and text.isascii() and all(letter >= " " and letter != "\x7f" for letter in text)


def _check_statistics(statistics: StatisticSet, where: str) -> None:
    for name, value in (
        ("SampleCount", statistics.count),
        ("Sum", statistics.total),
        ("Minimum", statistics.minimum),
        ("Maximum", statistics.maximum),
    ):
        _check_number(value, f"{where}.{name}")
    if statistics.minimum > statistics.maximum:
        raise _invalid(f"The parameter {where}.Maximum must be greater than or equal to {where}.Minimum.")
    if statistics.count <= 0:
        raise _invalid(f"The value {statistics.count} for parameter {where}.SampleCount is invalid.")


def _check_number(value: float, where: str) -> None:
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise _invalid(f"The value {value} for parameter {where} is invalid: it must lie between -2^360 and 2^360.")


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidParameterValue", message)
