"""InvokeWithResponseStream through unmodified boto3: chunks as they come, endings, refusals."""

import base64
import json
import shutil
import time

import pytest
from botocore.exceptions import ClientError

from running import ROLE, zip_of

NODE = """
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const handler = awslambda.streamifyResponse(async (event, stream, context) => {
  console.log("streaming for", context.awsRequestId);
  stream.setContentType("text/plain");
  for (const word of ["one ", "two ", "three"]) { stream.write(word); await pause(event.pause ?? 0); }
  if (event.raise) throw new RangeError("broken off");
  if (event.exit) process.exit(3);
  if (event.hang) await pause(60_000);
  for (let left = event.mb ?? 0; left > 0; left--) {
    if (!stream.write(Buffer.alloc(1 << 20, "x"))) await new Promise((r) => stream.once("drain", r));
  }
  stream.end();
});
export const http = awslambda.streamifyResponse(async (event, stream) => {
  const body = awslambda.HttpResponseStream.from(stream, { statusCode: 201, headers: { a: "b" } });
  body.write("hello"); body.end();
});
export const early = awslambda.streamifyResponse(async () => { throw new TypeError("before a word"); });
"""


@pytest.fixture(scope="module")
def node(server):
    """`stream(handler)`: a function of the package above."""
    if not shutil.which("node"):
        pytest.skip("this machine has no node")
    client, made = server.client("lambda"), []

    def make(handler="handler", timeout=5):
        name = f"stream-{handler}-{timeout}"
        if name not in made:
            code = {"ZipFile": zip_of({"app.mjs": NODE})}
            client.create_function(
                FunctionName=name, Runtime="nodejs20.x", Role=ROLE, Handler=f"app.{handler}", Code=code,
                Timeout=timeout, MemorySize=256,
            )  # fmt: skip
            client.get_waiter("function_active_v2").wait(FunctionName=name)
            made.append(name)
        return name

    yield make
    for name in made:
        client.delete_function(FunctionName=name)


def stream(server, function, event, **options):
    """The reply, its chunks with their arrival times, and the last event."""
    reply = server.client("lambda").invoke_with_response_stream(
        FunctionName=function, Payload=json.dumps(event), **options
    )
    chunks, complete = [], None
    for one in reply["EventStream"]:
        assert complete is None, "something after the end"
        if "PayloadChunk" in one:
            chunks.append((time.monotonic(), one["PayloadChunk"]["Payload"]))
        else:
            complete = one["InvokeComplete"]
    return reply, chunks, complete


def test_chunks_arrive_while_the_function_still_runs(server, node):
    reply, chunks, complete = stream(server, node(), {"pause": 300}, LogType="Tail")
    assert (reply["StatusCode"], reply["ExecutedVersion"]) == (200, "$LATEST")
    assert reply["ResponseStreamContentType"] == "application/vnd.amazon.eventstream"
    assert b"".join(data for _, data in chunks) == b"one two three"
    assert chunks[-1][0] - chunks[0][0] > 0.3
    assert "ErrorCode" not in complete
    tail = base64.b64decode(complete["LogResult"]).decode()
    assert f"streaming for {reply['ResponseMetadata']['RequestId']}" in tail
    assert "REPORT RequestId: " in tail


def test_a_large_stream_is_larger_than_a_buffered_reply_may_be(server, node):
    _, chunks, complete = stream(server, node(), {"mb": 20})
    assert sum(len(data) for _, data in chunks) == 13 + (20 << 20)
    assert complete == {}
    reply = server.client("lambda").invoke(FunctionName=node(), Payload=b'{"mb": 20}')
    assert json.loads(reply["Payload"].read())["errorType"] == "Function.ResponseSizeTooLarge"


def test_a_stream_that_breaks_off_tells_why(server, node):
    _, chunks, complete = stream(server, node(), {"raise": True, "pause": 1})
    assert b"".join(data for _, data in chunks) == b"one two three"
    assert complete["ErrorCode"] == "RangeError"
    assert json.loads(complete["ErrorDetails"])["errorMessage"] == "broken off"
    _, chunks, complete = stream(server, node(), {"exit": True, "pause": 1})
    assert complete["ErrorCode"] in ("Runtime.ExitError", "Runtime.TruncatedResponse")
    _, chunks, complete = stream(server, node(timeout=1), {"hang": True})
    assert b"".join(data for _, data in chunks) == b"one two three"
    assert complete["ErrorCode"] == "Sandbox.Timedout"


def test_an_error_before_the_first_word(server, node):
    _, chunks, complete = stream(server, node("early"), {})
    assert chunks == []
    assert complete["ErrorCode"] == "TypeError"
    assert json.loads(complete["ErrorDetails"])["errorMessage"] == "before a word"


def test_http_metadata_goes_ahead_of_the_body(server, node):
    _, chunks, _ = stream(server, node("http"), {})
    prelude, body = b"".join(data for _, data in chunks).split(b"\0" * 8)
    assert json.loads(prelude) == {"statusCode": 201, "headers": {"a": "b"}}
    assert body == b"hello"


def test_a_buffered_invoke_of_a_streaming_function(server, node):
    reply = server.client("lambda").invoke(FunctionName=node(), Payload=b"{}")
    assert reply["Payload"].read() == b"one two three"
    reply = server.client("lambda").invoke(FunctionName=node(), Payload=b'{"raise": true}')
    assert reply["FunctionError"] == "Unhandled"
    assert json.loads(reply["Payload"].read())["errorType"] == "RangeError"


def test_a_client_that_goes_away_harms_nothing(server, node):
    reply = server.client("lambda").invoke_with_response_stream(FunctionName=node(), Payload=b'{"mb": 40}')
    next(iter(reply["EventStream"]))
    reply["EventStream"].close()
    assert stream(server, node(), {})[2] == {}


def test_a_python_function_is_one_chunk(server, make_function):
    function = make_function("def handler(event, context):\n    return 1 / event\n")
    _, chunks, complete = stream(server, function, 2)
    assert [data for _, data in chunks] == [b"0.5"]
    assert complete == {}
    _, chunks, complete = stream(server, function, 0)
    assert (chunks, complete["ErrorCode"]) == ([], "ZeroDivisionError")


def test_refusals_are_refusals(server, make_function):
    client = server.client("lambda")
    with pytest.raises(ClientError) as caught:
        client.invoke_with_response_stream(FunctionName="not-there")
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"
    function = make_function()
    client.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError) as caught:
        client.invoke_with_response_stream(FunctionName=function)
    assert caught.value.response["Error"]["Code"] == "TooManyRequestsException"
    reply = client.invoke_with_response_stream(FunctionName=function, InvocationType="DryRun")
    assert reply["StatusCode"] == 204
    reply["EventStream"].close()
