"""Every form of naming a function, and what each wrong one is told."""

import pytest

from penstock.core.errors import ApiError
from penstock.registry.reference import Reference, read_reference, read_unqualified

ARN = "arn:aws:lambda:us-east-1:000000000000:function:orders"


@pytest.mark.parametrize(
    ("text", "qualifier", "expected"),
    [
        ("orders", None, None),
        ("orders", "live", "live"),
        ("orders:live", None, "live"),
        ("orders:$LATEST", None, "$LATEST"),
        ("orders:7", "7", "7"),
        ("000000000000:function:orders", None, None),
        ("000000000000:function:orders:live", None, "live"),
        ("us-east-1:000000000000:function:orders", None, None),
        ("function:orders", None, None),
        (ARN, None, None),
        (f"{ARN}:live", None, "live"),
        (f"{ARN}:$LATEST", "$LATEST", "$LATEST"),
    ],
)
def test_all_forms(bench, text, qualifier, expected) -> None:
    assert read_reference(bench.context(), text, qualifier) == Reference("orders", expected)


@pytest.mark.parametrize(
    ("text", "qualifier", "code", "says"),
    [
        ("orders:1", "2", "InvalidParameterValueException", "derived qualifier"),
        (f"{ARN}:live", "$LATEST", "InvalidParameterValueException", "derived qualifier"),
        (
            "111122223333:function:orders",
            None,
            "AccessDeniedException",
            "not authorized to perform",
        ),
        (ARN.replace("us-east-1", "eu-west-1"), None, "ResourceNotFoundException", "not reachable in this region"),
        ("x" * 65, None, "ValidationException", "64"),
        ("orders:live:more", None, "InvalidParameterValueException", "neither"),
        ("arn:aws:s3:::bucket", None, "InvalidParameterValueException", "neither"),
        ("", None, "InvalidParameterValueException", "neither"),
        ("über", None, "InvalidParameterValueException", "neither"),
    ],
)
def test_wrong_forms(bench, text, qualifier, code, says) -> None:
    with pytest.raises(ApiError) as refused:
        read_reference(bench.context("GetFunction"), text, qualifier)
    assert refused.value.code == code
    assert says in refused.value.message


def test_whole_functions_take_no_qualifier(bench) -> None:
    assert read_unqualified(bench.context(), ARN) == "orders"
    with pytest.raises(ApiError, match="unqualified function ARN"):
        read_unqualified(bench.context(), "orders:1")
