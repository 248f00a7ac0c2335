"""The recent hours of every metric, in memory. Rule: `add` is a few dictionary operations, never waits, never raises.

Everything at or after `held_since` is complete here and only copied to the store; anything older lives in the store.
Samples that arrive for that older time wait here in cells of their own until the flush adds them to the stored ones.
Used from the event loop's thread only.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

from penstock.core.context import Scope
from penstock.observe.metrics.cell import Cell, CellState
from penstock.observe.metrics.model import HOUR_S, MetricKey
from penstock.observe.metrics.windows import cell_start
from penstock.observe.ports import Dimensions

log = logging.getLogger(__name__)

HELD_S = 3 * HOUR_S
FORGET_STEP_S = 300
MAX_CELLS = 200_000
"""Beyond this the oldest stored cells leave memory early: about 100 MB with a few distinct values each."""
MAX_SERIES = 100_000
"""Beyond this new metrics are refused: a metric name made from a request id must not eat the server."""

IndexKey = tuple[Scope, str, str, Dimensions]


class Series:
    """The samples of one metric in one unit. AWS keeps units apart."""

    __slots__ = ("cells", "id", "key", "last_at", "late", "stored", "unit")

    def __init__(self, series_id: int, key: MetricKey, unit: str):
        """A series without samples."""
        self.id = series_id
        self.key = key
        self.unit = unit
        self.stored = False
        self.last_at = 0.0
        self.cells: dict[int, Cell] = {}
        self.late: dict[int, Cell] = {}


@dataclass(frozen=True, slots=True)
class Batch:
    """What one flush writes. States are copies, so that recording goes on meanwhile."""

    new: list[Series] = field(default_factory=list)
    cells: list[tuple[Series, int, CellState]] = field(default_factory=list)
    late: list[tuple[Series, int, CellState]] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.new or self.cells or self.late)


class Memory:
    """All series of this server."""

    def __init__(self, held_since: float, *, max_cells: int = MAX_CELLS, max_series: int = MAX_SERIES):
        """Nothing is known yet; `adopt` brings in what the store has."""
        self.held_since = held_since
        self.refused = 0
        self.epoch = 0
        """Counts up whenever a cell that was found before must be looked up again."""
        self._max_cells = max_cells
        self._max_series = max_series
        self._index: dict[IndexKey, dict[str, Series]] = {}
        self._next_id = 1
        self._series_count = 0
        self._cell_count = 0
        self._dirty: dict[tuple[Series, int], None] = {}
        self._dirty_late: set[Series] = set()

    def cell(self, index: IndexKey, unit: str, at: float, resolution_s: int) -> Cell | None:
        """The cell to add a sample to; None when there is no room for another series."""
        units = self._index.get(index)
        series = units.get(unit) if units else None
        if series is None:
            series = self._open(index, unit)
            if series is None:
                return None
        series.last_at = max(series.last_at, at)
        start = cell_start(at, resolution_s)
        if start < self.held_since:
            self._dirty_late.add(series)
            return series.late.setdefault(start, Cell())
        self._dirty[(series, start)] = None
        cell = series.cells.get(start)
        if cell is None:
            cell = series.cells[start] = Cell()
            self._cell_count += 1
        return cell

    def units(self, key: MetricKey) -> dict[str, Series]:
        """The metric's series by unit."""
        return self._index.get((key.scope, key.namespace, key.name, key.dimensions), {})

    def metrics(self, scope: Scope) -> Iterator[tuple[MetricKey, float]]:
        """Every metric of the scope and when its last sample was."""
        for index, units in self._index.items():
            if index[0] == scope:
                yield MetricKey(*index), max(series.last_at for series in units.values())

    def has_room(self, additional: int) -> bool:
        """Whether so many more series would fit."""
        return self._series_count + additional <= self._max_series

    def take(self) -> Batch:
        """Everything that changed since the last `take`; give it back when writing it fails."""
        cells = [(series, start, series.cells[start].state()) for series, start in self._dirty]
        late = [(s, start, cell.state()) for s in self._dirty_late for start, cell in s.late.items()]
        new = {series: None for series, _, _ in [*cells, *late] if not series.stored}
        for series in self._dirty_late:
            series.late = {}
        self._dirty, self._dirty_late = {}, set()
        self.epoch += 1
        return Batch(list(new), cells, late)

    def give_back(self, batch: Batch) -> None:
        """The batch was not written: its cells count as changed again."""
        for series, start, _ in batch.cells:
            if start in series.cells:
                self._dirty[(series, start)] = None
        for series, start, state in batch.late:
            series.late.setdefault(start, Cell()).merge(Cell.of(state))
            self._dirty_late.add(series)

    def adopt(self, series_id: int, key: MetricKey, unit: str, last_at: float) -> Series:
        """A series the store knows, at start."""
        self.epoch += 1
        series = Series(series_id, key, unit)
        series.stored, series.last_at = True, last_at
        self._index.setdefault((key.scope, key.namespace, key.name, key.dimensions), {})[unit] = series
        self._next_id = max(self._next_id, series_id + 1)
        self._series_count += 1
        return series

    def adopt_cell(self, series: Series, start: int, cell: Cell) -> None:
        """A stored cell of the recent hours, at start."""
        series.cells[start] = cell
        self._cell_count += 1

    def forget(self, now: float) -> int:
        """Let go of what is old, or too much, and stored; returns how many unstored cells had to be lost."""
        lost = 0
        since = max(self.held_since, (now - HELD_S) // FORGET_STEP_S * FORGET_STEP_S)
        if self._cell_count > self._max_cells:
            since = max(since, self._start_that_fits())
            lost = self._lose_before(since) if self._cell_count > 2 * self._max_cells else 0
        if self._dirty:  # what is not stored yet must stay, and `held_since` is one line for all series
            since = min(since, *(start for _, start in self._dirty))
        if since > self.held_since:
            self.held_since = since
            self._drop_before(since)
        return lost

    def _open(self, index: IndexKey, unit: str) -> Series | None:
        if self._series_count >= self._max_series:
            self.refused += 1
            return None
        series = Series(self._next_id, MetricKey(*index), unit)
        self._index.setdefault(index, {})[unit] = series
        self._next_id += 1
        self._series_count += 1
        return series

    def _all(self) -> Iterator[Series]:
        for units in self._index.values():
            yield from units.values()

    def _start_that_fits(self) -> int:
        starts = sorted((start for series in self._all() for start in series.cells), reverse=True)
        return starts[int(self._max_cells * 0.8)] + 1

    def _lose_before(self, since: float) -> int:
        """The store has refused writes for long (a full disk): measuring must not take the server down with it."""
        doomed = [entry for entry in self._dirty if entry[1] < since]
        for entry in doomed:
            del self._dirty[entry]
        return len(doomed)

    def _drop_before(self, since: float) -> None:
        self.epoch += 1
        for series in self._all():
            for start in [start for start in series.cells if start < since]:
                del series.cells[start]
                self._cell_count -= 1
