"""Layers of functions: which may be named together, what a version keeps of them, and what outlives their deletion."""
# ruff: noqa: E501 - a table of cases reads by the line

import asyncio
from dataclasses import replace

import pytest
from tests.unit.registry.bench import make_zip

from penstock.core.errors import ApiError
from penstock.registry.artifacts import GRACE_S
from penstock.registry.layers.attach import check_size
from penstock.registry.model import UsedLayer
from penstock.registry.package import UNZIPPED_LIMIT

PREFIX = "arn:aws:lambda:us-east-1:000000000000:layer:"


def layers_of(bench, **which) -> list[str]:
    shown = bench.call("GetFunctionConfiguration", FunctionName="orders", **which)
    return [layer["Arn"].removeprefix(PREFIX) for layer in shown.get("Layers") or ()]


def update(bench, **params) -> dict:
    result = bench.call("UpdateFunctionConfiguration", FunctionName="orders", **params)
    bench.settle()
    return result


def test_a_function_shows_its_layers_in_order_and_keeps_them_until_told(bench, publish) -> None:
    one, two = publish("one"), publish("two", {"python/b.py": "y" * 1000})
    created = bench.create(Layers=[two["LayerVersionArn"], one["LayerVersionArn"]])
    assert created["Layers"] == [
        {"Arn": layer["LayerVersionArn"], "CodeSize": layer["Content"]["CodeSize"]} for layer in (two, one)
    ]
    update(bench, Timeout=9)
    assert layers_of(bench) == ["two:1", "one:1"]
    assert bench.call("ListFunctions")["Functions"][0]["Layers"] == created["Layers"]
    assert "Layers" not in {key for key, value in update(bench, Layers=[]).items() if value is not None}


def test_layers_are_part_of_what_makes_a_version(bench, publish) -> None:
    bench.create(Layers=[publish()["LayerVersionArn"]], Publish=True)
    assert bench.call("PublishVersion", FunctionName="orders")["Version"] == "1"
    update(bench, Layers=[publish()["LayerVersionArn"]])
    assert bench.call("PublishVersion", FunctionName="orders")["Version"] == "2"
    assert (layers_of(bench, Qualifier="1"), layers_of(bench, Qualifier="2")) == (["pillow:1"], ["pillow:2"])


def test_the_marker_names_the_layers_that_changed(bench, publish) -> None:
    bench.create(Layers=[publish()["LayerVersionArn"]])
    assert bench.changes.changes[-1].detail["layers"] == ["pillow:1"]
    update(bench, Timeout=9, Layers=[publish()["LayerVersionArn"]])
    assert bench.changes.changes[-1].detail == {
        "changed": ["layers", "timeout_s"],
        "layers": ["pillow:2"],
        "previous_layers": ["pillow:1"],
    }
    update(bench, Layers=[f"{PREFIX}pillow:2"])
    assert bench.actions().count("configuration-changed") == 1, "the same layers again change nothing"


@pytest.mark.parametrize(
    ("arns", "code", "says"),
    [
        (["pillow:9"], "InvalidParameterValueException", f"Layer version {PREFIX}pillow:9 does not exist."),
        (["nope:1"], "InvalidParameterValueException", f"Layer version {PREFIX}nope:1 does not exist."),
        (["pillow:1", "pillow:2"], "InvalidParameterValueException", f"{PREFIX}pillow:1 and {PREFIX}pillow:2 are versions of the same layer."),
        (["pillow:1", "pillow:1"], "InvalidParameterValueException", "Two different versions of the same layer"),
        ([f"l{n}:1" for n in range(6)], "InvalidParameterValueException", "Cannot reference more than 5 layers."),
        (["arn:aws:lambda:us-east-1:111122223333:layer:pillow:1"], "AccessDeniedException", "lambda:GetLayerVersion"),
        (["arn:aws:lambda:eu-west-1:000000000000:layer:pillow:1"], "InvalidParameterValueException", "same region"),
        (["arn:aws:lambda:::awslayer:AmazonLinux"], "InvalidParameterValueException", "does not exist."),
    ],
)  # fmt: skip
def test_layers_that_cannot_be_used_are_refused(bench, publish, arns, code, says) -> None:
    publish()
    publish()
    bench.create()
    wanted = [arn if arn.startswith("arn:") else PREFIX + arn for arn in arns]
    for operation, params in (
        ("UpdateFunctionConfiguration", {"FunctionName": "orders"}),
        ("CreateFunction", {"FunctionName": "new", "Runtime": "python3.12", "Handler": "a.h", "Role": "r"}),
    ):
        code_given = {"Code": {"ZipFile": make_zip()}} if operation == "CreateFunction" else {}
        error = bench.refused(operation, **params, **code_given, Layers=wanted)
        assert error.code == code
        assert says in error.message


