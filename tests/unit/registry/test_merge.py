"""Merging layers: the later one wins, whatever kinds of files meet, and nothing is written through a link."""

import asyncio
import stat

import pytest
from tests.unit.registry.bench import make_zip
from tests.unit.registry.test_package import LINK, zip_with

from penstock.registry import merge
from penstock.registry.artifacts import Artifacts, digest
from penstock.registry.package import TOO_LARGE, PackageError

FILE = 0o644


def tree(path) -> dict[str, str]:
    found = {}
    for one in sorted(path.rglob("*")):
        name = str(one.relative_to(path))
        if one.is_symlink():
            found[name] = f"-> {one.readlink()}"
        elif one.is_file():
            found[name] = one.read_text()
    return found


def unpacked(tmp_path, *layers: bytes) -> dict[str, str]:
    target = tmp_path / "opt"
    target.mkdir()
    merge.unpack(layers, target)
    assert merge.matches(layers, target)
    return tree(target)


CASES = {
    "both are there": ([{"a/x": "1"}, {"a/y": "2"}], {"a/x": "1", "a/y": "2"}),
    "the later file wins": ([{"a/x": "1"}, {"a/x": "2"}, {"b": "3"}], {"a/x": "2", "b": "3"}),
    "the order decides": ([{"a/x": "2"}, {"a/x": "1"}], {"a/x": "1"}),
    "a later file replaces a directory": ([{"a/x/y": "1", "a/z": "1"}, {"a/x": "2"}], {"a/x": "2", "a/z": "1"}),
    "a later directory replaces a file": ([{"a": "1", "b": "1"}, {"a/x": "2"}], {"a/x": "2", "b": "1"}),
    "there and back": ([{"a/x": "1"}, {"a": "2"}, {"a/y": "3"}], {"a/y": "3"}),
    "names that only begin alike": ([{"a/x": "1", "ab/x": "1"}, {"a": "2"}], {"a": "2", "ab/x": "1"}),
}


@pytest.mark.parametrize("case", CASES)
def test_the_later_layer_wins(tmp_path, case) -> None:
    layers, wanted = CASES[case]
    assert unpacked(tmp_path, *(make_zip(files) for files in layers)) == wanted


def test_nothing_is_written_through_a_link_of_another_layer(tmp_path) -> None:
    linked = zip_with(("lib/x", "1", FILE), ("python", "lib", LINK))
    assert unpacked(tmp_path, linked, make_zip({"python/x": "2"})) == {"lib/x": "1", "python/x": "2"}


def test_a_link_replaces_what_was_there(tmp_path) -> None:
    linked = zip_with(("lib/x", "1", FILE), ("python", "lib", LINK))
    assert unpacked(tmp_path, make_zip({"python/x": "2"}), linked) == {"lib/x": "1", "python": "-> lib"}


def test_links_that_leave_together_are_refused(tmp_path) -> None:
    """Each stays inside its own layer; the first layer's `deep/er` is a directory, the second's leads to the top."""
    climbing = zip_with(("deep/er/f", "1", FILE), ("out", "deep/er/../../f", LINK))
    shortcut = zip_with(("f", "1", FILE), ("deep/er", "..", LINK))
    for layer in (climbing, shortcut):
        merge.merged([merge.package.listing(layer)])
    with pytest.raises(PackageError, match="would leave /opt"):
        unpacked(tmp_path, climbing, shortcut)


def test_what_is_merged_is_read_only_and_bounded(tmp_path) -> None:
    layers = [zip_with(("bin/tool", "#!", 0o755), ("a", "1" * 10, FILE)), zip_with(("b", "2" * 10, FILE))]
    unpacked(tmp_path, *layers)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "opt").rglob("*")}
    assert modes == {"bin": 0o555, "tool": 0o555, "a": 0o444, "b": 0o444}
    (tmp_path / "small").mkdir()
    with pytest.raises(PackageError, match=TOO_LARGE):
        merge.unpack(layers, tmp_path / "small", limit=21)


def test_one_directory_for_one_row_of_layers(tmp_path, clock) -> None:
    artifacts = Artifacts(data=tmp_path, clock=clock)
    one, two = make_zip({"x": "1"}), make_zip({"x": "2"})

    async def scenario():
        await artifacts.put(one)
        await artifacts.put(two)
        row = (digest(one), digest(two))
        assert await artifacts.layers(()) is None
        paths = set(await asyncio.gather(*(artifacts.layers(row) for _ in range(10))))
        return paths, await artifacts.layers(row[::-1])

    paths, reverse = asyncio.run(scenario())
    assert len(paths) == 1
    assert (paths.pop() / "x").read_text() == "2"
    assert (reverse / "x").read_text() == "1"
    assert reverse.parent == tmp_path / "run" / "layers"
    again = Artifacts(data=tmp_path, clock=clock)
    assert asyncio.run(again.layers((digest(two), digest(one)))) == reverse
