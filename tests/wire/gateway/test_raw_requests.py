"""Signed requests made by hand: every protocol CloudWatch and CodeDeploy speak, and garbage that no SDK would send."""

import base64
import gzip
import http.client
import json
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
CBOR = {"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor", "Accept": "application/cbor"}
FUNCTIONS = "/2015-03-31/functions"


@pytest.fixture
def send(server):
    """A signed request as bytes over a socket; status, headers and body."""
    env = server.env()
    credentials = Credentials(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"])

    def send(service, method, path, headers=None, body=b""):
        request = AWSRequest(method=method, url=server.endpoint + path, headers=headers or {}, data=body)
        SigV4Auth(credentials, service, env["AWS_REGION"]).add_auth(request)
        address = urlsplit(server.endpoint)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
        try:
            connection.request(method, path, body, dict(request.headers.items()))
            response = connection.getresponse()
            return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
        finally:
            connection.close()

    return send


def test_cloudwatch_speaks_query(send):
    status, headers, body = send("monitoring", "POST", "/", FORM, b"Action=DescribeAlarms&Version=2010-08-01")
    assert (status, headers["content-type"]) == (200, "text/xml")
    assert b"<DescribeAlarmsResult>" in body
    assert headers["x-amzn-requestid"].encode() in body


def test_cloudwatch_speaks_json(send):
    target = {"X-Amz-Target": "GraniteServiceVersion20100801.DescribeAlarms"}
    target["Content-Type"] = "application/x-amz-json-1.0"
    status, headers, body = send("monitoring", "POST", "/", target, b"{}")
    assert (status, headers["content-type"]) == (200, "application/x-amz-json-1.0")
    assert isinstance(json.loads(body)["MetricAlarms"], list)


@pytest.mark.parametrize("body", [b"", b"\xa0", b"\xbf\xff"], ids=["nothing", "an empty map", "an endless empty map"])
def test_cloudwatch_speaks_cbor(send, body):
    path = "/service/GraniteServiceVersion20100801/operation/DescribeAlarms"
    status, headers, reply = send("monitoring", "POST", path, CBOR, body)
    assert (status, headers["content-type"]) == (200, "application/cbor")
    assert headers["smithy-protocol"] == "rpc-v2-cbor"
    assert b"MetricAlarms" in reply


def test_codedeploy_speaks_json_and_cbor(send):
    target = {"X-Amz-Target": "CodeDeploy_20141006.ListDeploymentConfigs", "Content-Type": "application/x-amz-json-1.1"}
    status, headers, body = send("codedeploy", "POST", "/", target, b"{}")
    assert (status, headers["content-type"]) == (200, "application/x-amz-json-1.1")
    assert b"CodeDeployDefault.LambdaAllAtOnce" in body
    path = "/service/CodeDeploy_20141006/operation/ListDeploymentConfigs"
    status, headers, body = send("codedeploy", "POST", path, CBOR, b"\xa0")
    assert (status, headers["content-type"]) == (200, "application/cbor")
    assert b"CodeDeployDefault.LambdaAllAtOnce" in body


def test_a_gzipped_body_is_taken(send, name):
    form = f"Action=PutMetricData&Version=2010-08-01&Namespace={name}&MetricData.member.1.MetricName=m"
    headers = FORM | {"Content-Encoding": "gzip"}
    packed = gzip.compress(f"{form}&MetricData.member.1.Value=1".encode())
    assert send("monitoring", "POST", "/", headers, packed)[0] == 200
    assert send("monitoring", "POST", "/", headers, packed[:-9])[0] == 400
    assert send("monitoring", "POST", "/", headers, gzip.compress(b"a" * 200_000_000))[0] == 413


def create(**members):
    zipped = base64.b64encode(b"not a zip").decode()
    whole = {"FunctionName": "garbage", "Role": "arn:aws:iam::000000000000:role/r", "Handler": "a.b"}
    return json.dumps(whole | {"Runtime": "python3.11", "Code": {"ZipFile": zipped}} | members).encode()


GARBAGE = [
    ("broken json", "POST", FUNCTIONS, b'{"FunctionName":'),
    ("not an object", "POST", FUNCTIONS, b"[]"),
    ("bad utf-8", "POST", FUNCTIONS, b'{"FunctionName":"\xff"}'),
    ("nested a million deep", "POST", FUNCTIONS, b'{"a":' * 1_000_000),
    ("a wrong kind", "POST", FUNCTIONS, create(Timeout="soon")),
    ("a huge number", "POST", FUNCTIONS, create(Timeout=10**300)),
    ("out of range", "POST", FUNCTIONS, create(MemorySize=1)),
    ("not base64", "POST", FUNCTIONS, create(Code={"ZipFile": "???"})),
    ("not a zip", "POST", FUNCTIONS, create()),
    ("a bad name", "POST", FUNCTIONS, create(FunctionName="no good")),
    ("nothing", "POST", FUNCTIONS, b""),
    ("a bad escape", "GET", f"{FUNCTIONS}/a%zz", b""),
    ("bytes that are no text", "GET", f"{FUNCTIONS}/%ff%fe", b""),
    ("a path upwards", "GET", f"{FUNCTIONS}/..%2f..%2f..%2fetc%2fpasswd", b""),
    ("an unknown path", "GET", "/2015-03-31/nothing/here", b""),
    ("an unknown method", "PATCH", FUNCTIONS, b""),
    ("a bad query string", "GET", f"{FUNCTIONS}?MaxItems=%ff", b""),
]


@pytest.mark.parametrize(("method", "path", "body"), [row[1:] for row in GARBAGE], ids=[row[0] for row in GARBAGE])
def test_garbage_gets_a_4xx_in_words_and_changes_nothing(server, send, method, path, body):
    status, headers, reply = send("lambda", method, path, {"Content-Type": "application/json"}, body)
    assert 400 <= status < 500
    assert headers["x-amzn-errortype"].endswith("Exception")
    answer = json.loads(reply)
    assert answer.get("message") or answer.get("Message")
    assert "Traceback" not in reply.decode()
    functions = server.client("lambda").list_functions()["Functions"]
    assert "garbage" not in [function["FunctionName"] for function in functions]


def test_an_operation_not_served_is_named(send):
    status, headers, body = send("lambda", "GET", "/2015-03-31/event-source-mappings")
    if status != 200:  # served one day
        assert (status, headers["x-amzn-errortype"]) == (400, "UnknownOperationException")
        assert b"Penstock does not serve lambda:ListEventSourceMappings yet." in body
    status, headers, body = send("dynamodb", "POST", "/", {"X-Amz-Target": "DynamoDB_20120810.ListTables"}, b"{}")
    assert status == 400
    assert b"Penstock does not serve dynamodb:ListTables yet." in body


def test_a_body_over_the_limit_is_refused_in_words(send):
    status, headers, _ = send("lambda", "POST", FUNCTIONS, {"Content-Type": "application/json"}, b" " * 85_000_000)
    assert (status, headers["x-amzn-errortype"]) == (413, "RequestTooLargeException")
