"""The pipeline from outside: what comes back for each way a request can go."""

import gzip
import json
import logging
from typing import Any

import cbor2
import pytest

from gateway.bench import Bench, Sdk, signed
from penstock.core.errors import ApiError
from penstock.gateway.contract import HttpRequest, HttpResponse

CBOR, JSON, QUERY, REST = "smithy-rpc-v2-cbor", "json", "query", "rest-json"


def get(
    path: str, query: str = "", service: str | None = "lambda", method: str = "GET", body: bytes = b""
) -> HttpRequest:
    headers = {"authorization": signed(service)} if service else {}
    return HttpRequest(method, path, query, headers, body)


def test_a_request_reaches_its_operation_with_the_callers_scope(bench: Bench) -> None:
    bench.serve("lambda", "GetFunction")
    bench.results["GetFunction"] = {"Configuration": {"FunctionName": "orders", "Timeout": 3, "Description": None}}
    response = bench.send(get("/2015-03-31/functions/orders", "Qualifier=live"))
    assert (response.status, json.loads(response.body)) == (
        200,
        {"Configuration": {"FunctionName": "orders", "Timeout": 3}},
    )
    context, params = bench.calls[0]
    assert params == {"FunctionName": "orders", "Qualifier": "live"}
    assert (context.service, context.operation) == ("lambda", "GetFunction")
    assert (context.scope.account, context.scope.region) == ("000000000000", "eu-west-1")
    assert response.headers["x-amzn-RequestId"] == context.request_id


@pytest.mark.parametrize("protocol", [CBOR, JSON, QUERY])
def test_cloudwatch_answers_in_the_protocol_it_was_asked_in(bench: Bench, protocol: str) -> None:
    bench.serve("cloudwatch", "DescribeAlarms")
    bench.results["DescribeAlarms"] = {"MetricAlarms": [{"AlarmName": "a<b", "Threshold": 0.5, "Period": 60}]}
    sdk = Sdk("cloudwatch")
    response = bench.send(sdk.request("DescribeAlarms", protocol, {"AlarmNames": ["a<b"]}))
    parsed = sdk.parse("DescribeAlarms", protocol, response)
    assert parsed["MetricAlarms"] == [{"AlarmName": "a<b", "Threshold": 0.5, "Period": 60}]
    assert parsed["ResponseMetadata"]["RequestId"] == bench.calls[0][0].request_id
    assert bench.calls[0][1] == {"AlarmNames": ["a<b"]}


def test_a_gzipped_body_is_unpacked_in_every_protocol(bench: Bench) -> None:
    bench.serve("cloudwatch", "PutMetricData")
    sdk = Sdk("cloudwatch")
    params = {"Namespace": "Shop", "MetricData": [{"MetricName": "Sold", "Value": 1.0}]}
    for protocol in (CBOR, JSON, QUERY):
        plain = sdk.request("PutMetricData", protocol, params)
        headers = {**plain.headers, "content-encoding": "gzip"}
        packed = HttpRequest(plain.method, plain.path, plain.query, headers, gzip.compress(plain.body))
        assert bench.send(packed).status == 200
    assert [params for _, params in bench.calls] == [params] * 3


def test_a_gzip_bomb_and_broken_gzip_are_refused(bench: Bench) -> None:
    bench.serve("cloudwatch", "PutMetricData")
    plain = Sdk("cloudwatch").request("PutMetricData", JSON, {"Namespace": "Shop", "MetricData": []})
    headers = {**plain.headers, "content-encoding": "gzip"}
    bomb = HttpRequest("POST", "/", "", headers, gzip.compress(b"0" * (4 * 1024 * 1024)))
    assert bench.send(bomb).status == 413
    assert bench.send(HttpRequest("POST", "/", "", headers, b"not gzip")).status == 400


def code_of(response: HttpResponse) -> str:
    assert isinstance(response.body, bytes)
    kind = response.headers["Content-Type"]
    if kind == "application/cbor":
        return str(cbor2.loads(response.body)["__type"])
    if kind == "text/xml":
        return response.body.decode().partition("<Code>")[2].partition("</Code>")[0]
    return str(response.headers.get("x-amzn-ErrorType") or json.loads(response.body)["__type"])


