"""`penstock invoke`: the payload is all of stdout, and the exit code tells whether the function succeeded."""

import base64
import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.cli.conftest import FakeServer, Ran

from penstock.cli.sdk import split_qualifier

ORDERS = "POST /2015-03-31/functions/orders/invocations"
FINE = {"x-amz-executed-version": "3", "x-amzn-requestid": "r-1"}
ARN = "arn:aws:lambda:us-east-1:000000000000:function:orders:live"


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        ("orders", {"FunctionName": "orders"}),
        ("orders:live", {"FunctionName": "orders", "Qualifier": "live"}),
        ("orders:$LATEST", {"FunctionName": "orders", "Qualifier": "$LATEST"}),
        (ARN, {"FunctionName": ARN}),
        ("000000000000:function:orders", {"FunctionName": "000000000000:function:orders"}),
    ],
)
def test_a_function_and_its_qualifier(function: str, parameters: dict[str, str]) -> None:
    assert split_qualifier(function) == parameters


def test_the_payload_alone_is_on_stdout(server: FakeServer, run: Callable[..., Ran]) -> None:
    server.reply(ORDERS, b'{"total":7}', headers=FINE)
    ran = run("invoke", "orders:live", "--event", '{"id": 7}')
    assert (ran.code, ran.out) == (0, '{"total":7}\n')
    assert "version 3" in ran.err
    seen = server.asked(ORDERS)[0]
    assert seen.body == b'{"id": 7}'
    assert seen.query == {"Qualifier": "live"}


def test_a_function_error_is_exit_code_1(server: FakeServer, run: Callable[..., Ran]) -> None:
    server.reply(ORDERS, {"errorMessage": "no stock"}, headers={**FINE, "x-amz-function-error": "Unhandled"})
    ran = run("invoke", "orders")
    assert ran.code == 1
    assert ran.out == '{"errorMessage": "no stock"}\n'
    assert "the function failed (Unhandled)" in ran.err


def test_the_log_tail_goes_to_stderr(server: FakeServer, run: Callable[..., Ran]) -> None:
    tail = base64.b64encode(b"START\nhello\nEND\n").decode()
    server.reply(ORDERS, b"null", headers={**FINE, "x-amz-log-result": tail})
    ran = run("invoke", "orders", "--tail")
    assert ran.out == "null\n"
    assert ran.err.splitlines()[:3] == ["START", "hello", "END"]
    assert server.asked(ORDERS)[0].headers["x-amz-log-type"] == "Tail"


def test_an_asynchronous_call_has_no_payload(server: FakeServer, run: Callable[..., Ran]) -> None:
    server.reply(ORDERS, b"", status=202, headers={"x-amzn-requestid": "r-1"})
    ran = run("invoke", "orders", "--async")
    assert (ran.code, ran.out) == (0, "")
    assert "accepted · request r-1" in ran.err
    assert server.asked(ORDERS)[0].headers["x-amz-invocation-type"] == "Event"


def test_json_tells_everything(server: FakeServer, run: Callable[..., Ran]) -> None:
    server.reply(ORDERS, b'{"total":7}', headers=FINE)
    assert run("invoke", "orders", "--json").json == {
        "status_code": 200,
        "request_id": "r-1",
        "executed_version": "3",
        "function_error": None,
        "payload": {"total": 7},
        "log_tail": None,
    }


def test_an_event_from_a_file_and_from_stdin(
    server: FakeServer, run: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.reply(ORDERS, b"null", headers=FINE)
    (tmp_path / "event.json").write_bytes(b'{"from": "file"}')
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"from": "stdin"}')))
    run("invoke", "orders", "--event", f"@{tmp_path}/event.json")
    run("invoke", "orders", "--event", "-")
    assert [seen.body for seen in server.asked(ORDERS)] == [b'{"from": "file"}', b'{"from": "stdin"}']


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(("--event", "@/nowhere"), "cannot read the event"), (("--async", "--tail"), "penstock logs")],
)
def test_a_wrong_command_line_sends_nothing(
    arguments: tuple[str, ...], says: str, server: FakeServer, run: Callable[..., Ran]
) -> None:
    ran = run("invoke", "orders", *arguments)
    assert ran.code == 2
    assert says in ran.err
    assert not server.seen


def test_a_refusal_shows_the_servers_words(server: FakeServer, run: Callable[..., Ran]) -> None:
    server.reply(
        ORDERS,
        {"Type": "User", "Message": "Function not found: orders"},
        status=404,
        headers={"x-amzn-errortype": "ResourceNotFoundException"},
    )
    ran = run("invoke", "orders")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "Error (ResourceNotFoundException): Function not found: orders\n"


def test_no_server_is_exit_code_3(run: Callable[..., Ran]) -> None:
    assert run("invoke", "orders").code == 3
