"""The address over real sockets: what a runtime hears and tells, status codes, garbage, trailers, one segment."""

import asyncio
import base64
import contextlib
import json
import socket

import pytest
import uvloop

from penstock.execution.bootstrap.frames import MAX_RESPONSE
from penstock.execution.runtime_api.address import RUNTIME, Address
from penstock.execution.runtime_api.runtime import Event, RuntimeDesk
from penstock.execution.runtime_api.states import Client

EVENT = Event("RID", 1_700_000_000_000, "arn:x", b'{"a":1}', "Root=1", client_context='{"k":"\u00e9"}\r\nX: y')
NEXT = f"{RUNTIME}/invocation/next"
RESPONSE = f"{RUNTIME}/invocation/RID/response"
ERROR = f"{RUNTIME}/invocation/RID/error"


class Heard:
    """A `Listener` that writes down what it hears."""

    def __init__(self):
        self.words = []

    def __getattr__(self, name):
        return lambda *told: self.words.append((name, *[one for one in told if isinstance(one, (str, bytes))]))


class Wire:
    """One client of an address under test."""

    def __init__(self, port, desk, heard):
        self.port, self.desk, self.heard = port, desk, heard

    async def raw(self, data, read=True):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        await writer.drain()
        reply = await reader.read() if read else b""
        writer.close()
        return reply

    async def ask(self, method, path, body=b"", **headers):
        head = {"Host": "x", "Connection": "close", "Content-Length": str(len(body))}
        head |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        reply = await self.raw(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body)
        top, _, rest = reply.partition(b"\r\n\r\n")
        return int(top.split()[1]), top.decode("latin-1").lower(), rest


@pytest.fixture
def wire():
    """`run(scenario, restorable=False)` on a fresh address."""

    def run(scenario, **options):
        async def whole():
            heard = Heard()
            desk = RuntimeDesk(heard, **{"restorable": False, **options})
            address = Address({RUNTIME: desk})
            listening = socket.create_server(("127.0.0.1", 0))
            await address.listen(listening)
            try:
                async with asyncio.timeout(10):
                    return await scenario(Wire(listening.getsockname()[1], desk, heard))
            finally:
                address.close()
                await asyncio.sleep(0.02)

        return uvloop.run(whole())

    return run


async def take(one):
    """An event taken by the runtime."""
    one.desk.deliver(EVENT)
    return await one.ask("GET", NEXT)


def test_an_event_with_all_its_headers_and_its_reply(wire):
    async def scenario(one):
        status, head, body = await take(one)
        reply = await one.ask("POST", RESPONSE, b"[1]")
        return status, head, body, reply, one.heard.words

    status, head, body, reply, words = wire(scenario)
    assert (status, body) == (200, EVENT.payload)
    for line in (
        "lambda-runtime-aws-request-id: rid", "lambda-runtime-deadline-ms: 1700000000000",
        "lambda-runtime-invoked-function-arn: arn:x", "lambda-runtime-trace-id: root=1",
    ):  # fmt: skip
        assert f"\r\n{line}\r\n" in f"{head}\r\n"
    assert "\r\nx: y" not in head, "a value broke out of its header"
    assert (reply[0], json.loads(reply[2])) == (202, {"status": "OK"})
    assert words == [("responded", b"[1]")]


def test_next_waits_for_an_event_and_survives_a_lost_connection(wire):
    async def scenario(one):
        await one.raw(f"GET {NEXT} HTTP/1.1\r\nHost: x\r\n\r\n".encode(), read=False)
        await asyncio.sleep(0.05)
        waiting = asyncio.ensure_future(one.ask("GET", NEXT))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        second = await one.ask("GET", NEXT)
        one.desk.deliver(EVENT)
        return second[0], (await waiting)[0], one.heard.words

    assert wire(scenario) == (403, 200, [("runtime_ready",)])


WRONG = {
    "response before any event": ("POST", RESPONSE, 400, "InvalidRequestID"),
    "unknown path": ("GET", f"{RUNTIME}/invocation", 404, None),
    "another version": ("GET", "/2019-01-01/runtime/invocation/next", 404, None),
    "prefix only": ("GET", "/2018-06-01/runtimes/invocation/next", 404, None),
    "method": ("POST", NEXT, 405, None),
    "restore without SnapStart": ("GET", f"{RUNTIME}/restore/next", 404, None),
}


@pytest.mark.parametrize("name", WRONG)
def test_refusals_at_the_start(wire, name):
    method, path, status, kind = WRONG[name]

    async def scenario(one):
        return await one.ask(method, path, b"{}" if method == "POST" else b""), one.heard.words

    (found, _, body), words = wire(scenario)
    assert (found, words) == (status, [])
    if kind:
        assert json.loads(body)["errorType"] == kind


def test_refusals_during_an_invoke(wire):
    async def scenario(one):
        await take(one)
        answers = [
            await one.ask("POST", f"{RUNTIME}/invocation/OTHER/response", b"1"),
            await one.ask("GET", NEXT),
            await one.ask("POST", f"{RUNTIME}/init/error", b"{}"),
            await one.ask("POST", RESPONSE, b"1", Lambda_Runtime_Function_Response_Mode="sideways"),
            await one.ask("POST", RESPONSE, b"1"),
            await one.ask("POST", RESPONSE, b"2"),
            await one.ask("POST", ERROR, b"{}"),
        ]
        return [(status, json.loads(body).get("errorType")) for status, _, body in answers], one.heard.words

    answers, words = wire(scenario)
    assert answers == [
        (400, "InvalidRequestID"), (403, "InvalidStateTransition"), (403, "InvalidStateTransition"),
        (400, "InvalidFunctionResponseMode"), (202, None), (403, "InvalidStateTransition"),
        (403, "InvalidStateTransition"),
    ]  # fmt: skip
    assert words == [("responded", b"1")]


