"""The whole life of a function through unmodified boto3 and its waiters."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from running import ROLE, zip_of

V1 = "def handler(event, context):\n    return 'one'\n"
V2 = "def handler(event, context):\n    return 'two'\n"


def test_create_publish_alias_update_delete(server, name) -> None:
    client = server.client("lambda")
    created = client.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": zip_of({"app.py": V1})},
    )
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert created["State"] == "Pending"
    client.get_waiter("function_active_v2").wait(FunctionName=name)

    assert client.publish_version(FunctionName=name)["Version"] == "1"
    client.get_waiter("published_version_active").wait(FunctionName=name, Qualifier="1")
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")

    updated = client.update_function_code(FunctionName=name, ZipFile=zip_of({"app.py": V2}))
    assert updated["LastUpdateStatus"] == "InProgress"
    with pytest.raises(ClientError) as conflict:
        client.publish_version(FunctionName=name)
    assert conflict.value.response["Error"]["Code"] == "ResourceConflictException"
    assert conflict.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409
    client.get_waiter("function_updated_v2").wait(FunctionName=name)

    reply = client.invoke(FunctionName=f"{name}:live")
    assert (json.load(reply["Payload"]), reply["ExecutedVersion"]) == ("one", "1")
    reply = client.invoke(FunctionName=name)
    assert (json.load(reply["Payload"]), reply["ExecutedVersion"]) == ("two", "$LATEST")

    client.delete_function(FunctionName=name)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_function(FunctionName=name)


def test_ten_thousand_weighted_invokes_land_within_binomial_bounds(server, make_function) -> None:
    """At weight 0.1 the second version's share of 10,000 calls is 1000 ± 5 standard deviations (150)."""
    client = server.client("lambda")
    function = make_function(V1)
    client.publish_version(FunctionName=function)
    client.update_function_code(FunctionName=function, ZipFile=zip_of({"app.py": V2}))
    client.get_waiter("function_updated_v2").wait(FunctionName=function)
    client.publish_version(FunctionName=function)
    client.create_alias(
        FunctionName=function,
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}},
    )

    def call(_: int) -> tuple[str, str]:
        reply = client.invoke(FunctionName=function, Qualifier="live")
        assert "FunctionError" not in reply
        return reply["ExecutedVersion"], json.load(reply["Payload"])

    with ThreadPoolExecutor(8) as pool:
        seen = Counter(pool.map(call, range(10_000)))
    assert set(seen) == {("1", "one"), ("2", "two")}
    assert 850 <= seen["2", "two"] <= 1150
    client.delete_alias(FunctionName=function, Name="live")
