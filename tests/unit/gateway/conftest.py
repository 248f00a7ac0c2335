"""Fixtures of the gateway's tests."""

import pytest

from gateway.bench import Bench, make_bench
from penstock.gateway.models import Models


@pytest.fixture(scope="session")
def models() -> Models:
    return Models()


@pytest.fixture
def bench(models: Models) -> Bench:
    return make_bench(models)
