"""Functions over the wire: every way to name one, states and waiters, preconditions, pages, code links, restarts."""

import io
import json
import urllib.error
import urllib.request
import zipfile

import pytest
from botocore.exceptions import ClientError

from running import ROLE, zip_of

ONE, TWO = zip_of({"app.py": "x = 1"}), zip_of({"app.py": "x = 2"})
SETTINGS = {"Runtime": "python3.11", "Role": ROLE, "Handler": "app.handler"}


def code_of(caught) -> str:
    return caught.value.response["Error"]["Code"]


@pytest.fixture
def client(server):
    return server.client("lambda")


@pytest.fixture
def orders(client, make_function, name) -> str:
    """A function with versions 1 and 2 and the alias `live` on 1."""
    make_function(source="x = 1")
    client.publish_version(FunctionName=name)
    client.update_function_code(FunctionName=name, ZipFile=TWO)
    client.get_waiter("function_updated_v2").wait(FunctionName=name)
    client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    return name


def test_every_way_to_name_a_function(client, orders) -> None:
    arn = client.get_function_configuration(FunctionName=orders)["FunctionArn"]
    account, region = arn.split(":")[4], arn.split(":")[3]
    assert arn == f"arn:aws:lambda:{region}:{account}:function:{orders}"
    for form in (orders, arn, f"{account}:function:{orders}", f"function:{orders}"):
        assert client.get_function_configuration(FunctionName=form)["Version"] == "$LATEST"
        for qualifier, version in (("$LATEST", "$LATEST"), ("1", "1"), ("live", "1")):
            for params in (
                {"FunctionName": form, "Qualifier": qualifier},
                {"FunctionName": f"{form}:{qualifier}"},
                {"FunctionName": f"{form}:{qualifier}", "Qualifier": qualifier},
            ):
                found = client.get_function(**params)["Configuration"]
                assert (found["Version"], found["FunctionArn"]) == (version, f"{arn}:{qualifier}"), params


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ("{name}-nope", 404, "ResourceNotFoundException"),
        ("{name}:9", 404, "ResourceNotFoundException"),
        ("{name}:nope", 404, "ResourceNotFoundException"),
        ("111122223333:function:{name}", 403, "AccessDeniedException"),
        ("arn:aws:lambda:eu-south-9:{account}:function:{name}", 404, "ResourceNotFoundException"),
        ("arn:aws:s3:::{name}", 400, None),
        ("arn:aws:lambda:us-east-1:{account}:layer:{name}:1", 400, None),
        ("{name}:live:more", 400, None),
        ("name with spaces", 400, None),
        ("../../etc/passwd", 400, None),
        ("x" * 65, 400, "ValidationException"),
        ("x" * 300, 400, "ValidationException"),
        ("ünïcode", 400, None),
        ("%00", 400, None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("operation", ["get_function", "get_function_configuration", "delete_function"])
def test_wrong_names_are_modelled_refusals(client, shared, operation, form, status, code) -> None:
    account = client.get_function_configuration(FunctionName=shared)["FunctionArn"].split(":")[4]
    with pytest.raises(ClientError) as refused:
        getattr(client, operation)(FunctionName=form.format(name=shared, account=account))
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert code in (None, code_of(refused))
    assert client.get_function(FunctionName=shared)


def test_a_qualifier_that_contradicts_the_name(client, orders) -> None:
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="derived qualifier"):
        client.get_function(FunctionName=f"{orders}:1", Qualifier="2")


def test_errors_carry_type_and_message_as_awss_do(client, name) -> None:
    with pytest.raises(client.exceptions.ResourceNotFoundException) as missing:
        client.get_function(FunctionName=name)
    response = missing.value.response
    assert response["Type"] == "User"
    assert response["Message"] == response["Error"]["Message"]
    assert response["Error"]["Message"].startswith("Function not found: arn:aws:lambda:")
    assert response["ResponseMetadata"]["HTTPHeaders"]["x-amzn-errortype"].startswith("ResourceNotFoundException")


