"""Provisioned concurrency over the API: who may have it, how much, what is shown, and when it goes."""

import pytest

from penstock.core.errors import ApiError
from penstock.registry.concurrency import check_provisioned, check_reservation
from penstock.registry.model import Warmth

PROVISIONED = "ProvisionedConcurrentExecutions"


class Told:
    """A `Thermometer` that shows what the test says."""

    def __init__(self) -> None:
        self.now = Warmth()

    def warmth(self, config):
        assert config.function == "orders"
        return self.now


@pytest.fixture
def orders(bench):
    """Versions 1, 2 and 3; `live` at 1."""
    bench.create()
    for _ in range(3):
        bench.publish_changed()
    bench.call("CreateAlias", FunctionName="orders", Name="live", FunctionVersion="1")
    bench.changes.changes.clear()
    return bench


def put(bench, qualifier="live", count=5, name="orders"):
    return bench.call(
        "PutProvisionedConcurrencyConfig", FunctionName=name, Qualifier=qualifier, ProvisionedConcurrentExecutions=count
    )


def refused(bench, qualifier, count=5, name="orders"):
    return bench.refused(
        "PutProvisionedConcurrencyConfig", FunctionName=name, Qualifier=qualifier, ProvisionedConcurrentExecutions=count
    )


def get(bench, qualifier="live"):
    return bench.call("GetProvisionedConcurrencyConfig", FunctionName="orders", Qualifier=qualifier)


@pytest.mark.parametrize(
    ("account", "others", "reserved", "wanted", "fits"),
    [
        (1000, 0, None, 900, True),
        (1000, 0, None, 901, False),
        (1000, 400, None, 500, True),
        (1000, 400, None, 501, False),
        (10, 0, None, 1, False),
        (1000, 0, 5, 5, True),
        (1000, 0, 5, 6, False),
        (1000, 900, 5, 5, True),
        (1000, 0, 0, 1, False),
    ],
)
def test_what_fits(account, others, reserved, wanted, fits) -> None:
    if fits:
        check_provisioned(account, others, reserved, wanted)
        return
    words = r"below its minimum value of \[(100|10)\]" if reserved is None else "should not be greater than"
    with pytest.raises(ApiError, match=words):
        check_provisioned(account, others, reserved, wanted)


def test_a_reservation_covers_what_is_provisioned() -> None:
    check_reservation(1000, 0, 5, provisioned=5)
    with pytest.raises(ApiError, match=r"total provisioned concurrency \[5\]"):
        check_reservation(1000, 0, 4, provisioned=5)


def test_the_life_of_a_configuration(orders) -> None:
    orders.registry._desk.thermometer = told = Told()
    made = put(orders)
    assert made == {
        "RequestedProvisionedConcurrentExecutions": 5,
        "AllocatedProvisionedConcurrentExecutions": 0,
        "AvailableProvisionedConcurrentExecutions": 0,
        "Status": "IN_PROGRESS",
        "LastModified": "2027-01-15T08:00:00+0000",
    }
    told.now = Warmth(3, 3)
    assert (get(orders)["Status"], get(orders)["AvailableProvisionedConcurrentExecutions"]) == ("IN_PROGRESS", 3)
    told.now = Warmth(5, 5)
    assert get(orders)["Status"] == "READY"
    assert put(orders)["Status"] == "IN_PROGRESS"
    told.now = Warmth(0, 0, "FUNCTION_ERROR_INIT_FAILURE")
    assert (get(orders)["Status"], get(orders)["StatusReason"]) == ("FAILED", "FUNCTION_ERROR_INIT_FAILURE")
    orders.call("DeleteProvisionedConcurrencyConfig", FunctionName="orders", Qualifier="live")
    orders.call("DeleteProvisionedConcurrencyConfig", FunctionName="orders", Qualifier="live")
    missing = orders.refused("GetProvisionedConcurrencyConfig", FunctionName="orders", Qualifier="live")
    assert missing.code == "ProvisionedConcurrencyConfigNotFoundException"
    assert orders.registry.routing.provisioned() == []
    assert [(c.action, c.alias, c.detail) for c in orders.changes.changes] == [
        ("provisioned-concurrency-set", "live", {"provisioned": 5, "previous": None}),
        ("provisioned-concurrency-set", "live", {"provisioned": 5, "previous": 5}),
        ("provisioned-concurrency-set", "live", {"provisioned": None, "previous": 5}),
    ]