@pytest.mark.parametrize(
    ("code", "layers", "says"),
    [
        (UNZIPPED_LIMIT, [], None),
        (UNZIPPED_LIMIT - 5, [2, 3], None),
        (UNZIPPED_LIMIT - 5, [3, 3], f"exceeds the maximum allowed size of {UNZIPPED_LIMIT} bytes. The actual size is {UNZIPPED_LIMIT + 1} bytes."),
        (1, [UNZIPPED_LIMIT, 1], f"Layers consume more than the available size of {UNZIPPED_LIMIT} bytes"),
    ],
)  # fmt: skip
def test_code_and_layers_share_one_limit(bench, code, layers, says) -> None:
    bench.create()
    version = bench.registry.routing.resolve(bench.scope, "orders").primary
    used = tuple(UsedLayer(f"{PREFIX}l{n}:1", "sha=", 1, size) for n, size in enumerate(layers))
    version = replace(version, unpacked_size=code, layers=used)
    if says is None:
        check_size(version)
        return
    with pytest.raises(ApiError) as caught:
        check_size(version)
    assert caught.value.message.endswith(says)


def test_the_limit_counts_new_code_and_new_layers_alike(bench, publish, monkeypatch) -> None:
    bench.create(Layers=[publish("big", {"python/big.py": "x" * 600})["LayerVersionArn"]])
    monkeypatch.setattr("penstock.registry.layers.attach.UNZIPPED_LIMIT", 1000)
    large = make_zip({"app.py": "y" * 500})
    error = bench.refused("UpdateFunctionCode", FunctionName="orders", ZipFile=large)
    assert "The actual size is 1100 bytes." in error.message
    more = publish("more", {"python/more.py": "z" * 500})["LayerVersionArn"]
    both = [f"{PREFIX}big:1", more]
    error = bench.refused("UpdateFunctionConfiguration", FunctionName="orders", Layers=both)
    assert error.message == "Layers consume more than the available size of 1000 bytes"


def test_a_deleted_version_stays_with_its_functions_and_with_nobody_else(bench, publish) -> None:
    arn = publish()["LayerVersionArn"]
    bench.create(Layers=[arn])
    bench.call("DeleteLayerVersion", LayerName="pillow", VersionNumber=1)
    update(bench, Timeout=9)
    assert layers_of(bench) == ["pillow:1"]
    assert bench.call("PublishVersion", FunctionName="orders")["Version"] == "1"
    error = bench.refused("UpdateFunctionConfiguration", FunctionName="orders", Layers=[arn])
    assert error.message == f"Layer version {arn} does not exist."


def test_files_of_layers_stay_as_long_as_anything_names_them(bench, publish) -> None:
    def packages() -> int:
        return len(list((bench.data / "artifacts").glob("*.zip")))

    def sweep() -> None:
        for _ in range(2):
            bench.runner.run(bench.registry._sweeper.step())
            bench.clock.move(GRACE_S)
        bench.runner.run(bench.registry._sweeper.step())

    merged = bench.data / "run" / "layers"
    bench.create(Layers=[publish()["LayerVersionArn"]])
    publish("unused", {"x": "1"})
    bench.call("DeleteLayerVersion", LayerName="pillow", VersionNumber=1)
    bench.call("DeleteLayerVersion", LayerName="unused", VersionNumber=1)
    sweep()
    assert packages() == 2, "the function's own, and its layer's"
    assert len([path for path in merged.iterdir() if path.name != ".boot"]) == 1
    version = bench.registry.routing.resolve(bench.scope, "orders").primary
    path = bench.runner.run(bench.registry.artifacts.layers(version.layer_codes))
    assert (path / "python" / "pil.py").read_text() == "x = 1\n"
    update(bench, Layers=[])
    sweep()
    assert packages() == 1
    assert [path.name for path in merged.iterdir()] == [".boot"]


def test_damaged_layers_fail_the_function_and_others_mend_it(bench, publish) -> None:
    arn = publish()["LayerVersionArn"]
    layer = next((bench.data / "artifacts").glob("*.zip"))
    layer.write_bytes(b"torn")
    bench.create(Layers=[arn])
    failed = bench.call("GetFunctionConfiguration", FunctionName="orders")
    assert failed["State"] == "Failed"
    assert "The layers cannot be used" in failed["StateReason"]
    update(bench, Layers=[publish()["LayerVersionArn"]])
    assert bench.call("GetFunctionConfiguration", FunctionName="orders")["State"] == "Active"


def test_two_updates_at_once_leave_one_of_the_two(bench, publish) -> None:
    publish("one")
    publish("two")
    bench.create()

    async def scenario() -> list[object]:
        return await asyncio.gather(
            *(
                bench.start_call("UpdateFunctionConfiguration", FunctionName="orders", Layers=[f"{PREFIX}{name}:1"])
                for name in ("one", "two")
            ),
            return_exceptions=True,
        )

    outcomes = bench.runner.run(scenario())
    refused = [outcome for outcome in outcomes if isinstance(outcome, ApiError)]
    assert [error.code for error in refused] == ["ResourceConflictException"]
