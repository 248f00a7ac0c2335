"""Layers and their versions: what publishing answers, numbers, lists, deleting, and what the timeline hears."""
# ruff: noqa: E501 - a table of cases reads by the line

import asyncio

import pytest
from tests.unit.registry.bench import make_zip

from penstock.core.context import Scope
from penstock.registry import package

ARN = "arn:aws:lambda:us-east-1:000000000000:layer:pillow"
GONE = ("ResourceNotFoundException", "The resource you requested does not exist.")


def numbers(listed: dict) -> list[int]:
    return [version["Version"] for version in listed["LayerVersions"]]


def test_a_published_version_is_shown_as_it_was_described(bench, publish) -> None:
    published = publish(
        Description="images",
        CompatibleRuntimes=["python3.12", "python3.13"],
        CompatibleArchitectures=["x86_64"],
        LicenseInfo="MIT",
    )
    content = published.pop("Content")
    assert content["CodeSize"] == len(make_zip({"python/pil.py": "x = 1\n"}))
    assert content["Location"].startswith("http://127.0.0.1:4566/_penstock/code/")
    assert published.pop("CreatedDate").endswith("+0000")
    assert published == {
        "LayerArn": ARN,
        "LayerVersionArn": f"{ARN}:1",
        "Version": 1,
        "Description": "images",
        "CompatibleRuntimes": ["python3.12", "python3.13"],
        "CompatibleArchitectures": ["x86_64"],
        "LicenseInfo": "MIT",
    }
    for got in (
        bench.call("GetLayerVersion", LayerName="pillow", VersionNumber=1),
        bench.call("GetLayerVersion", LayerName=ARN, VersionNumber=1),
        bench.call("GetLayerVersionByArn", Arn=f"{ARN}:1"),
    ):
        assert got["LayerVersionArn"] == f"{ARN}:1"
        assert got["Content"]["CodeSha256"] == content["CodeSha256"]


def test_the_same_zip_is_a_new_version_and_numbers_are_never_reused(bench, publish) -> None:
    assert [publish()["Version"] for _ in range(3)] == [1, 2, 3]
    for number in (2, 3, 3):
        bench.call("DeleteLayerVersion", LayerName="pillow", VersionNumber=number)
    assert numbers(bench.call("ListLayerVersions", LayerName="pillow")) == [1]
    assert publish()["Version"] == 4
    for number in (1, 4):
        bench.call("DeleteLayerVersion", LayerName=ARN, VersionNumber=number)
    assert bench.call("ListLayers")["Layers"] == []
    assert publish()["Version"] == 5


def test_the_timeline_hears_of_every_version_that_comes_or_goes(bench, publish) -> None:
    publish(Description="first")
    publish()
    bench.call("DeleteLayerVersion", LayerName="pillow", VersionNumber=1)
    bench.call("DeleteLayerVersion", LayerName="pillow", VersionNumber=1)
    told = [(c.component, c.action, c.target_version, c.previous_version) for c in bench.changes.changes]
    assert told == [
        ("layer/pillow", "layer-published", "1", None),
        ("layer/pillow", "layer-published", "2", "1"),
        ("layer/pillow", "layer-deleted", None, "1"),
    ]
    assert bench.changes.changes[0].detail["description"] == "first"
    assert bench.changes.changes[0].by == "arn:aws:iam::000000000000:user/admin"


def test_layers_published_at_once_each_get_a_number(bench) -> None:
    async def scenario() -> list[dict]:
        content = {"ZipFile": make_zip()}
        return await asyncio.gather(
            *(bench.start_call("PublishLayerVersion", LayerName="pillow", Content=content) for _ in range(10))
        )

    assert sorted(one["Version"] for one in bench.runner.run(scenario())) == list(range(1, 11))


def test_an_object_store_is_read_when_there_is_one(bench) -> None:
    asked = []

    class Bucket:
        async def read(self, *which) -> bytes:
            asked.append(which)
            return make_zip({"python/pil.py": "from a bucket"})

    bench.registry._desk.objects = Bucket()
    content = {"S3Bucket": "code", "S3Key": "pillow.zip", "S3ObjectVersion": "7"}
    published = bench.call("PublishLayerVersion", LayerName="pillow", Content=content)
    assert asked == [(bench.scope, "code", "pillow.zip", "7")]
    assert published["Content"]["CodeSize"] == len(make_zip({"python/pil.py": "from a bucket"}))


