"""Packages on disk: whole or not there, hashed on load, unpacked once, and safe against what lies around."""

import asyncio

import pytest
from tests.unit.registry.bench import make_zip

from penstock.registry import package
from penstock.registry.artifacts import GRACE_S, Artifacts, DamagedPackageError, InUse, digest, hex_name

ZIP = make_zip({"app.py": "x = 1", "lib/b.py": "y = 2"})
SHA = digest(ZIP)


@pytest.fixture
def artifacts(tmp_path, clock) -> Artifacts:
    return Artifacts(data=tmp_path, clock=clock)


def test_what_is_put_can_be_loaded_and_leaves_nothing_aside(artifacts, tmp_path) -> None:
    assert asyncio.run(artifacts.put(ZIP)) == SHA
    assert asyncio.run(artifacts.put(ZIP)) == SHA
    assert asyncio.run(artifacts.load(SHA)) == ZIP
    assert [path.name for path in (tmp_path / "artifacts").iterdir()] == [f"{hex_name(SHA)}.zip"]


def test_damage_is_noticed_on_load_and_mended_by_a_new_upload(artifacts, tmp_path) -> None:
    asyncio.run(artifacts.put(ZIP))
    path = tmp_path / "artifacts" / f"{hex_name(SHA)}.zip"
    path.write_bytes(ZIP[:-1] + b"\1")
    for ask in (artifacts.load, artifacts.unpacked):
        with pytest.raises(DamagedPackageError, match="SHA-256"):
            asyncio.run(ask(SHA))
    asyncio.run(artifacts.put(ZIP))
    assert asyncio.run(artifacts.load(SHA)) == ZIP
    path.unlink()
    with pytest.raises(DamagedPackageError, match="cannot be read"):
        asyncio.run(artifacts.load(SHA))


def test_many_who_ask_at_once_unpack_once(artifacts, monkeypatch) -> None:
    calls = []
    real = package.unpack
    monkeypatch.setattr(package, "unpack", lambda *given: (calls.append(1), real(*given)))

    async def scenario():
        await artifacts.put(ZIP)
        return await asyncio.gather(*(artifacts.unpacked(SHA) for _ in range(20)))

    paths = set(asyncio.run(scenario()))
    assert len(calls) == len(paths) == 1
    assert (paths.pop() / "lib" / "b.py").read_text() == "y = 2"


def remove(path) -> None:
    for directory in (path, *(p for p in path.rglob("*") if p.is_dir())):
        directory.chmod(0o700)
    for file in sorted(path.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    path.rmdir()


def test_unpacked_code_may_vanish_even_while_running(artifacts) -> None:
    asyncio.run(artifacts.put(ZIP))
    path = asyncio.run(artifacts.unpacked(SHA))
    remove(path)
    assert asyncio.run(artifacts.unpacked(SHA)) == path
    assert (path / "app.py").read_text() == "x = 1"


def test_half_deleted_code_of_an_earlier_run_is_unpacked_again(artifacts, tmp_path, clock) -> None:
    asyncio.run(artifacts.put(ZIP))
    path = asyncio.run(artifacts.unpacked(SHA))
    path.chmod(0o700)
    (path / "app.py").unlink()
    (tmp_path / "run" / "code" / f".tmp-{hex_name(SHA)}").mkdir()
    again = Artifacts(data=tmp_path, clock=clock)
    assert (asyncio.run(again.unpacked(SHA)) / "app.py").read_text() == "x = 1"
    assert not list((tmp_path / "run" / "code").glob(".tmp-*"))


def test_after_a_reboot_unpacked_code_is_not_trusted(artifacts, tmp_path, clock) -> None:
    """Names and sizes can survive a power cut without their bytes."""
    asyncio.run(artifacts.put(ZIP))
    path = asyncio.run(artifacts.unpacked(SHA))
    (path / "app.py").chmod(0o600)
    (path / "app.py").write_text("\0\0\0\0\0")
    (tmp_path / "run" / "code" / ".boot").write_text("another boot")
    again = Artifacts(data=tmp_path, clock=clock)
    assert (asyncio.run(again.unpacked(SHA)) / "app.py").read_text() == "x = 1"


def test_the_sweep_spares_what_is_used_held_or_young(artifacts, tmp_path, clock) -> None:
    def left() -> int:
        return len(list((tmp_path / "artifacts").glob("*.zip")))

    async def sweep(*used: str) -> None:
        async def in_use() -> InUse:
            return InUse(set(used))

        await artifacts.sweep(in_use)

    async def scenario():
        await artifacts.put(ZIP)
        await sweep(SHA)
        clock.move(GRACE_S * 2)
        await sweep(SHA)
        assert left() == 1, "a row names it"
        await sweep()
        assert left() == 1, "it is not named only since now"
        clock.move(GRACE_S - 1)
        await sweep()
        assert left() == 1, "handlers may still run"
        clock.move(1)
        with artifacts.holding(SHA):
            await sweep()
        assert left() == 1, "somebody is about to name it"
        await sweep()
        assert left() == 0

    asyncio.run(scenario())


def test_whoever_comes_while_the_sweep_looks_is_seen(artifacts, tmp_path, clock) -> None:
    async def scenario():
        await artifacts.put(ZIP)

        async def nothing() -> InUse:
            return InUse(set())

        async def a_row_comes_just_after_the_look() -> InUse:
            with artifacts.holding(SHA):
                await artifacts.put(ZIP)
            return InUse(set())

        await artifacts.sweep(nothing)
        clock.move(GRACE_S * 2)
        await artifacts.sweep(a_row_comes_just_after_the_look)
        assert await artifacts.load(SHA) == ZIP

    asyncio.run(scenario())
