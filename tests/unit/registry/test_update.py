"""New code and configuration: in progress, refused meanwhile, routed when settled; what preconditions guard."""

import pytest
from tests.unit.registry.bench import make_zip

NEW = make_zip({"app.py": "def handler(event, context):\n    return 2\n"})


def test_new_code_is_in_progress_and_invokes_go_on_with_the_old(bench) -> None:
    bench.create()
    old = bench.registry.routing.resolve(bench.scope, "orders").primary
    bench.clock.move(60)
    updated = bench.call("UpdateFunctionCode", FunctionName="orders", ZipFile=NEW)
    assert (updated["State"], updated["LastUpdateStatus"]) == ("Active", "InProgress")
    assert updated["RevisionId"] != old.revision_id
    assert updated["LastModified"] == "2027-01-15T08:01:00.000+0000"
    assert bench.registry.routing.resolve(bench.scope, "orders").primary == old
    bench.settle()
    new = bench.registry.routing.resolve(bench.scope, "orders").primary
    assert new.code_sha256 == updated["CodeSha256"] != old.code_sha256
    assert bench.call("GetFunctionConfiguration", FunctionName="orders")["LastUpdateStatus"] == "Successful"
    assert bench.actions() == ["function-created", "code-updated"]


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("UpdateFunctionCode", {"ZipFile": NEW}),
        ("UpdateFunctionCode", {"ZipFile": NEW, "DryRun": True}),
        ("UpdateFunctionConfiguration", {"Timeout": 5}),
        ("PublishVersion", {}),
    ],
)
def test_while_something_is_in_progress_the_next_change_gets_409(bench, operation, params) -> None:
    bench.create(settle=False)
    pending = bench.refused(operation, FunctionName="orders", **params)
    assert pending.code == "ResourceConflictException"
    assert pending.message.endswith("The function is currently in the following state: Pending")
    bench.settle()
    bench.call("UpdateFunctionConfiguration", FunctionName="orders", MemorySize=256)
    busy = bench.refused(operation, FunctionName="orders", **params)
    assert busy.code == "ResourceConflictException"
    assert busy.message == (
        "The operation cannot be performed at this time. An update is in progress for resource: "
        "arn:aws:lambda:us-east-1:000000000000:function:orders"
    )
    bench.settle()
    bench.call(operation, FunctionName="orders", **params)


def test_publish_with_the_new_code(bench) -> None:
    bench.create()
    one = bench.call("UpdateFunctionCode", FunctionName="orders", ZipFile=NEW, Publish=True)
    assert (one["Version"], one["State"]) == ("1", "Pending")
    assert one["FunctionArn"].endswith(":function:orders:1")
    assert "LastUpdateStatus" not in one
    latest = bench.call("GetFunctionConfiguration", FunctionName="orders", Qualifier="$LATEST")
    assert (latest["State"], latest["LastUpdateStatus"]) == ("Active", "InProgress")
    assert latest["FunctionArn"].endswith(":function:orders:$LATEST")
    bench.settle()
    assert bench.registry.routing.resolve(bench.scope, "orders", "1").primary.state == "Active"


def test_a_dry_run_checks_and_changes_nothing(bench) -> None:
    bench.create()
    before, packages = bench.rows(), sorted((bench.data / "artifacts").iterdir())
    shown = bench.call("UpdateFunctionCode", FunctionName="orders", ZipFile=NEW, DryRun=True)
    assert shown["LastUpdateStatus"] == "Successful"
    assert bench.rows() == before
    assert sorted((bench.data / "artifacts").iterdir()) == packages
    bad = bench.refused("UpdateFunctionCode", FunctionName="orders", ZipFile=b"PK", DryRun=True)
    assert "Could not unzip" in bad.message


@pytest.mark.parametrize(
    ("operation", "params"),
    [("UpdateFunctionCode", {"ZipFile": NEW}), ("UpdateFunctionConfiguration", {"Timeout": 5}), ("PublishVersion", {})],
)
def test_the_revision_guards(bench, operation, params) -> None:
    created = bench.create()
    error = bench.refused(operation, FunctionName="orders", RevisionId="stale", **params)
    assert error.code == "PreconditionFailedException"
    assert "GetFunction/GetAlias" in error.message
    bench.call(operation, FunctionName="orders", RevisionId=created["RevisionId"], **params)


def test_absent_settings_stay(bench) -> None:
    bench.create(Timeout=30, Environment={"Variables": {"A": "1"}}, Description="first")
    changed = bench.call("UpdateFunctionConfiguration", FunctionName="orders", MemorySize=512)
    assert (changed["Timeout"], changed["MemorySize"], changed["Description"]) == (30, 512, "first")
    assert changed["Environment"] == {"Variables": {"A": "1"}}
    assert bench.changes.changes[-1].detail == {"changed": ["memory_mb"]}


def test_variables_are_replaced_whole_and_named_never_shown(bench) -> None:
    bench.create(Environment={"Variables": {"A": "1", "B": "2"}})
    changed = bench.call(
        "UpdateFunctionConfiguration", FunctionName="orders", Environment={"Variables": {"B": "secret"}}
    )
    assert changed["Environment"] == {"Variables": {"B": "secret"}}
    assert bench.changes.changes[-1].detail == {"changed": ["environment"]}
    assert "secret" not in repr(bench.changes.changes[-1])
    bench.settle()
    cleared = bench.call("UpdateFunctionConfiguration", FunctionName="orders", Environment={})
    assert "Environment" not in {key for key, value in cleared.items() if value}


def test_an_update_that_changes_nothing_leaves_no_mark(bench) -> None:
    bench.create(Environment={"Variables": {"A": "1"}})
    same = bench.call("UpdateFunctionConfiguration", FunctionName="orders", Environment={"Variables": {"A": "1"}})
    assert same["LastUpdateStatus"] == "InProgress"
    bench.settle()
    bench.call("UpdateFunctionCode", FunctionName="orders", ZipFile=make_zip())
    assert bench.actions() == ["function-created"]


def test_log_levels_need_json(bench) -> None:
    bench.create(LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "DEBUG"})
    text = bench.call("UpdateFunctionConfiguration", FunctionName="orders", LoggingConfig={"LogFormat": "Text"})
    assert text["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/aws/lambda/orders"}
    bench.settle()
    error = bench.refused(
        "UpdateFunctionConfiguration", FunctionName="orders", LoggingConfig={"ApplicationLogLevel": "DEBUG"}
    )
    assert "LogFormat" in error.message


@pytest.mark.parametrize("operation", ["UpdateFunctionCode", "UpdateFunctionConfiguration", "PublishVersion"])
def test_what_is_not_there_is_not_found(bench, operation) -> None:
    error = bench.refused(operation, FunctionName="ghost", ZipFile=NEW)
    assert error.message == "Function not found: arn:aws:lambda:us-east-1:000000000000:function:ghost"
