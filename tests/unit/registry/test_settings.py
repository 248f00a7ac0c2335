"""What belongs to functions and accounts as a whole: reserved concurrency, tags, limits, the list of functions."""

import pytest
from tests.unit.registry.bench import make_zip

from penstock.core.context import Scope
from penstock.core.errors import ApiError
from penstock.registry.concurrency import check_reservation

ARN = "arn:aws:lambda:us-east-1:000000000000:function:orders"


@pytest.mark.parametrize(
    ("account", "others", "wanted", "fits"),
    [
        (1000, 0, 900, True),
        (1000, 0, 901, False),
        (1000, 400, 500, True),
        (1000, 400, 501, False),
        (1000, 900, 0, True),
        (10, 0, 1, False),
        (10, 0, 0, True),
    ],
)
def test_the_account_keeps_a_share(account, others, wanted, fits) -> None:
    if fits:
        check_reservation(account, others, wanted)
        return
    with pytest.raises(ApiError, match=r"below its minimum value of \[(100|10)\]"):
        check_reservation(account, others, wanted)


def test_reserved_concurrency_is_routed_at_once(bench) -> None:
    bench.create()
    assert bench.call("GetFunctionConcurrency", FunctionName="orders") == {}
    put = bench.call("PutFunctionConcurrency", FunctionName="orders", ReservedConcurrentExecutions=0)
    assert put == {"ReservedConcurrentExecutions": 0}
    assert bench.registry.routing.resolve(bench.scope, "orders").reserved_concurrency == 0
    assert bench.call("GetFunction", FunctionName="orders")["Concurrency"] == put
    bench.call("PutFunctionConcurrency", FunctionName="orders", ReservedConcurrentExecutions=900)
    bench.call("PutFunctionConcurrency", FunctionName="orders", ReservedConcurrentExecutions=900)
    bench.create("two")
    error = bench.refused("PutFunctionConcurrency", FunctionName="two", ReservedConcurrentExecutions=1)
    assert error.code == "InvalidParameterValueException"
    bench.call("DeleteFunctionConcurrency", FunctionName="orders")
    assert bench.registry.routing.resolve(bench.scope, "orders").reserved_concurrency is None
    concurrency = [c.detail for c in bench.changes.changes if c.action == "concurrency-set"]
    assert concurrency == [
        {"reserved": 0, "previous": None},
        {"reserved": 900, "previous": 0},
        {"reserved": None, "previous": 900},
    ]
    assert bench.refused("PutFunctionConcurrency", FunctionName="x", ReservedConcurrentExecutions=1).message.endswith(
        "function:x:$LATEST"
    )


def test_tags(bench) -> None:
    bench.create(Tags={"a": "1"})
    bench.call("TagResource", Resource=ARN, Tags={"a": "2", "b": "3"})
    assert bench.call("ListTags", Resource=ARN) == {"Tags": {"a": "2", "b": "3"}}
    bench.call("UntagResource", Resource=ARN, TagKeys=["a", "never"])
    assert bench.call("ListTags", Resource=ARN) == {"Tags": {"b": "3"}}
    for resource, code in [
        (f"{ARN}:1", "InvalidParameterValueException"),
        (ARN.replace("orders", "ghost"), "ResourceNotFoundException"),
        (ARN.replace("function:orders", "event-source-mapping:x"), "ResourceNotFoundException"),
    ]:
        assert bench.refused("TagResource", Resource=resource, Tags={"a": "1"}).code == code


def test_account_settings_count_what_is_there(bench) -> None:
    bench.create()
    bench.publish_changed()
    bench.call("PutFunctionConcurrency", FunctionName="orders", ReservedConcurrentExecutions=100)
    answer = bench.call("GetAccountSettings")
    assert answer["AccountLimit"]["ConcurrentExecutions"] == 1000
    assert answer["AccountLimit"]["UnreservedConcurrentExecutions"] == 900
    assert answer["AccountUsage"]["FunctionCount"] == 1
    assert answer["AccountUsage"]["TotalCodeSize"] > len(make_zip())


def test_functions_are_listed_by_name_in_pages_with_all_versions_on_demand(bench) -> None:
    for name in ("b", "a", "a-b", "aB"):
        bench.create(name)
    bench.call("PublishVersion", FunctionName="a")
    first = bench.call("ListFunctions", MaxItems=3)
    rest = bench.call("ListFunctions", Marker=first["NextMarker"])
    assert [f["FunctionName"] for f in first["Functions"] + rest["Functions"]] == ["a", "a-b", "aB", "b"]
    assert first["Functions"][0]["FunctionArn"].endswith("function:a")
    everything = bench.call("ListFunctions", FunctionVersion="ALL")["Functions"]
    assert [f["FunctionArn"].rsplit("function:")[1] for f in everything] == [
        "a:$LATEST", "a:1", "a-b:$LATEST", "aB:$LATEST", "b:$LATEST",
    ]  # fmt: skip
    assert bench.call("ListFunctions", scope=Scope("000000000000", "eu-west-1"))["Functions"] == []
