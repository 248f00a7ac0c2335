"""Unpacked trees: built once, whole or not there, whatever happens to those who asked."""

import asyncio
import threading

import pytest

from penstock.registry.trees import Content, Trees


def content(text: str) -> Content:
    return Content(lambda path: (path / "x").is_file(), lambda path: (path / "x").write_text(text) and None)


def test_a_build_that_fails_leaves_nothing_and_is_tried_again(tmp_path) -> None:
    trees = Trees(tmp_path / "trees")

    def half(path) -> None:
        (path / "half").write_text("x")
        raise OSError(28, "no space")

    async def scenario():
        with pytest.raises(OSError, match="no space"):
            await trees.get("a", lambda: Content(lambda _: True, half))
        assert trees.names() == set()
        return await trees.get("a", lambda: content("whole"))

    path = asyncio.run(scenario())
    assert [one.name for one in path.iterdir()] == ["x"]


def test_who_gives_up_does_not_take_the_tree_from_the_others(tmp_path) -> None:
    trees = Trees(tmp_path / "trees")
    go = threading.Event()

    def load() -> Content:
        assert go.wait(10)
        return content("whole")

    async def scenario():
        first = asyncio.create_task(trees.get("a", load))
        second = asyncio.create_task(trees.get("a", load))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        go.set()
        return await second

    assert (asyncio.run(scenario()) / "x").read_text() == "whole"


def test_what_is_discarded_is_gone_and_can_come_back(tmp_path) -> None:
    trees = Trees(tmp_path / "trees")

    async def scenario():
        await trees.get("a", lambda: content("one"))
        await trees.discard("a")
        await trees.discard("a")
        assert trees.names() == set()
        return await trees.get("a", lambda: content("two"))

    assert (asyncio.run(scenario()) / "x").read_text() == "two"
    assert [path.name for path in trees.root.glob(".tmp-*")] == []
