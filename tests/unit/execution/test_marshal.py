"""Results as JSON, as AWS's runtimes write them."""

import collections
import datetime as dt
import decimal

import pytest

from penstock.execution.bootstrap.marshal import Encoder

D = decimal.Decimal


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        ({"a": [1, 2.5, "x", True]}, '{"a": [1, 2.5, "x", true]}'),
        (float("nan"), "NaN"),
        ([D("1.10"), D("-3"), D("1E+3")], "[1.10, -3, 1E+3]"),
        ({"n": D("NaN")}, '{"n": NaN}'),
        (collections.OrderedDict(z=1, a=2), '{"z": 1, "a": 2}'),
        ((1, 2), "[1, 2]"),
        ("é😀", '"é😀"'),
        ("\ud800", '"\\ud800"'),
        ({1: "x", None: "y"}, '{"1": "x", "null": "y"}'),
    ],
)
def test_values(value, text):
    assert Encoder("AWS_Lambda_python3.12").encode(value).decode() == text


def test_old_runtimes_write_ascii():
    assert Encoder("AWS_Lambda_python3.11").encode("é") == b'"\\u00e9"'


@pytest.mark.parametrize("value", [dt.datetime(2027, 1, 1, tzinfo=dt.UTC), {1, 2}, object(), 1j, b"bytes"])
def test_what_json_does_not_know(value):
    with pytest.raises(TypeError, match="is not JSON serializable"):
        Encoder("").encode([value])
