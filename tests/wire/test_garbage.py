"""Must-show 5: whatever is sent, the answer is a modelled 4xx, never a 5xx; what is refused changes nothing; and the
server's log holds no traceback. The hostile requests are made from botocore's models, for every operation served.
"""

import contextlib
import http.client
import json
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, HTTPClientError

from hostile import SERVICES, Hostile, Maker, grafted
from running import HELLO, ROLE, RunningServer, zip_of

EACH = 12
"""Hostile requests for each operation."""
SEED = 7
ARN = "arn:aws:lambda:us-east-1:000000000000:function:orders"
CONTENT = '{"version":0.0,"Resources":[]}'
KNOWN: dict[str, dict[str, Any]] = {
    "lambda": {
        "FunctionName": "orders",
        "Qualifier": "live",
        "Role": ROLE,
        "Handler": "app.handler",
        "Runtime": "python3.11",
        "FunctionVersion": "1",
        "Resource": ARN,
        "LayerName": "pillow",
        "VersionNumber": 1,
        "Arn": "arn:aws:lambda:us-east-1:000000000000:layer:pillow:1",
    },
    "codedeploy": {
        "applicationName": "shop",
        "deploymentGroupName": "orders",
        "currentDeploymentGroupName": "orders",
        "serviceRoleArn": ROLE,
        "computePlatform": "Lambda",
        "revision": {"revisionType": "AppSpecContent", "appSpecContent": {"content": CONTENT}},
    },
    "cloudwatch": {"Namespace": "n", "MetricName": "m", "AlarmName": "a", "Period": 60},
    "logs": {"logGroupName": "/g", "logStreamName": "s"},
    "sts": {"RoleArn": ROLE, "RoleSessionName": "session"},
}
READS = ("Get", "List", "Describe", "BatchGet", "Filter", "Decode", "Assume", "Invoke")


class Target:
    """A server with one of everything."""

    def __init__(self, server: RunningServer):
        self.server = server
        self._env = server.env()
        self._credentials = Credentials(self._env["AWS_ACCESS_KEY_ID"], self._env["AWS_SECRET_ACCESS_KEY"])
        self.deploy, self.functions = server.client("codedeploy"), server.client("lambda")
        self.alarms, self.logs = server.client("cloudwatch"), server.client("logs")
        self.furnish()

    def furnish(self) -> None:
        """Make what is missing."""
        package = {"ZipFile": zip_of({"app.py": HELLO})}
        settings = {"Runtime": "python3.11", "Role": ROLE, "Handler": "app.handler"}
        quietly(self.functions.create_function, FunctionName="orders", Code=package, **settings)
        self.functions.get_waiter("function_active_v2").wait(FunctionName="orders")
        self.functions.get_waiter("function_updated_v2").wait(FunctionName="orders")
        version = self.functions.publish_version(FunctionName="orders")["Version"]
        quietly(self.functions.create_alias, FunctionName="orders", Name="live", FunctionVersion=version)
        if not self.functions.list_layer_versions(LayerName="pillow")["LayerVersions"]:
            self.functions.publish_layer_version(LayerName="pillow", Content=package)
        style = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}
        group = {"applicationName": "shop", "deploymentGroupName": "orders"}
        quietly(self.deploy.create_application, applicationName="shop", computePlatform="Lambda")
        quietly(self.deploy.create_deployment_group, **group, serviceRoleArn=ROLE, deploymentStyle=style)
        alarm = {"Namespace": "n", "MetricName": "m", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1}
        greater = {"Threshold": 1, "ComparisonOperator": "GreaterThanThreshold"}
        quietly(self.alarms.put_metric_alarm, AlarmName="a", **alarm, **greater)
        quietly(self.logs.create_log_group, logGroupName="/g")
        quietly(self.logs.create_log_stream, logGroupName="/g", logStreamName="s")

    def state(self) -> dict[str, Any]:
        """Everything that a refused request must leave as it is."""
        names = [one["FunctionName"] for one in self.functions.list_functions()["Functions"]]
        groups = self.deploy.list_deployment_groups
        applications = self.deploy.list_applications()["applications"]
        return {
            "versions": self.functions.list_functions(FunctionVersion="ALL")["Functions"],
            "aliases": [self.functions.list_aliases(FunctionName=name)["Aliases"] for name in names],
            "functions": [without_link(self.functions.get_function(FunctionName=name)) for name in names],
            "layers": self.functions.list_layers()["Layers"],
            "applications": self.deploy.batch_get_applications(applicationNames=applications or ["none"])[
                "applicationsInfo"
            ],
            "groups": [groups(applicationName=name)["deploymentGroups"] for name in applications],
            "configs": self.deploy.list_deployment_configs()["deploymentConfigsList"],
            "deployments": self.deploy.list_deployments()["deployments"],
            "alarms": [
                one["AlarmConfigurationUpdatedTimestamp"] for one in self.alarms.describe_alarms()["MetricAlarms"]
            ],
            "groups of logs": self.logs.describe_log_groups()["logGroups"],
            "timeline": json.loads(self.send("GET", "/_penstock/timeline?since=1d&limit=1000")[1])["markers"],
        }

    def send(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None, service: str = "lambda"
    ) -> tuple[int, bytes]:
        """A signed request by hand."""
        request = AWSRequest(method=method, url=self.server.endpoint + path, headers=headers or {}, data=body)
        SigV4Auth(self._credentials, service, self._env["AWS_REGION"]).add_auth(request)
        address = urlsplit(self.server.endpoint)
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=20)
        try:
            headers_sent = {name: value.encode() for name, value in request.headers.items()}
            connection.request(method, path, body, headers_sent)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