UNSERVED = [
    ("lambda", REST, "ListLayers", {}, "UnknownOperationException"),
    ("logs", JSON, "DescribeLogGroups", {}, "UnknownOperationException"),
    ("sts", QUERY, "GetCallerIdentity", {}, "InvalidAction"),
    ("cloudwatch", CBOR, "ListMetrics", {}, "UnknownOperationException"),
    ("dynamodb", JSON, "ListTables", {}, "UnknownOperationException"),
]


@pytest.mark.parametrize(("service", "protocol", "operation", "params", "code"), UNSERVED)
def test_an_operation_not_served_is_named(
    bench: Bench, service: str, protocol: str, operation: str, params: dict[str, Any], code: str
) -> None:
    bench.serve("cloudwatch", "DescribeAlarms")
    response = bench.send(Sdk(service).request(operation, protocol, params))
    assert (response.status, code_of(response)) == (400, code)
    assert f"Penstock does not serve {service}:{operation} yet".encode() in response.body  # type: ignore[operator]


UNKNOWN = [
    ("no such path", get("/2015-03-31/nothing"), 404, "UnknownOperationException"),
    ("no such service", get("/x", service="quantumledger9"), 400, "UnknownOperationException"),
    ("a service name with a path in it", get("/x", service="..%2f..%2fetc"), 400, "UnknownOperationException"),
    ("unsigned, nothing fits", get("/x", service=None), 404, "UnknownOperationException"),
    (
        "no such target",
        HttpRequest("POST", "/", "", {"x-amz-target": "Logs_20140328.Nope", "authorization": signed("logs")}, b"{}"),
        400,
        "UnknownOperationException",
    ),
    (
        "no such action",
        HttpRequest(
            "POST",
            "/",
            "",
            {"content-type": "application/x-www-form-urlencoded", "authorization": signed("sts")},
            b"Action=Nope&Version=2011-06-15",
        ),
        400,
        "InvalidAction",
    ),
    (
        "a protocol the service does not speak",
        HttpRequest("POST", "/", "", {"x-amz-target": "X.ListFunctions", "authorization": signed("lambda")}, b"{}"),
        400,
        "UnknownOperationException",
    ),
]


@pytest.mark.parametrize(("request_", "status", "code"), [row[1:] for row in UNKNOWN], ids=[row[0] for row in UNKNOWN])
def test_what_nobody_knows_gets_a_plain_no(bench: Bench, request_: HttpRequest, status: int, code: str) -> None:
    bench.serve("lambda", "ListFunctions")
    response = bench.send(request_)
    assert (response.status, code_of(response)) == (status, code)


AUTH = [
    ("lambda", REST, "ListFunctions", 403, "UnrecognizedClientException"),
    ("logs", JSON, "DescribeLogGroups", 400, "UnrecognizedClientException"),
    ("sts", QUERY, "GetCallerIdentity", 403, "InvalidClientTokenId"),
]


@pytest.mark.parametrize(("service", "protocol", "operation", "status", "code"), AUTH)
def test_an_authentication_refusal_is_spelled_by_the_protocol(
    bench: Bench, service: str, protocol: str, operation: str, status: int, code: str
) -> None:
    bench.serve(service, operation)
    good = Sdk(service).request(operation, protocol, {})
    headers = {**good.headers, "authorization": good.headers["authorization"].replace("=AK/", "=BADKEY/")}
    response = bench.send(HttpRequest(good.method, good.path, good.query, headers, good.body))
    assert (response.status, code_of(response)) == (status, code)
    assert not bench.calls


def test_an_unsigned_request_is_refused_unless_the_operation_needs_no_signature(bench: Bench) -> None:
    bench.serve("sts", "AssumeRoleWithWebIdentity", "GetCallerIdentity")
    form = {"content-type": "application/x-www-form-urlencoded"}
    role = "arn%3Aaws%3Aiam%3A%3A000000000000%3Arole%2Fci"
    body = f"Action=AssumeRoleWithWebIdentity&RoleArn={role}&RoleSessionName=ci&WebIdentityToken=abcd"
    assert bench.send(HttpRequest("POST", "/", "", form, body.encode())).status == 200
    assert bench.calls[0][0].principal.arn == "anonymous"
    refused = bench.send(HttpRequest("POST", "/", "", form, b"Action=GetCallerIdentity&Version=2011-06-15"))
    assert (refused.status, code_of(refused)) == (403, "MissingAuthenticationToken")


