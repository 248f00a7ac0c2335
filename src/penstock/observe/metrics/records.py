"""The metrics' tables and SQL. Rule: functions take a `Connection`; a cell's row is its state and nothing derived."""

from collections.abc import Iterable, Sequence

import orjson
import sqlalchemy as sa

from penstock.core.context import Scope
from penstock.observe.metrics.cell import Cell, CellState
from penstock.observe.metrics.memory import Batch, Series
from penstock.observe.metrics.model import MetricKey
from penstock.store.database import METADATA, Connection

SERIES = sa.Table(
    "metric_series",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("account", sa.String, nullable=False),
    sa.Column("region", sa.String, nullable=False),
    sa.Column("namespace", sa.String, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("dimensions", sa.JSON, nullable=False),
    sa.Column("unit", sa.String, nullable=False),
    sa.Column("last_at", sa.Float, nullable=False),
)
CELLS = sa.Table(
    "metric_cells",
    METADATA,
    sa.Column("series", sa.Integer, primary_key=True),
    sa.Column("start", sa.Integer, primary_key=True),
    sa.Column("samples", sa.Float, nullable=False),
    sa.Column("total", sa.Float, nullable=False),
    sa.Column("minimum", sa.Float, nullable=False),
    sa.Column("maximum", sa.Float, nullable=False),
    sa.Column("detail", sa.LargeBinary),
    sa.Index("metric_cells_start", "start"),
)
Row = tuple[int, int, CellState]


def write_batch(connection: Connection, batch: Batch) -> None:
    """Write what changed. Held cells replace their row; late ones are added to it."""
    if batch.new:
        connection.execute(sa.insert(SERIES), [_series_values(series) for series in batch.new])
    late = [(series.id, start, state) for series, start, state in batch.late]
    rows = [(series.id, start, state) for series, start, state in batch.cells] + _added(connection, late)
    if rows:
        same = sa.and_(CELLS.c.series == sa.bindparam("of"), CELLS.c.start == sa.bindparam("at"))
        connection.execute(sa.delete(CELLS).where(same), [{"of": series, "at": start} for series, start, _ in rows])
        connection.execute(sa.insert(CELLS), [_cell_values(*row) for row in rows])
    touched = {series.id: series.last_at for series, _, _ in [*batch.cells, *batch.late]}
    if touched:
        by_id = sa.update(SERIES).where(SERIES.c.id == sa.bindparam("the_id")).values(last_at=sa.bindparam("at"))
        connection.execute(by_id, [{"the_id": series, "at": at} for series, at in touched.items()])


def read_series(connection: Connection) -> list[tuple[int, MetricKey, str, float]]:
    """Every series: id, metric, unit, time of the last sample."""
    rows = connection.execute(sa.select(SERIES))
    return [
        (row.id, MetricKey(Scope(row.account, row.region), row.namespace, row.name, _pairs(row.dimensions)), row.unit,
         row.last_at)
        for row in rows
    ]  # fmt: skip


def read_cells(connection: Connection, series: Sequence[int], start: float, end: float) -> list[tuple[int, int, Cell]]:
    """The stored cells of these series that begin within [start, end)."""
    within = sa.and_(CELLS.c.series.in_(series), CELLS.c.start >= start, CELLS.c.start < end)
    return [_cell_of(row) for row in connection.execute(sa.select(CELLS).where(within))]


def read_cells_since(connection: Connection, start: float) -> list[tuple[int, int, Cell]]:
    """Every stored cell that begins at `start` or later."""
    return [_cell_of(row) for row in connection.execute(sa.select(CELLS).where(CELLS.c.start >= start))]


def _added(connection: Connection, late: Iterable[Row]) -> list[Row]:
    sums = []
    for series, start, state in late:
        cell = Cell.of(state)
        for _, _, stored in read_cells(connection, [series], start, start + 1):
            cell.merge(stored)
        sums.append((series, start, cell.state()))
    return sums


def _series_values(series: Series) -> dict[str, object]:
    key = series.key
    return {
        "id": series.id,
        "account": key.scope.account,
        "region": key.scope.region,
        "namespace": key.namespace,
        "name": key.name,
        "dimensions": [list(pair) for pair in key.dimensions],
        "unit": series.unit,
        "last_at": series.last_at,
    }


def _cell_values(series: int, start: int, state: CellState) -> dict[str, object]:
    detail = None if state.values is None else orjson.dumps({"values": state.values, "buckets": state.buckets})
    return {
        "series": series,
        "start": start,
        "samples": state.count,
        "total": state.total,
        "minimum": state.minimum,
        "maximum": state.maximum,
        "detail": detail,
    }


def _cell_of(row: sa.Row[tuple[object, ...]]) -> tuple[int, int, Cell]:
    detail = None if row.detail is None else orjson.loads(row.detail)
    values = None if detail is None else tuple((float(value), n) for value, n in detail["values"])
    buckets = () if detail is None else tuple((int(bucket), n) for bucket, n in detail["buckets"])
    state = CellState(row.samples, row.total, row.minimum, row.maximum, values, buckets)
    return row.series, row.start, Cell.of(state)


def _pairs(dimensions: Iterable[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in dimensions)
