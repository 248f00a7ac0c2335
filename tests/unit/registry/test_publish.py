"""Versions: immutable, growing, never reused, not made twice from the same code and configuration."""

from tests.unit.registry.bench import make_zip


def versions(bench) -> list[str]:
    return [v["Version"] for v in bench.call("ListVersionsByFunction", FunctionName="orders")["Versions"]]


def test_a_version_is_active_at_once_and_keeps_what_latest_was(bench) -> None:
    bench.create(Timeout=9, Environment={"Variables": {"A": "1"}})
    one = bench.call("PublishVersion", FunctionName="orders", Description="first")
    assert (one["Version"], one["State"], one["LastUpdateStatus"]) == ("1", "Active", "Successful")
    assert one["FunctionArn"].endswith(":function:orders:1")
    assert one["Description"] == "first"
    bench.call("UpdateFunctionConfiguration", FunctionName="orders", Timeout=10, Environment={"Variables": {"A": "2"}})
    bench.settle()
    bench.call("UpdateFunctionCode", FunctionName="orders", ZipFile=make_zip({"b.py": ""}))
    bench.settle()
    assert bench.call("GetFunctionConfiguration", FunctionName="orders", Qualifier="1") == one
    assert bench.registry.routing.resolve(bench.scope, "orders", "1").primary.environment == {"A": "1"}


def test_nothing_new_is_not_published_again(bench) -> None:
    bench.create(Environment={"Variables": {"A": "1"}})
    one = bench.call("PublishVersion", FunctionName="orders", Description="named")
    assert bench.call("PublishVersion", FunctionName="orders", Description="other")["RevisionId"] == one["RevisionId"]
    bench.call("UpdateFunctionCode", FunctionName="orders", ZipFile=make_zip())
    bench.settle()
    bench.call("UpdateFunctionConfiguration", FunctionName="orders", Environment={"Variables": {"A": "1"}})
    bench.settle()
    assert bench.call("PublishVersion", FunctionName="orders")["Version"] == "1"
    assert bench.actions() == ["function-created", "version-published"]


def test_function_wide_settings_make_no_version(bench) -> None:
    bench.create()
    bench.call("PublishVersion", FunctionName="orders")
    bench.call("PutFunctionConcurrency", FunctionName="orders", ReservedConcurrentExecutions=5)
    arn = "arn:aws:lambda:us-east-1:000000000000:function:orders"
    bench.call("TagResource", Resource=arn, Tags={"a": "b"})
    assert bench.call("PublishVersion", FunctionName="orders")["Version"] == "1"


def test_any_changed_setting_makes_a_version(bench) -> None:
    bench.create()
    bench.call("PublishVersion", FunctionName="orders")
    expected = 2
    for change in ({"Timeout": 7}, {"Description": "x"}, {"Environment": {"Variables": {"A": "1"}}}, {"Timeout": 3}):
        bench.call("UpdateFunctionConfiguration", FunctionName="orders", **change)
        bench.settle()
        assert bench.call("PublishVersion", FunctionName="orders")["Version"] == str(expected), change
        expected += 1


def test_numbers_are_never_used_again_until_the_function_is(bench) -> None:
    bench.create()
    assert [bench.publish_changed() for _ in range(3)] == ["1", "2", "3"]
    for version in ("1", "2", "3"):
        bench.call("DeleteFunction", FunctionName="orders", Qualifier=version)
    assert versions(bench) == ["$LATEST"]
    assert bench.call("PublishVersion", FunctionName="orders")["Version"] == "4"
    bench.call("DeleteFunction", FunctionName="orders")
    bench.create()
    assert bench.call("PublishVersion", FunctionName="orders")["Version"] == "1"


def test_the_code_hash_guards(bench) -> None:
    created = bench.create()
    error = bench.refused("PublishVersion", FunctionName="orders", CodeSha256="wrong")
    assert error.code == "InvalidParameterValueException"
    assert error.message == (
        f"CodeSHA256 (wrong) is different from current CodeSHA256 in $LATEST ({created['CodeSha256']}). "
        "Please try again with the CodeSHA256 in $LATEST."
    )
    assert bench.call("PublishVersion", FunctionName="orders", CodeSha256=created["CodeSha256"])["Version"] == "1"


def test_lists_come_in_pages_sorted_as_numbers(bench) -> None:
    bench.create()
    for _ in range(11):
        bench.publish_changed()
    seen, marker = [], None
    while True:
        extra = {"Marker": marker} if marker else {}
        answer = bench.call("ListVersionsByFunction", FunctionName="orders", MaxItems=5, **extra)
        seen += [v["Version"] for v in answer["Versions"]]
        assert len(answer["Versions"]) <= 5
        assert all("State" not in v for v in answer["Versions"])
        marker = answer.get("NextMarker")
        if not marker:
            break
    assert seen == ["$LATEST", *map(str, range(1, 12))]
    assert bench.refused("ListVersionsByFunction", FunctionName="orders", Marker="%%%").code == (
        "InvalidParameterValueException"
    )
