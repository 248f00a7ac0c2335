"""Broken packages over the wire: always a modelled 4xx, never a 500, never a changed function."""

import io
import stat
import zipfile

import pytest
from botocore.exceptions import ClientError

from running import ROLE, zip_of

GOOD = zip_of({"app.py": "x = 1"})
LINK = (stat.S_IFLNK | 0o777) << 16


def zip_with(name: str, content: bytes = b"x", attributes: int = 0o644 << 16) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("app.py", "x = 1")
        info = zipfile.ZipInfo(name)
        info.external_attr, info.create_system = attributes, 3
        archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def bomb() -> bytes:
    """Under a megabyte that unpacks to 256 MB."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(8):
            archive.writestr(f"zeros-{number}", bytes(32 * 1024 * 1024))
    return buffer.getvalue()


PACKAGES = {
    "empty": b"",
    "text": b"hello",
    "an empty zip": b"PK\x05\x06" + bytes(18),
    "truncated": GOOD[:-10],
    "without its head": GOOD[10:],
    "climbing out": zip_with("../evil.py"),
    "absolute": zip_with("/tmp/evil.py"),
    "a link out": zip_with("l", b"../../etc/passwd", LINK),
    "a device": zip_with("null", b"", (stat.S_IFCHR | 0o666) << 16),
    "a file below a file": zip_with("app.py/x"),
    "a bomb": bomb(),
}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_broken_package_is_refused_and_changes_nothing(server, shared, name, package) -> None:
    client = server.client("lambda")
    before = client.get_function_configuration(FunctionName=shared)
    settings = {"Runtime": "python3.11", "Role": ROLE, "Handler": "app.handler"}
    for call in (
        lambda: client.update_function_code(FunctionName=shared, ZipFile=PACKAGES[package]),
        lambda: client.create_function(FunctionName=name, Code={"ZipFile": PACKAGES[package]}, **settings),
    ):
        with pytest.raises(ClientError) as refused:
            call()
        response = refused.value.response
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
        assert response["Error"]["Code"] == "InvalidParameterValueException"
    after = client.get_function_configuration(FunctionName=shared)
    assert {**after, "ResponseMetadata": 0} == {**before, "ResponseMetadata": 0}
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_function(FunctionName=name)


def test_a_package_over_the_inline_limit(server, shared) -> None:
    with pytest.raises(ClientError) as refused:
        server.client("lambda").update_function_code(FunctionName=shared, ZipFile=bytes(50 * 1024 * 1024 + 1))
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert refused.value.response["Error"]["Code"] == "RequestEntityTooLargeException"


BAD_SETTINGS = {
    "memory too small": {"MemorySize": 127},
    "memory too large": {"MemorySize": 10241},
    "timeout zero": {"Timeout": 0},
    "timeout too long": {"Timeout": 901},
    "an unknown runtime": {"Runtime": "python1.0"},
    "a role that is none": {"Role": "me"},
    "a reserved variable": {"Environment": {"Variables": {"AWS_REGION": "x"}}},
    "a variable that is no name": {"Environment": {"Variables": {"1 2": "x"}}},
    "variables too large": {"Environment": {"Variables": {"BIG": "x" * 5000}}},
    "a layer that is not there": {"Layers": ["arn:aws:lambda:us-east-1:000000000000:layer:no:1"]},
    "a dead letter bucket": {"DeadLetterConfig": {"TargetArn": "arn:aws:s3:::bucket"}},
    "ephemeral storage too small": {"EphemeralStorage": {"Size": 511}},
    "a handler with spaces": {"Handler": "my handler"},
    "a description too long": {"Description": "x" * 257},
}


@pytest.mark.parametrize("case", BAD_SETTINGS)
def test_bad_settings_are_refused_and_change_nothing(server, shared, case) -> None:
    client = server.client("lambda", parameter_validation=False)
    before = client.get_function_configuration(FunctionName=shared)
    with pytest.raises(ClientError) as refused:
        client.update_function_configuration(FunctionName=shared, **BAD_SETTINGS[case])
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert refused.value.response["Error"]["Code"] in ("InvalidParameterValueException", "ValidationException")
    after = client.get_function_configuration(FunctionName=shared)
    assert {**after, "ResponseMetadata": 0} == {**before, "ResponseMetadata": 0}
