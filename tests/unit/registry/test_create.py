"""CreateFunction: what it answers, what it refuses, and that one of two wins."""

import asyncio

import pytest
from tests.unit.registry.bench import ROLE, make_zip

LAYER = "arn:aws:lambda:us-east-1:000000000000:layer:x"
GOOD = {
    "FunctionName": "orders",
    "Runtime": "python3.12",
    "Handler": "a.h",
    "Role": ROLE,
    "Code": {"ZipFile": make_zip()},
}


def test_a_new_function_is_pending_and_then_active(bench) -> None:
    created = bench.create(settle=False, Tags={"team": "shop"}, Environment={"Variables": {"A": "1"}})
    assert created["State"] == "Pending"
    assert (created["StateReason"], created["StateReasonCode"]) == ("The function is being created.", "Creating")
    assert "LastUpdateStatus" not in created
    assert created["FunctionArn"] == "arn:aws:lambda:us-east-1:000000000000:function:orders"
    assert created["Version"] == "$LATEST"
    assert created["Environment"] == {"Variables": {"A": "1"}}
    assert created["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/aws/lambda/orders"}
    bench.settle()
    got = bench.call("GetFunction", FunctionName="orders")
    assert (got["Configuration"]["State"], got["Configuration"]["LastUpdateStatus"]) == ("Active", "Successful")
    assert got["Configuration"]["StateReason"] is None
    assert got["Tags"] == {"team": "shop"}
    assert got["Configuration"]["RevisionId"] == created["RevisionId"]
    assert bench.actions() == ["function-created"]


def test_an_existing_name_is_refused(bench) -> None:
    bench.create()
    error = bench.refused(
        "CreateFunction",
        FunctionName="orders",
        Runtime="python3.12",
        Handler="a.h",
        Role=ROLE,
        Code={"ZipFile": make_zip()},
    )
    assert (error.code, error.message) == ("ResourceConflictException", "Function already exist: orders")


def test_of_two_at_once_one_wins(bench) -> None:
    async def both():
        calls = [bench.start_call("CreateFunction", **GOOD) for _ in range(5)]
        return await asyncio.gather(*calls, return_exceptions=True)

    results = bench.runner.run(both())
    assert sorted(getattr(r, "code", "won") for r in results) == ["ResourceConflictException"] * 4 + ["won"]


def test_publish_at_once_makes_version_one(bench) -> None:
    created = bench.create(settle=False, Publish=True)
    assert created["Version"] == "1"
    assert created["FunctionArn"].endswith(":function:orders")
    assert created["State"] == "Pending"
    bench.settle()
    one = bench.call("GetFunctionConfiguration", FunctionName="orders", Qualifier="1")
    assert (one["State"], one["LastUpdateStatus"]) == ("Active", "Successful")
    assert bench.actions() == ["function-created", "version-published"]


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"Runtime": None}, "InvalidParameterValueException", "Runtime and Handler are mandatory"),
        ({"Handler": ""}, "InvalidParameterValueException", "Runtime and Handler are mandatory"),
        ({"MemorySize": 127}, "ValidationException", "greater than or equal to 128"),
        ({"MemorySize": 10241}, "ValidationException", "less than or equal to 10240"),
        ({"Timeout": 0}, "ValidationException", "greater than or equal to 1"),
        ({"Timeout": 901}, "ValidationException", "less than or equal to 900"),
        ({"EphemeralStorage": {"Size": 10241}}, "ValidationException", "10240"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "InvalidParameterValueException", "AWS_REGION"),
        ({"Environment": {"Variables": {"BIG": "x" * 4096}}}, "InvalidParameterValueException", "4KB limit"),
        ({"Environment": {"Variables": {"NUL": "a\0b"}}}, "InvalidParameterValueException", "NUL"),
        ({"DeadLetterConfig": {"TargetArn": "arn:aws:s3:::b"}}, "InvalidParameterValueException", "target ARN"),
        ({"Layers": [f"{LAYER}:1"]}, "InvalidParameterValueException", "does not exist"),
        ({"PackageType": "Image"}, "InvalidParameterValueException", "container images"),
        ({"LoggingConfig": {"SystemLogLevel": "WARN"}}, "InvalidParameterValueException", "LogFormat"),
        ({"FunctionName": "x" * 65}, "ValidationException", "less than or equal to 64"),
        ({"FunctionName": "orders:1"}, "InvalidParameterValueException", "unqualified function ARN"),
        ({"Tags": {f"k{n}": "" for n in range(51)}}, "InvalidParameterValueException", "50 tags"),
        ({"Tags": {"aws:x": ""}}, "InvalidParameterValueException", "reserved"),
        ({"Code": {}}, "InvalidParameterValueException", "provide a source"),
        ({"Code": {"S3Bucket": "b", "S3Key": "k"}}, "InvalidParameterValueException", "no object store"),
        ({"Code": {"ImageUri": "i"}}, "InvalidParameterValueException", "container images"),
        ({"Code": {"ZipFile": b"x", "S3Key": "k"}}, "InvalidParameterValueException", "other FunctionCode"),
        ({"Code": {"ZipFile": b""}}, "InvalidParameterValueException", "non-empty zip"),
        ({"Code": {"ZipFile": b"not a zip"}}, "InvalidParameterValueException", "Could not unzip"),
        ({"FileSystemConfigs": [{"Arn": "a"}]}, "InvalidParameterValueException", "FileSystemConfigs"),
    ],
)  # fmt: skip
def test_a_bad_request_is_refused_with_the_reason(bench, changes, code, says) -> None:
    error = bench.refused("CreateFunction", **(GOOD | changes))
    assert error.code == code
    assert says in error.message
    assert "xxxxxxxx" not in error.message or code == "ValidationException", "values may be secrets"


def test_limits_themselves_are_allowed(bench) -> None:
    created = bench.create(
        "a" * 64, MemorySize=10240, Timeout=900, EphemeralStorage={"Size": 10240},
        LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": "WARN"},
    )  # fmt: skip
    assert created["LoggingConfig"]["ApplicationLogLevel"] == "INFO"
    assert created["LoggingConfig"]["SystemLogLevel"] == "WARN"


def test_variables_are_sealed_at_rest(bench) -> None:
    bench.create(Environment={"Variables": {"SECRET": "hunter2-and-more"}})
    bench.store.read_now(lambda c: c.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)"))
    assert b"hunter2-and-more" not in b"".join(path.read_bytes() for path in bench.data.glob("penstock.db*"))
    route = bench.registry.routing.resolve(bench.scope, "orders")
    assert route.primary.environment == {"SECRET": "hunter2-and-more"}
    assert "hunter2" not in repr(route)
