"""Garbage of every kind: always a modelled 4xx in the client's protocol, never a 500, never an operation run."""

import json
import struct
from typing import Any

import cbor2
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gateway.bench import Bench, signed
from penstock.gateway.contract import HttpRequest, HttpResponse
from penstock.gateway.models import Models

FN = "/2015-03-31/functions"
CREATE_APPLICATION = "CodeDeploy_20141006.CreateApplication"


@pytest.fixture
def served(bench: Bench) -> Bench:
    bench.serve("lambda", "CreateFunction", "Invoke", "GetFunction", "UntagResource", "ListFunctions", "ListTags")
    bench.serve("cloudwatch", "PutMetricData", "PutMetricAlarm", "GetMetricData")
    bench.serve("logs", "PutLogEvents", "CreateLogGroup")
    bench.serve("codedeploy", "CreateDeployment", "ListDeployments", "CreateApplication")
    bench.serve("sts", "AssumeRole")
    return bench


def rest(body: bytes, path: str = "/2015-03-31/functions", method: str = "POST", query: str = "") -> HttpRequest:
    return HttpRequest(method, path, query, {"authorization": signed("lambda")}, body)


def json_rpc(body: bytes, target: str = "Logs_20140328.PutLogEvents", service: str = "logs") -> HttpRequest:
    return HttpRequest("POST", "/", "", {"x-amz-target": target, "authorization": signed(service)}, body)


def invoke(header: str, value: str) -> HttpRequest:
    headers = {"authorization": signed("lambda"), header: value}
    return HttpRequest("POST", f"{FN}/orders/invocations", "", headers, b"{}")


def cbor(body: bytes, operation: str = "PutMetricData") -> HttpRequest:
    headers = {"smithy-protocol": "rpc-v2-cbor", "authorization": signed("cloudwatch")}
    return HttpRequest("POST", f"/service/GraniteServiceVersion20100801/operation/{operation}", "", headers, body)


def query(body: bytes, service: str = "cloudwatch") -> HttpRequest:
    headers = {"content-type": "application/x-www-form-urlencoded", "authorization": signed(service)}
    return HttpRequest("POST", "/", "", headers, body)


def create(**members: Any) -> bytes:
    role = "arn:aws:iam::000000000000:role/r"
    return json.dumps({"FunctionName": "orders", "Role": role, "Code": {"ZipFile": "AAAA"}} | members).encode()


def metric(**members: Any) -> bytes:
    return cbor2.dumps({"Namespace": "Shop", "MetricData": [{"MetricName": "Sold"} | members]})


