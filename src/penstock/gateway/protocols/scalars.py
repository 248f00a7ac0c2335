"""Scalars on the wire: text, numbers, times and bytes, and their limits.

Rule: reading raises `Malformed` for anything that is not exactly the kind asked for; writing raises `TypeError`, for
then an operation of ours has returned nonsense.
"""

import base64
import binascii
import calendar
import math
import re
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from penstock.gateway.malformed import Malformed

LIMITS = {"integer": 2**31, "long": 2**63}
EARLIEST, LATEST = -62135596800.0, 253402300799.999
"""Years 1 to 9999: what every SDK's date type can hold."""
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
# botocore of 2024 puts Python's own spelling into query forms; the service, not the codec, refuses such values.
_PYTHON_SPECIAL = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:?\d\d)")
_NAMES = {"string": "String", "integer": "Integer", "long": "Long", "float": "Float", "double": "Double"}


def wrong_kind(raw: Any, wanted: str) -> Malformed:
    """The refusal of a value of another kind, in the words AWS's JSON parser uses."""
    if isinstance(raw, dict):
        return Malformed("Start of structure or map found where not expected.")
    if isinstance(raw, list):
        return Malformed("Start of list found where not expected")
    if isinstance(raw, bool):
        found = "TRUE_VALUE" if raw else "FALSE_VALUE"
    else:
        found = "NUMBER_VALUE" if isinstance(raw, int | float) else "STRING_VALUE"
    return Malformed(f"{found} can not be converted to {_NAMES.get(wanted, wanted.capitalize())}")


def read_string(raw: Any) -> str:
    """Text as it is."""
    if isinstance(raw, str):
        return raw
    raise wrong_kind(raw, "string")


def read_boolean(raw: Any) -> bool:
    """True or false, never 0, 1 or a string."""
    if isinstance(raw, bool):
        return raw
    raise wrong_kind(raw, "boolean")


def read_integer(raw: Any, kind: str) -> int:
    """A whole number that fits its kind. A float with nothing after the point counts: JavaScript has no other."""
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)
    if not isinstance(raw, int) or isinstance(raw, bool):
        raise wrong_kind(raw, kind)
    if not -LIMITS[kind] <= raw < LIMITS[kind]:
        raise Malformed(f"the number is out of range of {_NAMES[kind]}")
    return raw


def read_float(raw: Any, kind: str) -> float:
    """A number, or one of the three names for what JSON cannot write."""
    if isinstance(raw, str) and raw in _SPECIAL:
        return _SPECIAL[raw]
    if not isinstance(raw, int | float) or isinstance(raw, bool):
        raise wrong_kind(raw, kind)
    try:
        return float(raw)
    except OverflowError:
        raise Malformed(f"the number is out of range of {_NAMES[kind]}") from None


def read_epoch(raw: Any) -> float:
    """Seconds since the epoch within the years 1 to 9999."""
    if not isinstance(raw, int | float) or isinstance(raw, bool):
        raise wrong_kind(raw, "timestamp")
    if not EARLIEST <= raw <= LATEST:  # also refuses NaN
        raise Malformed("the timestamp is out of range")
    return float(raw)


def read_base64(raw: Any) -> bytes:
    """Bytes from base64 text."""
    if not isinstance(raw, str):
        raise wrong_kind(raw, "blob")
    try:
        return base64.b64decode(raw, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("the value is not valid base64") from None


def parse_text(text: str, kind: str, timestamp_format: str) -> Any:
    """A scalar that travels as text: in a path, query, header or form."""
    if kind == "string":
        return text
    if kind in LIMITS:
        if _INTEGER.fullmatch(text) is None:
            raise Malformed(f"'{text[:40]}' is not a whole number")
        return read_integer(int(text), kind)
    if kind in {"float", "double"}:
        text = _PYTHON_SPECIAL.get(text, text)
        if text not in _SPECIAL and _NUMBER.fullmatch(text) is None:
            raise Malformed(f"'{text[:40]}' is not a number")
        return _SPECIAL[text] if text in _SPECIAL else float(text)
    if kind == "boolean":
        if text.lower() not in {"true", "false"}:
            raise Malformed(f"'{text[:40]}' is neither true nor false")
        return text.lower() == "true"
    if kind == "timestamp":
        return parse_time(text, timestamp_format)
    return read_base64(text)


def parse_time(text: str, timestamp_format: str) -> float:
    """An instant written as text. The model's format comes first, but every SDK's habit is understood."""
    found = _ISO.fullmatch(text)
    try:
        if found is not None:
            return _iso_seconds(found)
        if timestamp_format == "rfc822" or "," in text:
            return read_epoch(parsedate_to_datetime(text).timestamp())
        if _NUMBER.fullmatch(text):
            return read_epoch(float(text))
    except (ValueError, OverflowError, TypeError):
        pass
    raise Malformed(f"'{text[:40]}' is not a timestamp")


def _iso_seconds(found: re.Match[str]) -> float:
    year, month, day, hour, minute, second = (int(found[index]) for index in range(1, 7))
    datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)  # refuses 31 February
    whole = calendar.timegm((year, month, day, hour, minute, second))
    zone = found[8]
    if zone not in {"Z", "z"}:
        offset = int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
        whole -= offset if zone[0] == "+" else -offset
    digits = (found[7] or ".0")[1:]
    scale = 10 ** len(digits)
    return read_epoch((whole * scale + int(digits)) / scale)  # one rounding, so that .679 stays .679


def format_time(instant: float, timestamp_format: str) -> str:
    """An instant as `iso8601` (milliseconds when there are any) or `rfc822` text, or as decimal seconds."""
    if timestamp_format == "unixTimestamp":
        return str(plain_seconds(instant))
    milliseconds = round(instant * 1000)
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    if timestamp_format == "rfc822":
        return format_datetime(moment, usegmt=True)
    fraction = f".{milliseconds % 1000:03d}" if milliseconds % 1000 else ""
    return f"{moment.year:04d}-{moment:%m-%dT%H:%M:%S}{fraction}Z"


def plain_seconds(instant: float) -> int | float:
    """Epoch seconds with milliseconds, as a whole number when it is one."""
    rounded = round(instant, 3)
    return int(rounded) if rounded.is_integer() else rounded


def special_float(value: float) -> float | str:
    """A float, or its name when JSON and XML have no digits for it."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def format_text(value: Any, kind: str, timestamp_format: str) -> str:
    """A scalar as text for a header or an XML node."""
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "timestamp":
        return format_time(value, timestamp_format)
    if kind == "blob":
        return base64.b64encode(value).decode()
    if kind in {"float", "double"}:
        return str(special_float(float(value)))
    return str(value)


_PYTHON: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float),
    "blob": (bytes, bytearray, memoryview),
    "boolean": (bool,),
}


def expect(value: Any, kind: str, name: str) -> None:
    """Hold an operation to its model: raises `TypeError` naming the member that has the wrong Python type."""
    if not isinstance(value, _PYTHON[kind]) or (isinstance(value, bool) and kind != "boolean"):
        raise TypeError(f"the result's {name} should be a {kind}, not {type(value).__name__}")
