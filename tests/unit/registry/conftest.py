"""The bench as a fixture."""

from collections.abc import Iterator

import pytest
from tests.unit.registry.bench import Bench


@pytest.fixture
def bench(store, tmp_path, clock, scope) -> Iterator[Bench]:
    bench = Bench(store, tmp_path, clock, scope)
    yield bench
    bench.close()