METRIC = b"Action=PutMetricData&Version=2010-08-01&Namespace=Shop&MetricData.member.1.MetricName=Sold"
SERIALIZATION = "SerializationException"
CASES: list[tuple[str, HttpRequest, str]] = [
    ("json: cut short", rest(b'{"FunctionName": "or'), SERIALIZATION),
    ("json: not json", rest(b"\x00\x01\x02"), SERIALIZATION),
    ("json: a list", rest(b"[]"), SERIALIZATION),
    ("json: a bare string", rest(b'"x"'), SERIALIZATION),
    ("json: null", rest(b"null"), SERIALIZATION),
    ("json: bad utf-8", rest(b'{"FunctionName": "\xff\xfe"}'), SERIALIZATION),
    ("json: half a surrogate", rest(b'{"FunctionName": "\\ud800"}'), SERIALIZATION),
    ("json: NaN", rest(b'{"Timeout": NaN}'), SERIALIZATION),
    ("json: nested too deep", rest(b'{"Tags":' * 100_000), SERIALIZATION),
    ("json: trailing text", rest(create() + b"x"), SERIALIZATION),
    ("json: number for a string", rest(create(FunctionName=1)), SERIALIZATION),
    ("json: string for a number", rest(create(Timeout="3")), SERIALIZATION),
    ("json: boolean for a number", rest(create(Timeout=True)), SERIALIZATION),
    ("json: number for a boolean", rest(create(Publish=1)), SERIALIZATION),
    ("json: fraction for a whole number", rest(create(Timeout=3.5)), SERIALIZATION),
    ("json: beyond 32 bits", rest(create(Timeout=2**31)), SERIALIZATION),
    ("json: beyond 64 bits", rest(create(Timeout=10**400)), SERIALIZATION),
    ("json: structure for a string", rest(create(Handler={"a": 1})), SERIALIZATION),
    ("json: list for a structure", rest(create(Code=[1])), SERIALIZATION),
    ("json: string for a list", rest(create(Layers="x")), SERIALIZATION),
    ("json: list for a map", rest(create(Tags=["x"])), SERIALIZATION),
    ("json: not base64", rest(create(Code={"ZipFile": "@@@"})), SERIALIZATION),
    ("json: base64 that is not ascii", rest(create(Code={"ZipFile": "é"})), SERIALIZATION),
    ("json: null in a list", rest(create(Layers=[None])), "ValidationException"),
    ("json: null in a map", rest(create(Tags={"a": None})), "ValidationException"),
    ("json: nothing at all", rest(b""), "ValidationException"),
    ("json: empty name", rest(create(FunctionName="")), "ValidationException"),
    ("json: a newline after the name", rest(create(FunctionName="orders\n")), "ValidationException"),
    ("json: digits of another script", rest(create(Role="arn:aws:iam::൬௦෦᠑0๘᪂༠൭᠘୨೮:role/r")), "ValidationException"),
    ("json: unknown runtime", rest(create(Runtime="python2.1")), "InvalidParameterValueException"),
    ("json 1.1: broken", json_rpc(b"{"), SERIALIZATION),
    ("json 1.1: wrong kind", json_rpc(b'{"logEvents": {}}'), SERIALIZATION),
    ("json 1.1: timestamp is text", json_rpc(b'{"logEvents": [{"timestamp": "now"}]}'), SERIALIZATION),
    (
        "json 1.1: bad name",
        json_rpc(b'{"logGroupName": "a b"}', "Logs_20140328.CreateLogGroup"),
        "InvalidParameterException",
    ),
    (
        "json 1.1: no timestamp",
        json_rpc(b'{"logGroupName":"g","logStreamName":"s","logEvents":[{"message":"m"}]}'),
        "InvalidParameterException",
    ),
    (
        "json 1.1: timestamp at the end of time",
        json_rpc(b'{"StartTime":1e300}', "GraniteServiceVersion20100801.GetMetricData", "monitoring"),
        SERIALIZATION,
    ),
    (
        "json 1.1: CodeDeploy without a name",
        json_rpc(b"{}", CREATE_APPLICATION, "codedeploy"),
        "ApplicationNameRequiredException",
    ),
    (
        "json 1.1: CodeDeploy with a bad platform",
        json_rpc(
            b'{"applicationName":"a","computePlatform":"Mainframe"}',
            "CodeDeploy_20141006.CreateApplication",
            "codedeploy",
        ),
        "InvalidComputePlatformException",
    ),
    ("path: a bad escape", rest(b"", f"{FN}/or%zzders", "GET"), SERIALIZATION),
    ("path: a cut escape", rest(b"", f"{FN}/orders%2", "GET"), SERIALIZATION),
    ("path: not utf-8", rest(b"", f"{FN}/%ff%fe", "GET"), SERIALIZATION),
    ("path: a null byte", rest(b"", f"{FN}/or%00ders", "GET"), "ValidationException"),
    ("path: up and away", rest(b"", f"{FN}/..%2f..%2fetc%2fpasswd", "GET"), "ValidationException"),
    ("query string: not utf-8", rest(b"", f"{FN}/orders", "GET", "Qualifier=%ff"), SERIALIZATION),
    ("query string: text for a number", rest(b"", FN, "GET", "MaxItems=many"), SERIALIZATION),
    ("query string: a long number", rest(b"", FN, "GET", "MaxItems=" + "9" * 5000), SERIALIZATION),
    ("query string: out of range", rest(b"", FN, "GET", "MaxItems=0"), "ValidationException"),
    ("query string: a thousand fields", rest(b"", FN, "GET", "&".join(f"a{n}=1" for n in range(1500))), SERIALIZATION),
    ("header: not in the enum", invoke("x-amz-invocation-type", "Soon"), "ValidationException"),
    ("header: twice", invoke("x-amz-log-type", "Tail,Tail"), "ValidationException"),
    ("cbor: cut short", cbor(metric()[:-3]), SERIALIZATION),
    ("cbor: a list", cbor(b"\x80"), SERIALIZATION),
    ("cbor: a huge length", cbor(b"\x9b" + b"\x7f" * 8), SERIALIZATION),
    ("cbor: a huge string", cbor(b"\x7b" + b"\x7f" * 8), SERIALIZATION),
    ("cbor: nested too deep", cbor(b"\xa1\x61a" * 100_000), SERIALIZATION),
    ("cbor: a cycle", cbor(bytes.fromhex("d81c81d81d00")), SERIALIZATION),
    ("cbor: a pattern to compile", cbor(bytes.fromhex("a1694e616d657370616365d8236528612b292b")), SERIALIZATION),
    ("cbor: a big number", cbor(metric(StorageResolution=2**80)), SERIALIZATION),
    ("cbor: bad utf-8", cbor(b"\xa1\x61\xff\x00"), SERIALIZATION),
    ("cbor: keys that are numbers", cbor(b"\xa1\x01\x02"), SERIALIZATION),
    ("cbor: text for a number", cbor(metric(Value="1")), SERIALIZATION),
    ("cbor: a time without its tag", cbor(metric(Timestamp=1.5)), SERIALIZATION),
    ("cbor: a time that is text", cbor(metric(Timestamp=cbor2.CBORTag(1, "now"))), SERIALIZATION),
    ("cbor: a time that is not a number", cbor(metric(Timestamp=cbor2.CBORTag(1, float("nan")))), SERIALIZATION),
    ("cbor: a time beyond all calendars", cbor(metric(Timestamp=cbor2.CBORTag(1, 1e300))), SERIALIZATION),
    ("cbor: an unknown tag", cbor(metric(Value=cbor2.CBORTag(4711, 1))), SERIALIZATION),
    ("cbor: a simple value", cbor(metric(Value=cbor2.CBORSimpleValue(99))), SERIALIZATION),
    ("cbor: wrong unit", cbor(metric(Unit="Furlongs")), "InvalidParameterValueException"),
    ("cbor: nothing", cbor(b""), "MissingRequiredParameterException"),
    ("query: bad utf-8", query(METRIC + b"&x=%ff"), "MalformedInput"),
    ("query: raw bytes", query(METRIC + b"&x=\xff"), "MalformedInput"),
    ("query: text for a number", query(METRIC + b"&MetricData.member.1.Value=lots"), "MalformedInput"),
    ("query: neither true nor false", query(b"Action=PutMetricAlarm&ActionsEnabled=perhaps"), "MalformedInput"),
    ("query: a bad date", query(METRIC + b"&MetricData.member.1.Timestamp=2024-02-31T00:00:00Z"), "MalformedInput"),
    ("query: a bad position", query(METRIC + b"&MetricData.member.x.Value=1"), "MalformedInput"),
    ("query: a structure for a value", query(METRIC + b"&MetricData.member.1.Value.a=1"), "MalformedInput"),
    ("query: nested too deep", query(METRIC + b"&" + b".a" * 50 + b"=1"), "MalformedInput"),
    ("query: nothing but the action", query(b"Action=PutMetricData"), "MissingParameter"),
    ("query: no action", query(b"Version=2010-08-01"), "InvalidAction"),
    ("query: bad role", query(b"Action=AssumeRole&RoleArn=nonsense&RoleSessionName=x", "sts"), "ValidationError"),
]