def test_states_and_waiters(client, name) -> None:
    created = client.create_function(FunctionName=name, Code={"ZipFile": ONE}, Publish=True, **SETTINGS)
    assert (created["State"], created["StateReasonCode"], created["Version"]) == ("Pending", "Creating", "1")
    assert "LastUpdateStatus" not in created
    for operation, params in (
        ("update_function_code", {"ZipFile": TWO}),
        ("update_function_configuration", {"Timeout": 5}),
        ("publish_version", {}),
    ):
        with pytest.raises(client.exceptions.ResourceConflictException, match="state: Pending"):
            getattr(client, operation)(FunctionName=name, **params)
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    client.get_waiter("published_version_active").wait(FunctionName=name, Qualifier="1", WaiterConfig={"Delay": 1})
    updated = client.update_function_configuration(FunctionName=name, Timeout=5)
    assert (updated["State"], updated["LastUpdateStatus"]) == ("Active", "InProgress")
    with pytest.raises(client.exceptions.ResourceConflictException) as busy:
        client.update_function_code(FunctionName=name, ZipFile=TWO)
    assert f"An update is in progress for resource: {created['FunctionArn']}" in str(busy.value)
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    assert client.get_function_configuration(FunctionName=name)["Timeout"] == 5
    assert client.delete_function(FunctionName=name)["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_preconditions(client, orders) -> None:
    now = client.get_function_configuration(FunctionName=orders)
    for operation, params in (
        ("update_function_code", {"ZipFile": ONE}),
        ("update_function_configuration", {"Timeout": 9}),
        ("publish_version", {}),
        ("update_alias", {"Name": "live", "FunctionVersion": "2"}),
    ):
        with pytest.raises(client.exceptions.PreconditionFailedException) as stale:
            getattr(client, operation)(FunctionName=orders, RevisionId="stale", **params)
        assert stale.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="CodeSHA256"):
        client.publish_version(FunctionName=orders, CodeSha256="wrong")
    assert client.get_function_configuration(FunctionName=orders) | {"ResponseMetadata": 0} == now | {
        "ResponseMetadata": 0
    }
    done = client.update_function_configuration(FunctionName=orders, Timeout=9, RevisionId=now["RevisionId"])
    assert done["RevisionId"] != now["RevisionId"]
    client.get_waiter("function_updated_v2").wait(FunctionName=orders, WaiterConfig={"Delay": 1})


def test_nothing_new_is_not_published_again(client, orders) -> None:
    assert client.publish_version(FunctionName=orders)["Version"] == "2"
    listed = client.list_versions_by_function(FunctionName=orders)["Versions"]
    assert [v["Version"] for v in listed] == ["$LATEST", "1", "2"]
    assert all("State" not in v for v in listed)


def test_pages(client, orders, make_function) -> None:
    make_function(source="x = 1", suffix="-b")
    whole = [f["FunctionName"] for f in client.list_functions()["Functions"]]
    paged = client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 1})
    assert [f["FunctionName"] for page in paged for f in page["Functions"]] == whole == sorted(whole)
    everything = client.get_paginator("list_functions").paginate(FunctionVersion="ALL")
    mine = [f["FunctionArn"] for page in everything for f in page["Functions"] if f["FunctionName"] == orders]
    assert [arn.rsplit(":", 1)[1] for arn in mine] == ["$LATEST", "1", "2"]
    versions = client.get_paginator("list_versions_by_function").paginate(
        FunctionName=orders, PaginationConfig={"PageSize": 2}
    )
    assert [v["Version"] for page in versions for v in page["Versions"]] == ["$LATEST", "1", "2"]
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="Marker"):
        client.list_functions(Marker="not one of ours!")


def test_a_version_that_an_alias_needs_stays(client, orders) -> None:
    with pytest.raises(client.exceptions.ResourceConflictException, match=r"aliases reference it: \[live\]"):
        client.delete_function(FunctionName=orders, Qualifier="1")
    client.delete_function(FunctionName=orders, Qualifier="2")
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="LATEST version cannot be deleted"):
        client.delete_function(FunctionName=orders, Qualifier="$LATEST")