def test_lists_show_the_newest_that_fits_and_come_in_pages(bench, publish) -> None:
    publish("b", CompatibleRuntimes=["python3.11"])
    publish("b", CompatibleRuntimes=["python3.12"], CompatibleArchitectures=["arm64"])
    publish("a", CompatibleRuntimes=["nodejs22.x"])
    layers = bench.call("ListLayers")["Layers"]
    assert [(layer["LayerName"], layer["LatestMatchingVersion"]["Version"]) for layer in layers] == [("a", 1), ("b", 2)]
    fitting = bench.call("ListLayers", CompatibleRuntime="python3.11")["Layers"]
    assert [(layer["LayerName"], layer["LatestMatchingVersion"]["Version"]) for layer in fitting] == [("b", 1)]
    assert numbers(bench.call("ListLayerVersions", LayerName="b", CompatibleArchitecture="arm64")) == [2]
    assert numbers(bench.call("ListLayerVersions", LayerName="b", CompatibleArchitecture="x86_64")) == [1]
    assert bench.call("ListLayerVersions", LayerName="unknown")["LayerVersions"] == []
    for _ in range(10):
        publish("many")
    found, marker = [], None
    while not found or marker:
        page = bench.call("ListLayerVersions", LayerName="many", MaxItems=4, Marker=marker)
        found += numbers(page)
        marker = page.get("NextMarker")
    assert found == list(range(10, 0, -1))


def test_other_accounts_and_regions_have_layers_of_their_own(bench, publish) -> None:
    publish()
    for scope in (Scope("000000000000", "eu-west-1"), Scope("111122223333", "us-east-1")):
        assert bench.call("ListLayers", scope=scope)["Layers"] == []
        assert bench.refused("GetLayerVersion", LayerName="pillow", VersionNumber=1, scope=scope).code == GONE[0]


@pytest.mark.parametrize(
    ("operation", "params", "code", "says"),
    [
        ("GetLayerVersion", {"LayerName": "nope", "VersionNumber": 1}, *GONE),
        ("GetLayerVersion", {"LayerName": "pillow", "VersionNumber": 2}, *GONE),
        ("GetLayerVersion", {"LayerName": "pillow", "VersionNumber": 10**30}, *GONE),
        ("GetLayerVersion", {"LayerName": "pillow", "VersionNumber": 0}, "InvalidParameterValueException", "less than 1"),
        ("DeleteLayerVersion", {"LayerName": "pillow", "VersionNumber": -1}, "InvalidParameterValueException", "less than 1"),
        ("GetLayerVersionByArn", {"Arn": f"{ARN}:9"}, *GONE),
        ("GetLayerVersionByArn", {"Arn": "arn:aws:lambda:::awslayer:AmazonLinux"}, *GONE),
        ("GetLayerVersionByArn", {"Arn": ARN.replace("0" * 12, "1" * 12) + ":1"}, "AccessDeniedException", "not authorized"),
        ("GetLayerVersionByArn", {"Arn": ARN.replace("us-east-1", "eu-west-1") + ":1"}, "ResourceNotFoundException", "region"),
        ("DeleteLayerVersion", {"LayerName": ARN.replace("0" * 12, "1" * 12), "VersionNumber": 1}, "AccessDeniedException", "DeleteLayerVersion"),
        ("ListLayers", {"Marker": "!"}, "InvalidParameterValueException", "Marker"),
    ],
)  # fmt: skip
def test_a_bad_request_is_refused_with_the_reason(bench, publish, operation, params, code, says) -> None:
    publish()
    error = bench.refused(operation, **params)
    assert (error.code, says in error.message) == (code, True), error.message


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        ({}, "InvalidParameterValueException", "provide a source"),
        ({"ZipFile": b""}, "InvalidParameterValueException", "non-empty zip"),
        ({"ZipFile": b"no zip"}, "InvalidParameterValueException", "Could not unzip"),
        ({"ZipFile": make_zip({"../x": "x"})}, "InvalidParameterValueException", "outside of the package"),
        ({"ZipFile": b"x" * (package.ZIPPED_LIMIT + 1)}, "RequestEntityTooLargeException", "Zipped size"),
        ({"S3Bucket": "code", "S3Key": "pillow.zip"}, "InvalidParameterValueException", "no object store"),
    ],
)
def test_a_layer_passes_the_checks_of_a_package(bench, content, code, says) -> None:
    error = bench.refused("PublishLayerVersion", LayerName="pillow", Content=content)
    assert error.code == code
    assert says in error.message
    assert bench.changes.changes == []
