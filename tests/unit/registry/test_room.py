"""The room as a whole: a restart goes on where it was, damage is told, a caller that leaves changes nothing, links."""

import asyncio
import urllib.parse
from dataclasses import replace

import pytest
from tests.unit.registry.bench import Bench, make_zip

from penstock.core.clock import SystemClock
from penstock.core.errors import ApiError
from penstock.gateway.contract import HttpRequest
from penstock.registry.fakes import PlainCipher


def restarted(bench) -> Bench:
    bench.runner.run(bench.registry.stop())
    again = Bench(bench.store, bench.data, bench.clock, bench.scope)
    again.runner.run(again.registry.start())
    return again


def test_a_restart_finds_everything_and_goes_on_with_what_was_in_progress(bench) -> None:
    bench.create(Environment={"Variables": {"A": "1"}})
    bench.publish_changed()
    bench.call("CreateAlias", FunctionName="orders", Name="live", FunctionVersion="1")
    bench.call("PutFunctionConcurrency", FunctionName="orders", ReservedConcurrentExecutions=3)
    bench.create("pending", settle=False, Publish=True)
    bench.call("UpdateFunctionConfiguration", FunctionName="orders", Timeout=99)
    before = bench.registry.routing.resolve(bench.scope, "orders", "live")
    again = restarted(bench)
    try:
        assert again.registry.routing.resolve(bench.scope, "orders", "live") == before
        again.settle()
        for name, qualifier in (("pending", "$LATEST"), ("pending", "1"), ("orders", "$LATEST")):
            shown = again.call("GetFunctionConfiguration", FunctionName=name, Qualifier=qualifier)
            assert (shown["State"], shown["LastUpdateStatus"]) == ("Active", "Successful")
        assert again.registry.routing.resolve(bench.scope, "orders").primary.timeout_s == 99
    finally:
        again.close()


def test_the_loop_settles_by_itself(store, tmp_path, scope) -> None:
    bench = Bench(store, tmp_path, SystemClock(), scope)

    async def scenario():
        await bench.registry.start()
        await bench.start_call(
            "CreateFunction", FunctionName="orders", Runtime="python3.12", Handler="a.h",
            Role="r", Code={"ZipFile": make_zip()},
        )  # fmt: skip
        deadline = bench.clock.monotonic() + 10
        while bench.registry.routing.resolve(scope, "orders").primary.state != "Active":
            assert bench.clock.monotonic() < deadline
            await asyncio.sleep(0.01)

    bench.runner.run(scenario())
    bench.close()


def test_a_damaged_package_fails_the_function_and_a_new_upload_mends_it(bench) -> None:
    created = bench.create(settle=False)
    package = next((bench.data / "artifacts").glob("*.zip"))
    package.write_bytes(b"torn")
    bench.settle()
    failed = bench.call("GetFunctionConfiguration", FunctionName="orders")
    assert (failed["State"], failed["StateReasonCode"]) == ("Failed", "InvalidZipFileException")
    assert "Upload it again" in failed["StateReason"]
    assert failed["LastUpdateStatus"] == "Failed"
    again = bench.call("UpdateFunctionCode", FunctionName="orders", ZipFile=make_zip())
    assert (again["State"], again["LastUpdateStatus"]) == ("Pending", "InProgress")
    bench.settle()
    mended = bench.call("GetFunctionConfiguration", FunctionName="orders")
    assert (mended["State"], mended["CodeSha256"]) == ("Active", created["CodeSha256"])


def test_a_caller_that_leaves_early_still_has_its_write_routed(bench) -> None:
    bench.create()

    async def scenario():
        task = asyncio.ensure_future(
            bench.start_call("PutFunctionConcurrency", FunctionName="orders", ReservedConcurrentExecutions=4)
        )
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await bench.registry._desk.drain()

    bench.runner.run(scenario())
    assert bench.call("GetFunctionConcurrency", FunctionName="orders") == {"ReservedConcurrentExecutions": 4}
    assert bench.registry.routing.resolve(bench.scope, "orders").reserved_concurrency == 4