def test_the_authorizer_may_refuse(bench: Bench) -> None:
    bench.serve("lambda", "DeleteFunction")
    response = bench.send(get("/2015-03-31/functions/orders", method="DELETE"))
    assert (response.status, code_of(response)) == (403, "AccessDeniedException")
    assert not bench.calls


@pytest.mark.parametrize("result", [RuntimeError("the secret"), {"Nonsense": 1}, {"Functions": [{"Timeout": "3"}]}])
def test_our_own_failure_is_a_500_with_an_id_that_the_log_has(
    bench: Bench, caplog: pytest.LogCaptureFixture, result: Any
) -> None:
    bench.serve("lambda", "ListFunctions")
    bench.results["ListFunctions"] = result
    with caplog.at_level(logging.ERROR):
        response = bench.send(get("/2015-03-31/functions/"))
    body = json.loads(response.body)
    assert (response.status, code_of(response), body["Type"]) == (500, "ServiceException", "Service")
    assert response.headers["x-amzn-RequestId"] in body["Message"]
    assert response.headers["x-amzn-RequestId"] in caplog.text
    assert "the secret" not in body["Message"]


def test_a_modelled_error_has_its_status_type_and_members(bench: Bench) -> None:
    bench.serve("lambda", "Invoke")
    fields = {"Reason": "ReservedFunctionConcurrentInvocationLimitExceeded", "retryAfterSeconds": "1"}
    bench.results["Invoke"] = ApiError("TooManyRequestsException", "Rate Exceeded.", fields=fields)
    response = bench.send(get("/2015-03-31/functions/orders/invocations", method="POST", body=b"{}"))
    assert response.status == 429
    assert json.loads(response.body) == {
        "Type": "User",
        "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded",
        "message": "Rate Exceeded.",
    }
    assert response.headers["Retry-After"] == "1"
    assert response.headers["x-amzn-ErrorType"] == "TooManyRequestsException"


def test_query_compatible_errors_tell_the_old_code(bench: Bench) -> None:
    bench.serve("cloudwatch", "SetAlarmState")
    bench.results["SetAlarmState"] = ApiError("ResourceNotFound", "no such alarm")
    params = {"AlarmName": "a", "StateValue": "OK", "StateReason": "test"}
    sdk = Sdk("cloudwatch")
    for protocol in (CBOR, JSON):
        response = bench.send(sdk.request("SetAlarmState", protocol, params))
        assert (response.status, code_of(response)) == (404, "ResourceNotFound")
        assert response.headers["x-amzn-query-error"] == "ResourceNotFound;Sender"
    response = bench.send(sdk.request("SetAlarmState", QUERY, params))
    assert (response.status, code_of(response)) == (404, "ResourceNotFound")


def test_routes_take_their_prefix_and_nothing_else(bench: Bench) -> None:
    async def health(context: Any, request: HttpRequest) -> HttpResponse:
        return HttpResponse(200, {"Content-Type": "application/json"}, b'{"ok":true}')

    async def who(context: Any, request: HttpRequest) -> HttpResponse:
        return HttpResponse(200, {}, context.principal.arn.encode())

    bench.gateway.route("/_penstock/health", health, signed=False)
    bench.gateway.route("/_penstock", who, signed=True)
    assert bench.send(get("/_penstock/health", service=None)).body == b'{"ok":true}'
    assert bench.send(get("/_penstock/timeline")).body == b"arn:aws:iam::000000000000:user/admin"
    assert bench.send(get("/_penstock/healthy", service=None)).status == 403
    assert bench.send(get("/_penstockade", service=None)).status == 404
    with pytest.raises(ValueError, match="twice"):
        bench.gateway.route("/_penstock", who, signed=True)


def test_the_root_greets(bench: Bench) -> None:
    response = bench.send(get("/", service=None))
    assert response.status == 200
    assert b"Penstock" in response.body  # type: ignore[operator]


def test_mounting_is_checked_against_the_model(bench: Bench) -> None:
    bench.serve("lambda", "Invoke")
    bench.serve("lambda", "ListFunctions")
    with pytest.raises(ValueError, match="twice"):
        bench.serve("lambda", "Invoke")
    with pytest.raises(ValueError, match="no operation lambda:Fly"):
        bench.serve("lambda", "Fly")