def test_a_reply_over_the_limit_is_a_function_error(wire):
    async def scenario(one):
        await take(one)
        status, _, body = await one.ask("POST", RESPONSE, b"x" * (MAX_RESPONSE + 1))
        return status, json.loads(body)["errorType"], one.heard.words, one.desk.state

    status, kind, words, state = wire(scenario)
    assert (status, kind, state) == (413, "RequestEntityTooLarge", Client.RESPONDED)
    assert [word[:2] for word in words] == [("failed", "Function.ResponseSizeTooLarge")]


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({"Lambda_Runtime_Function_Error_Type": "A.B"}, b'{"errorType":"C"}', ("A.B", b'{"errorType":"C"}')),
        ({}, b'{"errorType":"C"}', ("C", b'{"errorType":"C"}')),
        ({}, b"not json", ("Unhandled", b"not json")),
        ({"Lambda_Runtime_Function_Error_Type": "A.B"}, b"", ("A.B", b'{"errorType":"A.B"}')),
    ],
    ids=["header first", "from the body", "no document", "header only"],
)
def test_errors(wire, headers, body, expected):
    async def invoke(one):
        await take(one)
        return (await one.ask("POST", ERROR, body, **headers))[0], one.heard.words

    async def init(one):
        return (await one.ask("POST", f"{RUNTIME}/init/error", body, **headers))[0], one.heard.words

    assert wire(invoke) == (202, [("failed", *expected)])
    assert wire(init) == (202, [("init_failed", *expected)])


def chunked(*chunks, trailers=b"", whole=True):
    head = f"POST {RESPONSE} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
    head += "Content-Type: text/plain\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n\r\n"
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return head.encode() + body + (b"0\r\n" + trailers + b"\r\n" if whole else b"")


TRAILERS = b"Lambda-Runtime-Function-Error-Type: A.B\r\nLambda-Runtime-Function-Error-Body: " + base64.b64encode(
    b'{"errorType":"A.B"}'
)


@pytest.mark.parametrize(
    ("trailers", "end"),
    [(b"", ("responded", b"")), (TRAILERS + b"\r\n", ("failed", "A.B", b'{"errorType":"A.B"}'))],
    ids=["well", "failed"],
)
def test_a_streamed_reply_and_its_trailers(wire, trailers, end):
    async def scenario(one):
        await take(one)
        reply = await one.raw(chunked(b"one ", b"two", trailers=trailers))
        return reply.split()[1], one.heard.words

    status, words = wire(scenario)
    assert status == b"202"
    assert words[0] == ("responding", "text/plain")
    assert b"".join(word[1] for word in words[1:-1]) == b"one two"
    assert words[-1] == end


def test_a_streamed_reply_that_breaks_off(wire):
    async def scenario(one):
        await take(one)
        await one.raw(chunked(b"one ", whole=False), read=False)
        while one.desk.state is not Client.RESPONDED:  # noqa: ASYNC110 - it is about the other end
            await asyncio.sleep(0.005)
        return one.heard.words[-1][:2]

    assert wire(scenario) == ("failed", "Runtime.TruncatedResponse")


def test_a_buffered_reply_that_breaks_off_is_none(wire):
    async def scenario(one):
        await take(one)
        await one.raw(f"POST {RESPONSE} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf".encode(), read=False)
        await asyncio.sleep(0.05)
        return list(one.heard.words), (await one.ask("POST", RESPONSE, b"whole"))[0]

    assert wire(scenario) == ([], 202)


def test_restore(wire):
    async def scenario(one):
        restored = await one.ask("GET", f"{RUNTIME}/restore/next")
        again = await one.ask("GET", f"{RUNTIME}/restore/next")
        failed = await one.ask("POST", f"{RUNTIME}/restore/error", b'{"errorType":"R"}')
        return [restored[0], again[0], failed[0]], one.heard.words

    statuses, words = wire(scenario, restorable=True)
    assert statuses == [200, 403, 202]
    assert words == [("init_failed", "R", b'{"errorType":"R"}')]


@pytest.mark.parametrize(
    "garbage",
    [b"\x16\x03\x01\x00", b"GET\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"A" * 3_000_000],
    ids=["tls", "no target", "no length", "endless head"],
)
def test_garbage_costs_its_own_connection_only(wire, garbage):
    async def scenario(one):
        with contextlib.suppress(ConnectionError):
            await one.raw(garbage + b"\r\n\r\n")
        return (await take(one))[0]

    assert wire(scenario) == 200


def test_two_requests_on_one_connection_and_a_hundred_continue(wire):
    async def scenario(one):
        one.desk.deliver(EVENT)
        reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
        writer.write(f"GET {NEXT} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        first = await reader.readuntil(EVENT.payload)
        head = f"POST {RESPONSE} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"
        writer.write(head.encode())
        go_on = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"7")
        last = await reader.readuntil(b"}\n")
        writer.close()
        return first.split()[1], go_on.split()[1], last.split()[1]

    assert wire(scenario) == (b"200", b"100", b"202")
