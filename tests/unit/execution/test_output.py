"""Cutting a byte stream into events."""

import asyncio
import os

import pytest

from penstock.execution.output import MAX_LINE, Output


def pieces(*writes, drained=True):
    """The events that these writes make, the last line without an end included when drained."""

    async def scenario():
        read, write = os.pipe2(os.O_NONBLOCK)
        events = []
        output = Output(read, events.extend)
        for data in writes:
            view = memoryview(data)
            while view:
                try:
                    view = view[os.write(write, view[:65536]) :]
                except BlockingIOError:
                    await asyncio.sleep(0)
        if drained:
            output.drain()
        seen = list(events)
        os.close(write)
        output.close()
        return seen

    return asyncio.run(scenario())


@pytest.mark.parametrize(
    ("writes", "events"),
    [
        ([b"a\nb\n"], ["a", "b"]),
        ([b"a\nb"], ["a", "b"]),
        ([b"a", b"b\n", b"\n"], ["ab", ""]),
        ([b"one\x1e\x1f\x1etwo\n"], ["one\ntwo"]),
        ([b"\xff\xfe broken\n"], ["\ufffd\ufffd broken"]),
        ([b"caf\xc3", b"\xa9\n"], ["café"]),
        ([b"cr\rlf\r\n"], ["cr\rlf\r"]),
        ([], []),
        ([b"x" * (MAX_LINE + 5) + b"\n"], ["x" * MAX_LINE, "x" * 5]),
        ([b"x" * (3 * MAX_LINE)], ["x" * MAX_LINE] * 3),
    ],
    ids=["lines", "no end", "in parts", "record", "broken", "split character", "returns", "nothing", "long", "endless"],
)
def test_events(writes, events):
    assert pieces(*writes) == events


def test_a_line_without_an_end_waits_until_drained():
    assert pieces(b"half", drained=False) == []
