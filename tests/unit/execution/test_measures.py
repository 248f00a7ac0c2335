"""Dimensions and what is counted under them."""

import pytest

from penstock.execution.measures import dimension_sets, resource_name

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:orders"


@pytest.mark.parametrize(
    ("arn", "resource"),
    [(ARN, "orders"), (ARN + ":live", "orders:live"), (ARN + ":3", "orders:3"), ("orders", "orders")],
)
def test_resource(arn, resource):
    assert resource_name(arn, "orders") == resource


def test_sets():
    assert dimension_sets("orders", "orders:live", "3") == (
        (),
        (("FunctionName", "orders"),),
        (("FunctionName", "orders"), ("Resource", "orders:live")),
        (("ExecutedVersion", "3"), ("FunctionName", "orders"), ("Resource", "orders:live")),
    )
    assert len(dimension_sets("orders", "orders:3", None)) == 3
