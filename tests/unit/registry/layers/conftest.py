"""A bench that publishes layers."""

from collections.abc import Callable

import pytest
from tests.unit.registry.bench import make_zip


@pytest.fixture
def publish(bench) -> Callable[..., dict]:
    """`publish("pillow", {"python/pil.py": "x = 1"}, …)`: the answer of PublishLayerVersion."""

    def publish(name: str = "pillow", files: dict[str, str] | None = None, **params) -> dict:
        content = {"ZipFile": make_zip(files or {"python/pil.py": "x = 1\n"})}
        return bench.call("PublishLayerVersion", LayerName=name, Content=content, **params)

    return publish
