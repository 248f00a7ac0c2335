"""The room from outside: real zygotes, real processes."""

import json

from penstock.execution.model import OutcomeKind


def test_a_function_runs_and_keeps_its_environment(bench):
    async def scenario(b):
        version = b.function("n = 0\ndef handler(event, context):\n    global n\n    n += 1\n    return [event, n]\n")
        first = await b.invoke(version, b'{"a": "\xc3\xa9"}')
        second = await b.invoke(version, b"7")
        return first, second

    first, second = bench(scenario)
    assert (first.kind, json.loads(first.payload)) == (OutcomeKind.SUCCEEDED, [{"a": "é"}, 1])
    assert (second.kind, json.loads(second.payload)) == (OutcomeKind.SUCCEEDED, [7, 2])
    assert first.init_ms is not None
    assert second.init_ms is None
