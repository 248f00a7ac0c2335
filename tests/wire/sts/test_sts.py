"""Who may call: STS and signatures through unmodified boto3, with each protocol's own error names."""

import urllib.error
import urllib.request

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from running import ROLE

NO_RETRIES = Config(retries={"total_max_attempts": 1})


def client(server, service, key, secret, token=None):
    return boto3.client(
        service,
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=NO_RETRIES,
    )


def of(server, service, credentials):
    return client(
        server, service, credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"]
    )


def refusal(call, **params) -> tuple[str, int]:
    with pytest.raises(ClientError) as refused:
        call(**params)
    response = refused.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_the_admin_is_told_who_it_is(server) -> None:
    identity = server.client("sts").get_caller_identity()
    assert identity["Account"] == "000000000000"
    assert identity["Arn"] == "arn:aws:iam::000000000000:user/admin"


def test_an_assumed_role_works_everywhere_and_survives_a_restart(make_server) -> None:
    server = make_server()
    answer = server.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="ci", DurationSeconds=900)
    credentials = answer["Credentials"]
    server.kill()
    server.start()
    arn = of(server, "sts", credentials).get_caller_identity()["Arn"]
    assert arn == answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::000000000000:assumed-role/test/ci"
    of(server, "lambda", credentials).list_functions()
    of(server, "logs", credentials).describe_log_groups()


def test_a_session_token_of_the_admin_is_the_admin(server) -> None:
    credentials = server.client("sts").get_session_token()["Credentials"]
    assert of(server, "sts", credentials).get_caller_identity()["Arn"].endswith(":user/admin")


CALLS = {
    "sts": ("get_caller_identity", "InvalidClientTokenId", "SignatureDoesNotMatch", 403),
    "lambda": ("list_functions", "UnrecognizedClientException", "InvalidSignatureException", 403),
    "logs": ("describe_log_groups", "UnrecognizedClientException", "InvalidSignatureException", 400),
}


@pytest.mark.parametrize("service", CALLS)
def test_wrong_keys_get_each_services_own_error(server, service) -> None:
    operation, unknown, mismatch, status = CALLS[service]
    key = server.env()["AWS_ACCESS_KEY_ID"]
    stranger = client(server, service, "AKIAUNKNOWNUNKNOWN22", "x")
    assert refusal(getattr(stranger, operation)) == (unknown, status)
    forger = client(server, service, key, "wrong")
    assert refusal(getattr(forger, operation)) == (mismatch, status)
    forger = client(server, service, key, server.env()["AWS_SECRET_ACCESS_KEY"], "not-a-token")
    assert refusal(getattr(forger, operation)) == (unknown, status)


def fetch(url: str):
    """Status, headers and body, without an SDK."""
    try:
        with urllib.request.urlopen(url, timeout=10) as reply:
            return reply.status, reply.headers, reply.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.headers, refused.read()


def test_a_request_without_a_signature_is_refused(server) -> None:
    status, headers, _ = fetch(server.endpoint + "/2015-03-31/functions/")
    assert status == 403
    assert headers["x-amzn-ErrorType"].startswith("MissingAuthenticationToken")


def test_a_presigned_request_is_accepted_as_it_was_signed(server) -> None:
    url = server.client("sts").generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
    status, _, body = fetch(url)
    assert status == 200
    assert b":user/admin" in body
    status, _, body = fetch(url.replace("GetCallerIdentity", "GetSessionToken"))
    assert status == 403
    assert b"SignatureDoesNotMatch" in body
