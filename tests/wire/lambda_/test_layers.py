"""Layers over the wire: published, used by running functions, replaced, deleted, and on the timeline."""

import base64
import hashlib
import json
import urllib.request
from shutil import which

import pytest
from botocore.exceptions import ClientError

from running import ROLE, zip_of

SOURCE = "import shared\ndef handler(event, context):\n    return shared.who\n"
ARN = "arn:aws:lambda:us-east-1:000000000000:layer:"


def publish(client, layer: str, files: dict[str, str], **params) -> str:
    published = client.publish_layer_version(LayerName=layer, Content={"ZipFile": zip_of(files)}, **params)
    return published["LayerVersionArn"]


def library(who: str) -> dict[str, str]:
    return {"python/shared.py": f"who = {who!r}\n"}


def configure(client, function: str, layers: list[str]) -> None:
    client.update_function_configuration(FunctionName=function, Layers=layers)
    client.get_waiter("function_updated_v2").wait(FunctionName=function)


def ask(client, function: str, **params) -> object:
    reply = client.invoke(FunctionName=function, **params)
    body = json.loads(reply["Payload"].read())
    assert "FunctionError" not in reply, body
    return body


@pytest.fixture
def client(server):
    return server.client("lambda")


def test_a_version_is_published_found_listed_and_deleted(client, name) -> None:
    content = zip_of(library("one"))
    published = client.publish_layer_version(
        LayerName=name, Description="first", LicenseInfo="MIT", Content={"ZipFile": content},
        CompatibleRuntimes=["python3.11"], CompatibleArchitectures=["x86_64"],
    )  # fmt: skip
    assert published["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert (published["Version"], published["LayerVersionArn"]) == (1, f"{published['LayerArn']}:1")
    assert published["Content"]["CodeSha256"] == base64.b64encode(hashlib.sha256(content).digest()).decode()
    with urllib.request.urlopen(published["Content"]["Location"]) as got:
        assert got.read() == content
    for found in (
        client.get_layer_version(LayerName=name, VersionNumber=1),
        client.get_layer_version(LayerName=published["LayerArn"], VersionNumber=1),
        client.get_layer_version_by_arn(Arn=published["LayerVersionArn"]),
    ):
        assert (found["Description"], found["LicenseInfo"], found["CreatedDate"]) == (
            "first", "MIT", published["CreatedDate"],
        )  # fmt: skip
    publish(client, name, library("two"))
    pages = client.get_paginator("list_layer_versions").paginate(LayerName=name, PaginationConfig={"PageSize": 1})
    assert [version["Version"] for page in pages for version in page["LayerVersions"]] == [2, 1]
    layers = client.get_paginator("list_layers").paginate(CompatibleRuntime="python3.11")
    newest = {one["LayerName"]: one["LatestMatchingVersion"]["Version"] for page in layers for one in page["Layers"]}
    assert newest[name] == 1
    assert client.delete_layer_version(LayerName=name, VersionNumber=2)["ResponseMetadata"]["HTTPStatusCode"] == 204
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_layer_version(LayerName=name, VersionNumber=2)
    assert publish(client, name, library("three")).endswith(":3")


def test_a_policy_comes_and_goes(client, name) -> None:
    arn = publish(client, name, library("one"))
    which = {"LayerName": name, "VersionNumber": 1}
    added = client.add_layer_version_permission(
        **which, StatementId="all", Action="lambda:GetLayerVersion", Principal="*", OrganizationId="o-1234567890"
    )
    policy = client.get_layer_version_policy(**which)
    assert json.loads(policy["Policy"])["Statement"] == [json.loads(added["Statement"])]
    assert json.loads(added["Statement"])["Resource"] == arn
    client.remove_layer_version_permission(**which, StatementId="all", RevisionId=policy["RevisionId"])
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_layer_version_policy(**which)


def test_a_function_imports_from_its_layer_and_shows_it(client, make_function, name) -> None:
    arn = publish(client, name, library("the layer"))
    function = make_function(SOURCE, Layers=[arn])
    assert ask(client, function) == "the layer"
    (layer,) = client.get_function_configuration(FunctionName=function)["Layers"]
    assert layer == {"Arn": arn, "CodeSize": len(zip_of(library("the layer")))}


@pytest.mark.skipif(not which("node"), reason="no Node.js")
def test_a_function_in_javascript_requires_from_its_layer(client, name) -> None:
    arn = publish(client, name, {"nodejs/node_modules/shared/index.js": "exports.who = 'the layer'\n"})
    code = zip_of({"app.js": "exports.handler = async () => require('shared').who\n"})
    settings = {"Runtime": "nodejs20.x", "Role": ROLE, "Handler": "app.handler", "Code": {"ZipFile": code}}
    client.create_function(FunctionName=name, Layers=[arn], **settings)
    client.get_waiter("function_active_v2").wait(FunctionName=name)
    try:
        assert ask(client, name) == "the layer"
    finally:
        client.delete_function(FunctionName=name)


def test_a_later_layer_overwrites_an_earlier_one(client, make_function, name) -> None:
    base = publish(client, f"{name}-base", library("base") | {"data/only": "base", "data/both": "base"})
    top = publish(client, f"{name}-top", library("top") | {"data/both": "top"})
    function = make_function(SOURCE, Layers=[base, top])
    assert ask(client, function) == "top"
    configure(client, function, [top, base])
    assert ask(client, function) == "base"


def test_a_new_version_of_a_layer_changes_nothing_until_the_function_names_it(client, make_function, name) -> None:
    first = publish(client, name, library("first"))
    function = make_function(SOURCE, Layers=[first])
    client.publish_version(FunctionName=function)
    second = publish(client, name, library("second"))
    assert ask(client, function) == "first"
    configure(client, function, [second])
    assert ask(client, function) == "second"
    assert client.publish_version(FunctionName=function)["Version"] == "2"
    assert [ask(client, function, Qualifier=version) for version in ("1", "2")] == ["first", "second"]


def test_a_deleted_version_works_on_where_it_is_used(client, make_function, name) -> None:
    arn = publish(client, name, library("gone"))
    function = make_function(SOURCE, Layers=[arn])
    client.delete_layer_version(LayerName=name, VersionNumber=1)
    assert ask(client, function) == "gone"
    client.update_function_configuration(FunctionName=function, Timeout=9)
    client.get_waiter("function_updated_v2").wait(FunctionName=function)
    assert ask(client, function) == "gone"
    with pytest.raises(client.exceptions.InvalidParameterValueException, match=f"{arn} does not exist"):
        client.update_function_configuration(FunctionName=function, Layers=[arn])


@pytest.mark.parametrize(
    ("layers", "code", "says"),
    [
        ([f"{ARN}not-there:1"], "InvalidParameterValueException", f"Layer version {ARN}not-there:1 does not exist."),
        ([f"{ARN}l{n}:1" for n in range(6)], "InvalidParameterValueException", "Cannot reference more than 5 layers."),
        (["arn:aws:lambda:us-east-1:111122223333:layer:x:1"], "AccessDeniedException", "lambda:GetLayerVersion"),
        ([f"{ARN}x"], "ValidationException", "layers"),
    ],
)
def test_layers_that_cannot_be_used(client, shared, layers, code, says) -> None:
    with pytest.raises(ClientError) as refused:
        client.update_function_configuration(FunctionName=shared, Layers=layers)
    assert refused.value.response["Error"]["Code"] == code
    assert says in refused.value.response["Error"]["Message"]


def test_an_s3_object_is_refused_without_an_object_store(client, name) -> None:
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="object store"):
        client.publish_layer_version(LayerName=name, Content={"S3Bucket": "code", "S3Key": "layer.zip"})


