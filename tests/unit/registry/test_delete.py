"""Deleting: everything of a function goes, a version that an alias needs stays, other functions are left alone."""

import pytest
from tests.unit.registry.bench import make_zip

from penstock.core.errors import ApiError
from penstock.registry.facts import FunctionDeleted


def test_a_deleted_function_is_gone_with_all_it_had(bench) -> None:
    bench.create()
    bench.create("orders-2")
    bench.publish_changed()
    bench.call("CreateAlias", FunctionName="orders", Name="live", FunctionVersion="1")
    bench.call("AddPermission", FunctionName="orders", StatementId="s", Action="lambda:InvokeFunction", Principal="*")
    assert bench.call("DeleteFunction", FunctionName="orders") == {"StatusCode": 204}
    for qualifier in (None, "1", "live"):
        with pytest.raises(ApiError):
            bench.registry.routing.resolve(bench.scope, "orders", qualifier)
    assert [f["FunctionName"] for f in bench.call("ListFunctions")["Functions"]] == ["orders-2"]
    assert FunctionDeleted(bench.scope, "orders") in bench.facts
    assert bench.changes.changes[-1].detail == {"aliases": {"live": "1"}}
    bench.create()
    assert bench.refused("GetPolicy", FunctionName="orders").code == "ResourceNotFoundException"


def test_a_function_in_progress_may_be_deleted_and_made_anew(bench) -> None:
    bench.create(settle=False)
    bench.call("DeleteFunction", FunctionName="orders")
    bench.create()
    assert bench.call("GetFunctionConfiguration", FunctionName="orders")["State"] == "Active"


@pytest.mark.parametrize("weights", [{}, {"2": 0.1}])
def test_a_version_that_an_alias_needs_stays(bench, weights) -> None:
    bench.create()
    bench.publish_changed()
    bench.publish_changed()
    routing = {"AdditionalVersionWeights": weights}
    bench.call("CreateAlias", FunctionName="orders", Name="live", FunctionVersion="1", RoutingConfig=routing)
    for version in ("1", *weights):
        error = bench.refused("DeleteFunction", FunctionName="orders", Qualifier=version)
        assert error.code == "ResourceConflictException"
        assert error.message == "Unable to delete version because the following aliases reference it: [live]"
    bench.call("DeleteAlias", FunctionName="orders", Name="live")
    bench.call("DeleteFunction", FunctionName="orders:1")
    assert bench.refused("GetFunction", FunctionName="orders", Qualifier="1").code == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("params", "code", "says"),
    [
        (
            {"FunctionName": "orders", "Qualifier": "$LATEST"},
            "InvalidParameterValueException",
            "$LATEST version",
        ),
        ({"FunctionName": "orders", "Qualifier": "live"}, "InvalidParameterValueException", "DeleteAlias"),
        ({"FunctionName": "orders", "Qualifier": "9"}, "ResourceNotFoundException", "function:orders:9"),
        ({"FunctionName": "ghost"}, "ResourceNotFoundException", "function:ghost"),
        ({"FunctionName": "ghost", "Qualifier": "1"}, "ResourceNotFoundException", "function:ghost"),
    ],
)
def test_what_cannot_be_deleted(bench, params, code, says) -> None:
    bench.create()
    bench.publish_changed()
    bench.call("CreateAlias", FunctionName="orders", Name="live", FunctionVersion="1")
    error = bench.refused("DeleteFunction", **params)
    assert (error.code, says in error.message) == (code, True)


def test_code_that_nobody_names_is_swept_after_a_while(bench) -> None:
    sweep, packages = bench.registry._sweeper.step, bench.data / "artifacts"
    bench.create()
    bench.create("other", Code={"ZipFile": make_zip({"x.py": ""})})
    kept = bench.call("GetFunctionConfiguration", FunctionName="other")["CodeSha256"]
    bench.call("DeleteFunction", FunctionName="orders")
    bench.runner.run(sweep())
    bench.clock.move(999)
    bench.runner.run(sweep())
    assert len(list(packages.glob("*.zip"))) == 2, "handlers may still run"
    bench.clock.move(2)
    bench.runner.run(sweep())
    assert len(list(packages.glob("*.zip"))) == 1
    assert len([path for path in (bench.data / "run" / "code").iterdir() if not path.name.startswith(".")]) == 1
    assert bench.runner.run(bench.registry.artifacts.load(kept))
    bench.create()
    assert bench.call("GetFunctionConfiguration", FunctionName="orders")["State"] == "Active"