def quietly(call: Any, **params: Any) -> None:
    with contextlib.suppress(ClientError):
        call(**params)


def without_link(function: dict[str, Any]) -> dict[str, Any]:
    return {**function["Configuration"], "tags": function.get("Tags"), "concurrency": function.get("Concurrency")}


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory):
    running = RunningServer(tmp_path_factory.mktemp("garbage") / "data").start()
    yield Target(running)
    assert running.stop() == 0, running.log
    assert "Traceback" not in running.log, running.log


def close(reply: dict[str, Any]) -> None:
    """Let go of a reply that is a stream."""
    if "EventStream" in reply:
        reply["EventStream"].close()


class Sender:
    """Sends hostile requests through botocore with its own validation off."""

    def __init__(self, target: Target, service: str):
        self._client: Any = target.server.client(
            service, parameter_validation=False, inject_host_prefix=False, read_timeout=15
        )
        self._graft: str | None = None
        self._client.meta.events.register("before-call.*.*", self._break_body)
        self._methods = {name: method for method, name in self._client.meta.method_to_api_mapping.items()}

    def status(self, request: Hostile) -> int | None:
        """The HTTP status; None when botocore cannot even write such a request."""
        self._graft = request.graft
        try:
            close(getattr(self._client, self._methods[request.operation])(**request.params))
        except ClientError as refused:
            status = int(refused.response["ResponseMetadata"]["HTTPStatusCode"])
            named = not refused.response["Error"].get("Code", "").isdigit()
            # What cannot be read as HTTP at all (a head too large, a NUL in it) has no modelled answer; everything
            # else has a name.
            unreadable = len(str(request.params)) > 60_000 or "\\x00" in str(request.params)
            return status if named or unreadable else 599
        except HTTPClientError as broken:
            if isinstance(broken.kwargs.get("error"), TypeError):  # a body that is nothing to send, as a number
                return None
            raise AssertionError(f"{request.operation} {request.story}: {broken!r}") from broken
        except Exception:  # noqa: BLE001 - botocore's serialisers raise anything at all
            return None
        return 200

    def is_served(self, name: str, params: dict[str, Any]) -> bool:
        try:
            close(getattr(self._client, self._methods[name])(**params))
        except ClientError as refused:
            return "does not serve" not in str(refused)
        except Exception:  # noqa: BLE001 - as above
            return False
        return True

    def _break_body(self, params: dict[str, Any], **_: Any) -> None:
        if self._graft is not None and params.get("body"):
            params["body"] = grafted(params["body"], self._graft)