@pytest.mark.parametrize(
    ("qualifier", "code", "words"),
    [
        ("$LATEST", "InvalidParameterValueException", "unpublished function versions"),
        ("moving", "InvalidParameterValueException", "unpublished function versions"),
        ("split", "InvalidParameterValueException", "Alias with weights"),
        ("9", "ResourceNotFoundException", "function:orders:9"),
        ("ghost", "ResourceNotFoundException", "function:orders:ghost"),
    ],
)
def test_what_cannot_be_provisioned(orders, qualifier, code, words) -> None:
    orders.call("CreateAlias", FunctionName="orders", Name="moving", FunctionVersion="$LATEST")
    orders.call(
        "CreateAlias", FunctionName="orders", Name="split", FunctionVersion="2",
        RoutingConfig={"AdditionalVersionWeights": {"3": 0.1}},
    )  # fmt: skip
    error = refused(orders, qualifier)
    assert error.code == code
    assert words in error.message


def test_a_version_is_provisioned_through_one_road_only(orders) -> None:
    put(orders, "live")
    assert refused(orders, "1").message == "Version is pointed by a Provisioned Concurrency alias"
    put(orders, "2")
    orders.call("CreateAlias", FunctionName="orders", Name="next", FunctionVersion="2")
    error = refused(orders, "next")
    assert (error.code, "already Provisioned version" in error.message) == ("ResourceConflictException", True)
    put(orders, "3")
    listed = orders.call("ListProvisionedConcurrencyConfigs", FunctionName="orders", MaxItems=2)
    rest = orders.call("ListProvisionedConcurrencyConfigs", FunctionName="orders", Marker=listed["NextMarker"])
    both = listed["ProvisionedConcurrencyConfigs"] + rest["ProvisionedConcurrencyConfigs"]
    assert [one["FunctionArn"].rsplit(":", 1)[1] for one in both] == ["2", "3", "live"]


def test_the_account_and_the_reservation_are_the_limit(orders) -> None:
    put(orders, "live", 600)
    assert "minimum value of [100]" in refused(orders, "2", 301).message
    put(orders, "2", 300)
    limits = orders.call("GetAccountSettings")["AccountLimit"]
    assert limits["UnreservedConcurrentExecutions"] == 100
    orders.create("other")
    assert "minimum value" in orders.refused(
        "PutFunctionConcurrency", FunctionName="other", ReservedConcurrentExecutions=1
    ).message  # fmt: skip
    lower = orders.refused("PutFunctionConcurrency", FunctionName="orders", ReservedConcurrentExecutions=899)
    assert "[900]" in lower.message
    orders.call("PutFunctionConcurrency", FunctionName="orders", ReservedConcurrentExecutions=900)
    assert "reservedConcurrentExecution" in refused(orders, "3", 1).message
    assert orders.call("GetAccountSettings")["AccountLimit"]["UnreservedConcurrentExecutions"] == 100
    orders.call("DeleteFunctionConcurrency", FunctionName="orders")


def listed(bench):
    return bench.call("ListProvisionedConcurrencyConfigs", FunctionName="orders")["ProvisionedConcurrencyConfigs"]


def test_it_goes_with_what_it_belongs_to(orders) -> None:
    put(orders, "live")
    put(orders, "3")
    orders.call("DeleteAlias", FunctionName="orders", Name="live")
    orders.call("DeleteFunction", FunctionName="orders", Qualifier="3")
    assert (
        orders.call("ListProvisionedConcurrencyConfigs", FunctionName="orders")["ProvisionedConcurrencyConfigs"] == []
    )
    assert orders.registry.routing.provisioned() == []
    put(orders, "2")
    orders.call("DeleteFunction", FunctionName="orders")
    orders.create()
    assert (
        orders.call("ListProvisionedConcurrencyConfigs", FunctionName="orders")["ProvisionedConcurrencyConfigs"] == []
    )


def test_a_provisioned_alias_stays_with_published_versions(orders) -> None:
    put(orders, "live")
    error = orders.refused("UpdateAlias", FunctionName="orders", Name="live", FunctionVersion="$LATEST")
    assert "Invalid alias configuration for Provisioned Concurrency" in error.message


def test_it_is_loaded_with_the_routes(orders, scope) -> None:
    put(orders, "live", 7)
    orders.runner.run(orders.registry.start())
    ((config, route),) = orders.registry.routing.provisioned()
    assert (config.requested, route.primary.version, route.alias) == (7, "1", "live")