def test_the_timeline_tells_that_the_layer_went_up(server, client, make_function, name) -> None:
    first = publish(client, name, library("first"))
    function = make_function(SOURCE, Layers=[first])
    second = publish(client, name, library("second"), Description="fixes")
    configure(client, function, [second])
    client.delete_layer_version(LayerName=name, VersionNumber=1)
    markers = json.loads(server.cli("timeline", "--json").stdout)["markers"]
    mine = [one for one in sorted(markers, key=lambda one: one["opened_at"]) if one["component"] == f"layer/{name}"]
    told = [(one["kind"], one["target_version"], one["previous_version"]) for one in mine]
    assert told == [("layer-published", "1", None), ("layer-published", "2", "1"), ("layer-deleted", None, "1")]
    (configured,) = [one for one in markers if one["kind"] == "configuration-changed" and function in one["component"]]
    assert configured["detail"] == {
        "changed": ["layers"], "layers": [f"{name}:2"], "previous_layers": [f"{name}:1"],
    }  # fmt: skip
    told = server.cli("timeline", "--component", f"lambda/{function}").stdout
    assert f"layers ({name}:1 → {name}:2)" in " ".join(told.split())


def test_layers_survive_a_restart_even_without_their_unpacked_files(make_server, name) -> None:
    server = make_server()
    client = server.client("lambda")
    arns = [publish(client, f"{name}-{who}", library(who)) for who in ("base", "top")]
    client.create_function(
        FunctionName=name, Runtime="python3.11", Role=ROLE, Handler="app.handler",
        Code={"ZipFile": zip_of({"app.py": SOURCE})}, Layers=arns,
    )  # fmt: skip
    client.get_waiter("function_active_v2").wait(FunctionName=name)
    client.delete_layer_version(LayerName=f"{name}-top", VersionNumber=1)
    assert ask(client, name) == "top"
    server.kill()
    for path in (server.data / "run" / "layers").iterdir():
        path.rename(server.data / path.name)
    server.start()
    client = server.client("lambda")
    assert ask(client, name) == "top"
    assert publish(client, f"{name}-top", library("new")).endswith(":2")
