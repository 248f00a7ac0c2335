"""The server against real sockets: slow, broken, greedy and impatient clients.

Clients here are plain blocking sockets in a thread, for they must do what no HTTP library would.
"""

import asyncio
import contextlib
import http.client
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvloop

from penstock.core.clock import SystemClock
from penstock.core.errors import StartupError
from penstock.gateway.connection import Limits
from penstock.gateway.contract import HttpRequest, HttpResponse
from penstock.gateway.server import Server

QUICK = Limits(head_s=0.3, body_grace_s=0.3, body_bytes_per_s=100_000, keep_alive_s=5, head_bytes=8192)
MAX_BODY = 200_000


@dataclass
class Echo:
    """Answers with what it got; `gate` lets a test hold requests back."""

    seen: list[HttpRequest] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: HttpRequest) -> HttpResponse:
        self.seen.append(request)
        if request.path == "/hold":
            await self.gate.wait()
        if request.path == "/broken":
            return HttpResponse(200, {"x-a": "b\r\nx-c: d"}, b"never sent")
        if request.path == "/cancelled":
            raise asyncio.CancelledError
        if request.path == "/large":
            return HttpResponse(200, {}, b"x" * 8_000_000)
        if request.path == "/stream":
            return HttpResponse(200, {}, _chunks())
        self.finished.append(request.path)
        status = 204 if request.path == "/nothing" else 200
        return HttpResponse(status, {"x-length": str(len(request.body))}, request.body[:100])

    def too_large(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(413, {"Content-Type": "application/json"}, b'{"message":"too large"}')


async def _chunks() -> AsyncIterator[bytes]:
    yield b"one,"
    yield b"two"


def run(scenario: Callable[[Echo, Server, int], Awaitable[Any]], limits: Limits = QUICK) -> Echo:
    """Start a server, run the scenario beside it, stop it."""

    async def whole() -> Echo:
        echo = Echo()
        clock = SystemClock()
        server = Server(handler=echo, clock=clock, host="127.0.0.1", port=0, max_body_bytes=MAX_BODY, limits=limits)
        port = await server.start()
        try:
            await asyncio.wait_for(scenario(echo, server, port), timeout=20)
        finally:
            await server.stop()
        return echo

    # uvloop, as `penstock up` runs it.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(whole())


def talk(port: int, *parts: bytes, pause: float = 0.0, until_closed: bool = True) -> bytes:
    """Send `parts` with pauses between, and read until the server hangs up (or once)."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        for part in parts:
            try:
                client.sendall(part)
            except OSError:
                break
            time.sleep(pause)
        received = b""
        while chunk := _receive(client):
            received += chunk
            if not until_closed:
                break
        return received


def _receive(client: socket.socket) -> bytes:
    try:
        return client.recv(65536)
    except ConnectionResetError:
        return b""


async def eventually(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came true")


CLOSE = b"Connection: close\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
HEAD = b"POST /x HTTP/1.1\r\nHost: a\r\n"


def test_a_request_arrives_as_it_was_sent() -> None:
    async def scenario(echo: Echo, _server: Server, port: int) -> None:
        raw = b"POST /a%2Fb/%C3%A9?x=1&y=%20 HTTP/1.1\r\nHost: a\r\nX-Two: 1\r\nx-two: 2\r\nContent-Length: 2\r\n"
        reply = await asyncio.to_thread(talk, port, raw + CLOSE + b"\r\nhi")
        assert reply.startswith(b"HTTP/1.1 200 OK\r\n")
        assert reply.endswith(b"\r\n\r\nhi")
        assert b"\r\ndate: " in reply
        assert b"content-length: 2\r\n" in reply
        request = echo.seen[0]
        assert (request.method, request.path, request.query) == ("POST", "/a%2Fb/%C3%A9", "x=1&y=%20")
        assert (request.headers["x-two"], request.body, request.source_ip) == ("1,2", b"hi", "127.0.0.1")

    run(scenario)


BODIES = [
    (
        "chunked",
        b"Transfer-Encoding: chunked\r\n",
        [b"5\r\nhello\r\n", b"6\r\n world\r\n", b"0\r\n\r\n"],
        b"hello world",
    ),
    ("in pieces", b"Content-Length: 10\r\n", [b"01234", b"56789"], b"0123456789"),
    ("empty", b"Content-Length: 0\r\n", [], b""),
    ("after 100-continue", b"Content-Length: 2\r\nExpect: 100-continue\r\n", [b"ok"], b"ok"),
]


@pytest.mark.parametrize(("headers", "parts", "body"), [row[1:] for row in BODIES], ids=[row[0] for row in BODIES])
def test_a_body_comes_whole(headers: bytes, parts: list[bytes], body: bytes) -> None:
    async def scenario(echo: Echo, _server: Server, port: int) -> None:
        reply = await asyncio.to_thread(talk, port, HEAD + CLOSE + headers + b"\r\n", *parts, pause=0.02)
        assert b"HTTP/1.1 200 OK" in reply
        assert reply.startswith(b"HTTP/1.1 100 Continue\r\n\r\n") == (b"Expect" in headers)
        assert echo.seen[0].body == body

    run(scenario)


def test_pipelined_requests_are_answered_in_order() -> None:
    async def scenario(echo: Echo, _server: Server, port: int) -> None:
        requests = [b"GET /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n%d" % (n, n) for n in range(5)]
        last = b"GET /5 HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1\r\n\r\n5"
        reply = await asyncio.to_thread(talk, port, b"".join(requests) + last)
        assert [int(part[-1:]) for part in reply.split(b"HTTP/1.1 200 OK")[1:]] == [0, 1, 2, 3, 4, 5]
        assert echo.finished == [f"/{n}" for n in range(6)]

    run(scenario)


UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"


@pytest.mark.parametrize("split", [0, 1, 30, 200], ids=["at once", "after a byte", "in the headers", "in the body"])
def test_a_wish_for_another_protocol_is_ignored_and_the_body_kept(split: int) -> None:
    """Java's HTTP client asks for h2c with its first request, and sends the body along."""

    async def scenario(echo: Echo, _server: Server, port: int) -> None:
        first = HEAD + UPGRADE + b"Content-Length: 100\r\n\r\n" + b"hello" * 20
        second = b"GET /second HTTP/1.1\r\nHost: a\r\n" + CLOSE + b"\r\n"
        whole = first + second
        reply = await asyncio.to_thread(talk, port, whole[:split], whole[split:], pause=0.02)
        assert reply.count(b"HTTP/1.1 200 OK") == 2
        assert [(request.path, request.body) for request in echo.seen] == [("/x", b"hello" * 20), ("/second", b"")]
        assert "upgrade" not in echo.seen[0].headers

    run(scenario)


def test_a_connection_is_kept_and_a_204_has_no_body() -> None:
    async def scenario(echo: Echo, _server: Server, port: int) -> None:
        def client() -> None:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            for path, status, body in (("/nothing", 204, b""), ("/b", 200, b""), ("/stream", 200, b"one,two")):
                connection.request("GET", path)
                response = connection.getresponse()
                assert (response.status, response.read()) == (status, body)
            connection.close()

        await asyncio.to_thread(client)
        assert len(echo.seen) == 3

    run(scenario)


FORMS = [
    ("HEAD has no body", b"HEAD /b HTTP/1.1\r\nHost: a\r\n", b"content-length: 0\r\n", b"\r\n\r\n"),
    ("HEAD of a stream", b"HEAD /stream HTTP/1.1\r\nHost: a\r\n", b"transfer-encoding: chunked\r\n", b"\r\n\r\n"),
    ("a stream", b"GET /stream HTTP/1.1\r\nHost: a\r\n", b"chunked\r\n", b"4\r\none,\r\n3\r\ntwo\r\n0\r\n\r\n"),
    ("HTTP/1.0", b"GET /b HTTP/1.0\r\nConnection: keep-alive\r\n", b"connection: close\r\n", b"\r\n\r\n"),
    ("a proxy's form", b"GET http://a/b?x=1#y HTTP/1.1\r\nHost: a\r\n", b"200 OK", b"\r\n\r\n"),
    ("a large reply", b"GET /large HTTP/1.1\r\nHost: a\r\n", b"content-length: 8000000\r\n", b"x" * 8_000_000),
]


@pytest.mark.parametrize(("head", "header", "tail"), [row[1:] for row in FORMS], ids=[row[0] for row in FORMS])
def test_a_reply_has_the_form_its_request_asks_for(head: bytes, header: bytes, tail: bytes) -> None:
    async def scenario(echo: Echo, _server: Server, port: int) -> None:
        close = b"" if b"HTTP/1.0" in head else CLOSE
        reply = await asyncio.to_thread(talk, port, head + close + b"\r\n")
        assert reply.startswith(b"HTTP/1.1 200 OK\r\n")
        assert header in reply
        assert b"connection: close\r\n" in reply
        assert reply.partition(b"\r\n\r\n")[1:] == (b"\r\n\r\n", tail.removeprefix(b"\r\n\r\n"))
        assert (echo.seen[0].path, echo.seen[0].query) in {("/b", ""), ("/b", "x=1"), ("/stream", ""), ("/large", "")}

    run(scenario)


@pytest.mark.parametrize("path", [b"/broken", b"/cancelled"])
def test_a_reply_that_cannot_be_written_ends_the_connection(path: bytes) -> None:
    async def scenario(_echo: Echo, _server: Server, port: int) -> None:
        assert await asyncio.to_thread(talk, port, b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n") == b""

    run(scenario)


def test_a_client_that_does_not_read_gets_no_further_request_run() -> None:
    async def scenario(echo: Echo, _server: Server, port: int) -> None:
        request = b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
        writer.write(request * 3)
        await eventually(lambda: len(echo.seen) == 1)
        await asyncio.sleep(0.1)
        assert len(echo.seen) == 1
        for _ in range(3):
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(8_000_000)
        assert len(echo.seen) == 3
        writer.close()

    run(scenario)


def test_garbage_behind_a_request_ends_the_connection_after_its_reply() -> None:
    async def scenario(echo: Echo, _server: Server, port: int) -> None:
        echo.gate.set()
        reply = await asyncio.to_thread(talk, port, b"GET /hold HTTP/1.1\r\nHost: a\r\n\r\n\x16\x03\x01")
        assert reply.count(b"HTTP/1.1 ") == 1
        assert reply.startswith(b"HTTP/1.1 200 OK")

    run(scenario)


def test_an_idle_connection_is_closed_without_a_word() -> None:
    async def scenario(_echo: Echo, _server: Server, port: int) -> None:
        reply = await asyncio.to_thread(talk, port, b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
        assert reply.count(b"HTTP/1.1 ") == 1

    run(scenario, Limits(keep_alive_s=0.2))


SLOW = [
    ("says nothing", [b""], b"408"),
    ("stops in the headers", [b"GET / HTTP/1.1\r\nHost: a\r\nX-"], b"408"),
    ("drips headers", [b"GET / HTTP/1.1\r\n", *[b"X-A: b\r\n"] * 20], b"408"),
    ("stops in the body", [HEAD + b"Content-Length: 1000\r\n\r\n", b"x"], b"408"),
    ("drips the body", [HEAD + b"Content-Length: 1000\r\n\r\n", *[b"x"] * 30], b"408"),
    ("stops in a chunk", [HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhe"], b"408"),
    ("too many headers", [b"GET / HTTP/1.1\r\nHost: a\r\n", *[b"X-A: " + b"b" * 3000 + b"\r\n"] * 4], b"431"),
    ("one endless header", [b"GET / HTTP/1.1\r\nX-A: ", *[b"b" * 3000] * 4], b"431"),
    ("an endless path", [b"GET /", *[b"b" * 3000] * 4], b"431"),
    ("no HTTP", [b"EHLO penstock\r\n\r\n"], b"400"),
    ("TLS", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"], b"400"),
    ("two lengths", [HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"], b"400"),
    ("length and chunks", [HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"], b"400"),
    ("a negative length", [HEAD + b"Content-Length: -1\r\n\r\n"], b"400"),
    ("a bad chunk size", [HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"], b"400"),
    ("a tunnel", [b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"], b"400"),
    ("a tunnel with a wish", [b"CONNECT a:1 HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"], b"400"),
    ("HTTP/2 from the start", [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"], b"400"),
    ("a line break in a header", [b"GET / HTTP/1.1\r\nX-A: a\x00b\r\n\r\n"], b"400"),
]


@pytest.mark.parametrize(("parts", "status"), [row[1:] for row in SLOW], ids=[row[0] for row in SLOW])
def test_a_client_that_misbehaves_is_told_and_dropped(parts: list[bytes], status: bytes) -> None:
    async def scenario(echo: Echo, _server: Server, port: int) -> None:
        reply = await asyncio.to_thread(talk, port, *parts, pause=0.04)
        assert reply.startswith(b"HTTP/1.1 " + status)
        assert echo.finished == []
        healthy = await asyncio.to_thread(talk, port, b"GET /ok HTTP/1.1\r\nHost: a\r\n" + CLOSE + b"\r\n")
        assert healthy.startswith(b"HTTP/1.1 200")

    run(scenario)


def test_a_hundred_silent_clients_hold_nobody_up() -> None:
    async def scenario(echo: Echo, _server: Server, port: int) -> None:
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(100)]
        for _, writer in silent[::2]:
            writer.write(b"POST /x HTTP/1.1\r\nContent-Le")
        reply = await asyncio.to_thread(talk, port, b"GET /ok HTTP/1.1\r\nHost: a\r\n" + CLOSE + b"\r\n")
        assert reply.startswith(b"HTTP/1.1 200")
        for reader, writer in silent:
            assert b"408" in await reader.read()
            writer.close()
        assert echo.finished == ["/ok"]

    run(scenario)


OVERSIZED = [
    ("a bit, by length", b"Content-Length: 300000\r\n", [b"x" * 300_000]),
    (
        "a bit, in chunks",
        b"Transfer-Encoding: chunked\r\n",
        [b"30d40\r\n" + b"x" * 200_000 + b"\r\n", b"1\r\nx\r\n0\r\n\r\n"],
    ),
    ("far, by length", b"Content-Length: 99999999\r\n", [b"x" * 1000]),
    ("far, asking first", b"Content-Length: 300000\r\nExpect: 100-continue\r\n", []),
]


@pytest.mark.parametrize(("headers", "parts"), [row[1:] for row in OVERSIZED], ids=[row[0] for row in OVERSIZED])
def test_a_body_over_the_limit_is_refused_in_words(headers: bytes, parts: list[bytes]) -> None:
    async def scenario(echo: Echo, _server: Server, port: int) -> None:
        reply = await asyncio.to_thread(talk, port, HEAD + headers + b"\r\n", *parts)
        assert reply.startswith(b"HTTP/1.1 413 ")
        assert reply.endswith(b'{"message":"too large"}')
        assert echo.seen == []

    run(scenario)


def test_a_body_at_the_limit_is_taken() -> None:
    async def scenario(echo: Echo, _server: Server, port: int) -> None:
        head = HEAD + CLOSE + b"Content-Length: %d\r\n\r\n" % MAX_BODY
        reply = await asyncio.to_thread(talk, port, head + b"x" * MAX_BODY)
        assert b"x-length: 200000" in reply

    run(scenario)


def test_a_client_that_leaves_does_not_stop_its_operation() -> None:
    async def scenario(echo: Echo, _server: Server, port: int) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
        await eventually(lambda: len(echo.seen) == 1)
        writer.transport.abort()
        await asyncio.sleep(0.05)
        assert echo.finished == []
        echo.gate.set()
        await eventually(lambda: echo.finished == ["/hold"])

    run(scenario)


def test_a_client_that_leaves_in_its_body_begins_nothing() -> None:
    async def scenario(echo: Echo, _server: Server, port: int) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD + b"Content-Length: 1000\r\n\r\nxx")
        await writer.drain()
        writer.transport.abort()
        await asyncio.sleep(0.1)
        assert echo.seen == []

    run(scenario)


def test_an_operation_may_take_longer_than_the_client_may() -> None:
    async def scenario(echo: Echo, _server: Server, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        # The second request waits behind the first, half sent: that is not its sender's slowness.
        writer.write(b"GET /hold HTTP/1.1\r\nHost: a\r\n\r\n" + HEAD + b"Content-Length: 4\r\n\r\nab")
        await asyncio.sleep(1.0)
        echo.gate.set()
        assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        writer.write(b"cd")
        assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(4) == b"abcd"
        writer.close()

    run(scenario)


def test_drain_finishes_what_has_begun_and_takes_nothing_new() -> None:
    async def scenario(echo: Echo, server: Server, port: int) -> None:
        _idle, idle_writer = await asyncio.open_connection("127.0.0.1", port)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
        await eventually(lambda: len(echo.seen) == 1)
        draining = asyncio.ensure_future(server.drain(5))
        await asyncio.sleep(0.05)
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", port)
        echo.gate.set()
        assert await draining is True
        assert b"200 OK" in await reader.read()
        idle_writer.close()
        writer.close()

    run(scenario)


def test_drain_gives_up_in_time_and_stop_cuts_off() -> None:
    async def scenario(echo: Echo, server: Server, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
        await eventually(lambda: len(echo.seen) == 1)
        assert await server.drain(0.05) is False
        await server.stop()
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        assert echo.finished == []
        writer.close()

    run(scenario)


def test_two_servers_fit_in_one_loop_and_a_taken_port_is_named() -> None:
    async def scenario(_echo: Echo, _server: Server, port: int) -> None:
        other_echo = Echo()
        clock = SystemClock()
        other = Server(handler=other_echo, clock=clock, host="127.0.0.1", port=0, max_body_bytes=10)
        other_port = await other.start()
        assert other_port != port
        reply = await asyncio.to_thread(talk, other_port, b"GET /o HTTP/1.1\r\nHost: a\r\n" + CLOSE + b"\r\n")
        assert reply.startswith(b"HTTP/1.1 200")
        assert other_echo.finished == ["/o"]
        await other.stop()
        third = Server(handler=other_echo, clock=clock, host="127.0.0.1", port=port, max_body_bytes=10)
        with pytest.raises(StartupError, match=f"port {port} on 127.0.0.1 is taken"):
            await third.start()

    run(scenario)


def test_an_address_that_is_not_ours_is_a_startup_error() -> None:
    server = Server(handler=Echo(), clock=SystemClock(), host="203.0.113.7", port=0, max_body_bytes=10)
    with pytest.raises(StartupError, match=r"cannot listen on 203\.0\.113\.7"):
        asyncio.run(server.start())