@pytest.mark.parametrize("service", SERVICES)
def test_hostile_requests_are_refused_and_change_nothing(target: Target, service: str):
    sender, maker = Sender(target, service), Maker(service, KNOWN[service], SEED)
    served = [name for name in maker.model.operation_names if sender.is_served(name, maker.plain(name))]
    assert served
    failures, counts = [], dict.fromkeys(("refused", "taken", "unsendable"), 0)
    for name in served:
        target.furnish()
        again = []
        for request in maker.requests(name, EACH):
            status = sender.status(request)
            counts["unsendable" if status is None else "taken" if status < 300 else "refused"] += 1
            if status is not None and status >= 500:
                failures.append(f"{status} {name}: {request.story}")
            if status is not None and 400 <= status < 500 and not name.startswith(READS):
                again.append(request)
        before = target.state()
        if all((sender.status(request) or 400) >= 400 for request in again):
            assert target.state() == before, f"a refused {name} changed something"
    assert not failures, "\n".join(failures)
    assert counts["refused"] > counts["taken"], counts


GOOD = {"Name": "orders", "Alias": "live", "CurrentVersion": "1", "TargetVersion": "2"}


def appspec(**properties: str) -> str:
    resource = {"Type": "AWS::Lambda::Function", "Properties": GOOD | properties}
    return json.dumps({"version": 0.0, "Resources": [{"orders": resource}]})


APPSPECS = {
    "empty": "",
    "blanks": " \t\n",
    "a list": "[]",
    "null": "null",
    "text": "hello",
    "nul": "\x00",
    "bom": "\ufeffversion: 0.0",
    "half a character in JSON": '{"version": 0.0, "\\ud800": 1}',
    "half a character in YAML": '"\\ud800": 1\nversion: 0.0',
    "half a character as hook": appspec()[:-1] + ', "Hooks": [{"\\udfff": "x"}]}',
    "half a character as name": appspec().replace("orders", "\\ud800"),
    "nul in a name": appspec(Name="o\u0000"),
    "endless number": '{"version":' + "9" * 5_000 + "}",
    "endless number in hex": "version: 0x" + "f" * 15_000,
    "number of base 60": "version: " + "1:" * 5_000 + "1",
    "infinity": '{"version": 1e999}',
    "not a number": "version: .nan",
    "empty number": 'version: !!int ""',
    "neither true nor false": "version: !!bool maybe",
    "no time": "version: !!timestamp x",
    "no binary": 'version: !!binary "*"',
    "no date": "version: 2020-13-45",
    "python object": '!!python/object/apply:os.system ["id"]',
    "set": "!!set {a}",
    "omap": "!!omap [a]",
    "YAML bomb": "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nversion: 0.0",
    "endless anchor": "a: &a [*a]",
    "merge key": "<<: {a: 1}\nversion: 0.0",
    "deep JSON": "[" * 8_000,
    "deep JSON objects": '{"a":' * 2_600,
    "deep YAML": "- " * 8_000,
    "256 KB": json.dumps({"version": 0.0, "x": "y" * 262_144}),
    "several documents": "---\n---\n",
    "other YAML": "%YAML 9.9\n---\n",
    "list as key": "? [a]\n: b",
    "doubled key": '{"version": 0.0, "Version": 0.0}',
    "digits of another script": appspec(TargetVersion="٢"),
    "long version": appspec(TargetVersion="9" * 5_000),
    "qualified name": appspec(Name="orders:live"),
    "latest": appspec(TargetVersion="$LATEST"),
    "path as name": appspec(Name="../orders"),
}


@pytest.mark.parametrize("content", APPSPECS.values(), ids=APPSPECS)
@pytest.mark.parametrize("kind", ["AppSpecContent", "String"])
def test_appspecs(target: Target, kind: str, content: str):
    before = target.state()
    member = {"AppSpecContent": "appSpecContent", "String": "string"}[kind]
    with pytest.raises(ClientError) as refused:
        target.deploy.create_deployment(
            applicationName="shop",
            deploymentGroupName="orders",
            revision={"revisionType": kind, member: {"content": content}},
        )
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert refused.value.response["Error"]["Code"] == "InvalidRevisionException"
    assert len(refused.value.response["Error"]["Message"]) < 600
    assert target.state() == before


CLIENT_CONTEXTS = {
    "no base64": "{}",
    "bytes above ASCII": "\xe9\xff",
    "no JSON": "e30tLQ==",
    "a list": "W10=",
    "half a character": "eyJhIjoi7aCAIn0=",
}


@pytest.mark.parametrize("header", CLIENT_CONTEXTS.values(), ids=CLIENT_CONTEXTS)
def test_client_contexts(target: Target, header: str):
    path = "/2015-03-31/functions/orders/invocations"
    status, reply = target.send("POST", path, b"{}", {"X-Amz-Client-Context": header})
    assert status == 400, reply