def test_a_change_log_that_refuses_undoes_the_change(bench) -> None:
    class Broken:
        def record(self, connection, change) -> None:
            raise ApiError("ServiceException", "no timeline")

    bench.registry._desk.changes = Broken()
    error = bench.refused(
        "CreateFunction", FunctionName="orders", Runtime="python3.12", Handler="a.h", Role="r",
        Code={"ZipFile": make_zip()},
    )  # fmt: skip
    assert error.code == "ServiceException"
    with pytest.raises(ApiError):
        bench.registry.routing.resolve(bench.scope, "orders")


def test_a_lost_key_stops_its_function_only(bench) -> None:
    bench.create(Environment={"Variables": {"A": "1"}})
    bench.create("other")

    class Lost(PlainCipher):
        def decrypt(self, sealed, purpose):
            raise ValueError("wrong key")

    bench.registry._desk.cipher = Lost()
    bench.runner.run(bench.registry.start())
    shown = bench.call("GetFunctionConfiguration", FunctionName="orders")
    assert shown["Environment"]["Error"]["ErrorCode"] == "AccessDeniedException"
    lost, other = (bench.registry.routing.resolve(bench.scope, name).primary for name in ("orders", "other"))
    assert lost.environment_error
    assert (lost.state, other.state) == ("Failed", "Active"), "running without its variables would be worse"


def fetch(bench, url: str, method: str = "GET"):
    parts = urllib.parse.urlsplit(url)
    handler = next(act for prefix, act in bench.registry.routes().items() if parts.path.startswith(prefix))
    request = HttpRequest(method, parts.path, parts.query, {}, b"")
    return bench.runner.run(handler(bench.context(), request))


def test_the_code_can_be_fetched_by_its_link_for_ten_minutes(bench) -> None:
    bench.create()
    url = bench.call("GetFunction", FunctionName="orders")["Code"]["Location"]
    assert url.startswith("http://127.0.0.1:4566/_penstock/code/")
    answer = fetch(bench, url)
    assert (answer.status, answer.body) == (200, make_zip())
    assert fetch(bench, url, "PUT").status == 405
    for wrong in (url[:-1], url.replace("expires=1", "expires=2"), url.replace("/code/", "/code/0"), url.split("?")[0]):
        assert fetch(bench, wrong).status == 403, wrong
    bench.clock.move(601)
    assert fetch(bench, url).status == 403


def test_a_link_to_swept_code_says_so(bench) -> None:
    bench.create()
    url = bench.call("GetFunction", FunctionName="orders")["Code"]["Location"]
    next((bench.data / "artifacts").glob("*.zip")).unlink()
    assert fetch(bench, url).status == 404


def test_a_full_disk_refuses_the_package_and_changes_nothing(bench, monkeypatch) -> None:
    bench.create()

    async def full(_: bytes) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bench.registry.artifacts, "put", full)
    error = bench.refused("UpdateFunctionCode", FunctionName="orders", ZipFile=make_zip({"b.py": ""}))
    assert error.code == "CodeStorageExceededException"
    assert "Free space" in error.message


def test_packages_from_a_bucket(bench) -> None:
    asked = []

    class Bucket:
        async def read(self, scope, bucket, key, version_id) -> bytes:
            asked.append((scope, bucket, key, version_id))
            return make_zip()

    bench.registry._desk.objects = Bucket()
    bench.create(Code={"S3Bucket": "b", "S3Key": "k", "S3ObjectVersion": "v"})
    assert asked == [(bench.scope, "b", "k", "v")]
    assert bench.call("GetFunctionConfiguration", FunctionName="orders")["State"] == "Active"


def test_scopes_do_not_meet(bench) -> None:
    elsewhere = replace(bench.scope, region="eu-west-1")
    bench.create()
    bench.create(scope=elsewhere)
    bench.call("DeleteFunction", FunctionName="orders", scope=elsewhere)
    assert bench.call("GetFunction", FunctionName="orders")["Configuration"]["State"] == "Active"
