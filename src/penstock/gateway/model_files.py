"""botocore's bundled service models, read straight from its files: importing botocore takes longer than starting up.

Rule: a name from outside reaches the file system only when it is the name of a directory that botocore ships.
"""

import gzip
import importlib.util
from pathlib import Path
from typing import Any

import orjson

FILES = ("service-2.json.gz", "service-2.json")


class ModelFiles:
    """The `data` directory of the installed botocore."""

    def __init__(self) -> None:
        """Nothing is read; botocore is found and not imported."""
        spec = importlib.util.find_spec("botocore")
        if spec is None or not spec.submodule_search_locations:
            raise RuntimeError("botocore is not installed: it carries the models of AWS's APIs")
        self._data = Path(spec.submodule_search_locations[0]) / "data"
        self._names: frozenset[str] | None = None

    def load(self, name: str) -> dict[str, Any] | None:
        """The newest model of the service, as botocore's loader gives it; None when botocore does not know it."""
        if self._names is None:
            self._names = frozenset(path.name for path in self._data.iterdir())
        if name not in self._names:
            return None
        for version in sorted(self._data.joinpath(name).glob("[0-9]*"), reverse=True):
            for file in FILES:
                path = version / file
                if path.exists():
                    return _read(path)
        return None


def _read(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    model: dict[str, Any] = orjson.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
    extras = path.with_name("service-2.sdk-extras.json")
    if extras.exists():
        _merge(model, orjson.loads(extras.read_bytes()).get("merge", {}))
    return model


def _merge(model: dict[str, Any], more: dict[str, Any]) -> None:
    for name, value in more.items():
        if isinstance(value, dict) and isinstance(model.get(name), dict):
            _merge(model[name], value)
        else:
            model[name] = value