OWN_PAGES = [
    ("GET", "timeline?limit=%C2%B2", b""),
    ("GET", "timeline?limit=%D9%A3", b""),
    ("GET", "timeline?limit=0", b""),
    ("GET", "timeline?limit=" + "9" * 5_000, b""),
    ("GET", "timeline?since=NaN", b""),
    ("GET", "timeline?since=-1", b""),
    ("GET", "timeline?since=%00", b""),
    ("GET", "live/orders", b""),
    ("GET", "live/%ED%A0%80:live", b""),
    ("GET", "live/orders:%00", b""),
    ("GET", "live/" + "a" * 9_000 + ":live", b""),
    ("GET", "rollback", b""),
    ("GET", "nothing", b""),
    ("GET", "code/x", b""),
    ("POST", "markers", b""),
    ("POST", "markers", b"null"),
    ("POST", "markers", b"NaN"),
    ("POST", "markers", b"\xff\xfe"),
    ("POST", "markers", b"[" * 100_000),
    ("POST", "markers", b'{"action":' + b"9" * 5_000 + b"}"),
    ("POST", "markers", b'{"action": ["plan"]}'),
    ("POST", "markers", b'{"action": "plan"}'),
    ("POST", "markers", b'{"action": "plan", "component": "orders"}'),
    ("POST", "markers", b'{"action": "plan", "component": "lambda/\\ud800"}'),
    ("POST", "markers", b'{"action": "plan", "component": "lambda/x\\u0000"}'),
    ("POST", "markers", b'{"action": "plan", "component": "lambda/x", "reason": "\\ud800"}'),
    ("POST", "markers", b'{"action": "plan", "component": "lambda/x", "reason": "\\u001b[2J"}'),
    ("POST", "markers", b'{"action": "log", "component": "lambda/x", "status": "\\ud800"}'),
    ("POST", "markers", b'{"action": "update", "name": "\\ud800", "status": "RUNNING"}'),
    ("POST", "rollback", b"{}"),
    ("POST", "rollback", b'{"function": "orders", "alias": "live", "to": 1}'),
    ("POST", "rollback", b'{"function": "orders", "alias": "live", "to": "\\ud800"}'),
    ("POST", "rollback", b'{"function": "\\ud800", "alias": "live"}'),
    ("POST", "rollback", b'{"function": "orders", "alias": "live", "to": "$LATEST"}'),
]


@pytest.mark.parametrize(("method", "path", "body"), OWN_PAGES)
def test_penstocks_own_pages(target: Target, method: str, path: str, body: bytes):
    before = target.state()
    status, reply = target.send(method, f"/_penstock/{path}", body)
    assert 400 <= status < 500, reply
    assert target.state() == before


RAW = {
    "no HTTP": b"hello\r\n\r\n",
    "nothing but line ends": b"\r\n" * 2_000,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40,
    "negative length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "length in words": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "length and chunks": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "broken chunk": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    "huge length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999\r\n\r\n",
    "too many headers": b"GET / HTTP/1.1\r\n" + b"".join(b"h%d: x\r\n" % n for n in range(20_000)) + b"\r\n",
    "long path": b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes as header": b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: \xff\xfe\x80\r\n\r\n",
    "folded header": b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
    "target of a proxy": b"CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "absolute target": b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a star": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "unknown method": b"BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n",
    "HTTP of tomorrow": b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    "signature of words": b"POST / HTTP/1.1\r\nHost: x\r\nAuthorization: AWS4-HMAC-SHA256 Credential=a/b/c\r\n\r\n",
    "strange date": b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Date: 99999999T999999Z\r\nAuthorization: AWS4-HMAC-SHA256 "
    b"Credential=AK/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=00\r\n\r\n",
}


@pytest.mark.parametrize("sent", RAW.values(), ids=RAW)
def test_bytes_that_are_no_request(target: Target, sent: bytes):
    address = urlsplit(target.server.endpoint)
    with socket.create_connection((str(address.hostname), address.port), timeout=10) as connection:
        reply = b""
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(65_536):
                reply += chunk
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server hung up while we were still talking
    assert not reply.startswith(b"HTTP/1.1 5"), reply[:300]
    assert target.server.health()["status"] == "ok"
