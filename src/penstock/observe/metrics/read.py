"""Reading numbers back: memory for the recent hours, the store for what is older. Rule: nothing is counted twice."""

from collections.abc import Sequence

from penstock.observe.metrics.cell import Cell
from penstock.observe.metrics.memory import Memory, Series
from penstock.observe.metrics.model import MetricKey, SeriesQuery
from penstock.observe.metrics.records import read_cells
from penstock.observe.metrics.windows import by_period
from penstock.store.database import Connection, Store

Periods = dict[float, Cell]
"""Cells by the beginning of their period, rising; periods without samples are absent."""


async def read_by_unit(memory: Memory, store: Store, query: SeriesQuery) -> dict[str, Periods]:
    """The periods of each unit in which the metric has samples."""
    units = memory.units(query.key)
    chosen = [series for unit, series in units.items() if query.unit in (None, unit)]
    # Memory first, in one go: what a flush moves to the store meanwhile is older than `held_since` as noted here.
    held_since = memory.held_since
    cells: dict[str, list[tuple[float, Cell]]] = {
        series.unit: [(start, cell) for start, cell in series.cells.items() if _within(query, start)]
        for series in chosen
    }
    if chosen and query.start < held_since:
        for unit, start, cell in await _stored(store, chosen, query.start, min(query.end, held_since)):
            cells[unit].append((start, cell))
    by_unit = {unit: by_period(found, query.start, query.end, query.period_s) for unit, found in cells.items()}
    return {unit: periods for unit, periods in by_unit.items() if periods}


async def read_periods(memory: Memory, store: Store, query: SeriesQuery) -> Periods:
    """The periods with all the asked units added up."""
    by_unit = await read_by_unit(memory, store, query)
    if len(by_unit) == 1:
        return next(iter(by_unit.values()))
    cells = [(start, cell) for periods in by_unit.values() for start, cell in periods.items()]
    return by_period(cells, query.start, query.end, query.period_s)


def read_total(memory: Memory, connection: Connection, key: MetricKey, start: float, end: float) -> float | None:
    """The sum of the samples within [start, end), by minute; None when there are none. Safe in any thread.

    Another thread may be recording: the copies below are single steps of the interpreter, a cell's total is one number.
    """
    held_since, units = memory.held_since, list(memory.units(key).values())
    totals = [c.total for one in units for at, c in list(one.cells.items()) if start <= at < end and at >= held_since]
    if units and start < held_since:
        rows = read_cells(connection, [one.id for one in units], start, min(end, held_since))
        totals += [cell.total for _, _, cell in rows]
    return sum(totals) if totals else None


def _within(query: SeriesQuery, start: float) -> bool:
    return query.start <= start < query.end


async def _stored(store: Store, series: Sequence[Series], start: float, end: float) -> list[tuple[str, int, Cell]]:
    units = {one.id: one.unit for one in series}
    rows = await store.read(lambda connection: read_cells(connection, list(units), start, end))
    return [(units[series_id], at, cell) for series_id, at, cell in rows]