def test_the_code_comes_back_by_its_link(client, server, orders) -> None:
    location = client.get_function(FunctionName=f"{orders}:1")["Code"]["Location"]
    assert location.startswith(server.endpoint)
    with urllib.request.urlopen(location, timeout=10) as reply:
        content = reply.read()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.read("app.py") == b"x = 1"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(location[:-1], timeout=10)
    assert refused.value.code == 403
    refused.value.close()


def test_whole_function_settings(client, orders) -> None:
    arn = client.get_function(FunctionName=orders)["Configuration"]["FunctionArn"]
    client.tag_resource(Resource=arn, Tags={"team": "shop", "a/b": "ü = 1"})
    client.untag_resource(Resource=arn, TagKeys=["team"])
    assert client.list_tags(Resource=arn)["Tags"] == {"a/b": "ü = 1"}
    assert client.get_function(FunctionName=orders)["Tags"] == {"a/b": "ü = 1"}
    before = client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
    client.put_function_concurrency(FunctionName=orders, ReservedConcurrentExecutions=5)
    assert client.get_function_concurrency(FunctionName=orders)["ReservedConcurrentExecutions"] == 5
    assert client.get_function(FunctionName=orders)["Concurrency"] == {"ReservedConcurrentExecutions": 5}
    assert client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == before - 5
    with pytest.raises(client.exceptions.InvalidParameterValueException, match=r"minimum value of \[100\]"):
        client.put_function_concurrency(FunctionName=orders, ReservedConcurrentExecutions=before)
    client.delete_function_concurrency(FunctionName=orders)
    assert "ReservedConcurrentExecutions" not in client.get_function_concurrency(FunctionName=orders)


def test_permissions(client, orders) -> None:
    for qualifier in (None, "1", "live"):
        extra = {"Qualifier": qualifier} if qualifier else {}
        grant = {
            "StatementId": "s3",
            "Action": "lambda:InvokeFunction",
            "Principal": "s3.amazonaws.com",
            "SourceArn": "arn:aws:s3:::bucket",
        }
        added = json.loads(client.add_permission(FunctionName=orders, **grant, **extra)["Statement"])
        policy = client.get_policy(FunctionName=orders, **extra)
        assert json.loads(policy["Policy"])["Statement"] == [added]
        assert added["Condition"] == {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::bucket"}}
        with pytest.raises(client.exceptions.ResourceConflictException):
            client.add_permission(FunctionName=orders, **grant, **extra)
        client.remove_permission(FunctionName=orders, StatementId="s3", RevisionId=policy["RevisionId"], **extra)
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            client.get_policy(FunctionName=orders, **extra)


def test_everything_survives_kill_9(make_server, name) -> None:
    server = make_server()
    client = server.client("lambda")
    client.create_function(
        FunctionName=name, Code={"ZipFile": ONE}, Environment={"Variables": {"MODE": "1"}}, Tags={"t": "1"}, **SETTINGS
    )
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1", Description="d")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=5)
    client.update_function_code(FunctionName=name, ZipFile=TWO)
    client.create_function(FunctionName=f"{name}-new", Code={"ZipFile": TWO}, **SETTINGS)
    server.kill()
    server.start()
    client = server.client("lambda")
    for function in (name, f"{name}-new"):
        client.get_waiter("function_active_v2").wait(FunctionName=function, WaiterConfig={"Delay": 1})
        client.get_waiter("function_updated_v2").wait(FunctionName=function, WaiterConfig={"Delay": 1})
    found = client.get_function(FunctionName=f"{name}:live")
    assert found["Configuration"]["Environment"] == {"Variables": {"MODE": "1"}}
    assert (found["Tags"], found["Concurrency"]) == ({"t": "1"}, {"ReservedConcurrentExecutions": 5})
    assert client.get_alias(FunctionName=name, Name="live")["Description"] == "d"
    assert client.publish_version(FunctionName=name)["Version"] == "2"