def code_of(response: HttpResponse) -> str:
    assert isinstance(response.body, bytes)
    kind = response.headers["Content-Type"]
    if kind == "application/cbor":
        return str(cbor2.loads(response.body)["__type"])
    if kind == "text/xml":
        return response.body.decode().partition("<Code>")[2].partition("</Code>")[0]
    return str(response.headers.get("x-amzn-ErrorType") or json.loads(response.body)["__type"])


@pytest.mark.parametrize(("request_", "code"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_garbage_gets_a_modelled_4xx(served: Bench, request_: HttpRequest, code: str) -> None:
    response = served.send(request_)
    assert (response.status, code_of(response)) == (400, code)
    assert not served.calls
    assert len(response.body) < 5000  # type: ignore[arg-type]


def test_unknown_members_and_nulls_are_ignored(served: Bench) -> None:
    body = create(Futuristic={"a": [1, None]}, Description=None, Timeout=3.0)
    assert served.send(rest(body)).status == 200 + 1
    assert served.calls[0][1] == json.loads(create()) | {"Timeout": 3, "Code": {"ZipFile": b"\0\0\0"}}


def test_cbor_in_all_its_spellings(served: Bench) -> None:
    """Indefinite maps, arrays and strings; half, single and double floats; whole and broken seconds; undefined."""
    body = (
        b"\xbf\x69Namespace\x7f\x62Sh\x62op\xff\x6aMetricData\x9f"
        + b"".join(b"\xbf\x6aMetricName\x61m\x65Value" + number + b"\xff" for number in _NUMBERS)
        + b"\xbf\x6aMetricName\x61m\x69Timestamp\xc1\x1a\x65\x00\x00\x00\x64Unit\xf7\xff"
        + b"\xbf\x6aMetricName\x61m\x69Timestamp\xc1\xfb"
        + struct.pack(">d", 1.5)
        + b"\xff"
        + b"\xff\xff"
    )
    assert served.send(cbor(body)).status == 200
    params = served.calls[0][1]
    assert params["Namespace"] == "Shop"
    assert [datum.get("Value") for datum in params["MetricData"]] == [1.5, 1.5, 1.5, 7.0, None, None]
    assert [datum.get("Timestamp") for datum in params["MetricData"][4:]] == [float(0x65000000), 1.5]
    assert "Unit" not in params["MetricData"][4]


_NUMBERS = (
    b"\xf9" + struct.pack(">e", 1.5),
    b"\xfa" + struct.pack(">f", 1.5),
    b"\xfb" + struct.pack(">d", 1.5),
    b"\x07",
)


@settings(
    max_examples=150,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_random_bytes_never_make_a_500(served: Bench, data: st.DataObject) -> None:
    body = data.draw(st.binary(max_size=60))
    for request in (rest(body), json_rpc(body), cbor(body), query(METRIC + b"&" + body)):
        assert served.send(request).status < 500
    text = data.draw(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30))
    for request in (rest(b"", f"{FN}/{text}", "GET"), rest(b"", FN, "GET", text), rest(b"", f"/{text}", "GET")):
        assert served.send(request).status < 500
    header = HttpRequest("POST", "/", text, {"authorization": text, "x-amz-target": text, "content-type": text}, body)
    assert served.send(header).status < 500


def test_several_violations_are_told_at_once(served: Bench) -> None:
    response = served.send(rest(create(MemorySize=1, Timeout=0)))
    message = json.loads(response.body)["message"]
    assert message.startswith("2 validation errors detected: Value '0' at 'timeout' failed to satisfy constraint: ")
    assert "Member must have value greater than or equal to 1; Value '1' at 'memorySize'" in message


def test_secrets_are_not_echoed(served: Bench) -> None:
    response = served.send(rest(create(Environment={"Variables": {"1BAD": "the secret"}})))
    assert b"the secret" not in response.body  # type: ignore[operator]
    assert b"Value at 'environment.variables' failed to satisfy constraint: Map keys" in response.body  # type: ignore[operator]


def test_models_refuse_names_botocore_does_not_list() -> None:
    models = Models()
    assert models.service("../../etc/passwd") is None
    assert models.service("") is None
