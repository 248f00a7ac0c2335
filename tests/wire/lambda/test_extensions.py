"""An extension in a layer, through the public API: it is started with the function, sees its events, logs beside it."""

import shutil

import pytest

from running import ROLE, wait_until, zip_of

EXTENSION = """#!/usr/bin/env node
import http from "node:http";
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
function call(method, path, headers, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, method, path, headers }, (reply) => {
      let text = "";
      reply.on("data", (chunk) => (text += chunk));
      reply.on("end", () => resolve({ status: reply.statusCode, headers: reply.headers, text }));
    });
    request.on("error", reject);
    request.end(body);
  });
}
const name = { "Lambda-Extension-Name": "watcher.mjs" };
const joined = await call("POST", "/2020-01-01/extension/register", name, '{"events": ["INVOKE", "SHUTDOWN"]}');
const me = { "Lambda-Extension-Identifier": joined.headers["lambda-extension-identifier"] };
let functionIsDone = () => {};
http.createServer((request, reply) => {
  let text = "";
  request.on("data", (chunk) => (text += chunk));
  request.on("end", () => {
    reply.end();
    for (const one of JSON.parse(text)) {
      console.log("telemetry", one.type);
      if (one.type === "platform.runtimeDone") functionIsDone();
    }
  });
}).listen(8080, "sandbox.localdomain", async () => {
  const wanted = {
    schemaVersion: "2022-12-13", types: ["platform"], buffering: { timeoutMs: 25, maxItems: 1000, maxBytes: 262144 },
    destination: { protocol: "HTTP", URI: "http://sandbox.localdomain:8080" },
  };
  console.log("subscribed", (await call("PUT", "/2022-07-01/telemetry", me, JSON.stringify(wanted))).status);
  for (;;) {
    const event = JSON.parse((await call("GET", "/2020-01-01/extension/event/next", me)).text);
    console.log("watched", event.eventType, event.requestId);
    if (event.eventType === "SHUTDOWN") process.exit(0);
    await new Promise((resolve) => (functionIsDone = resolve)); // as extensions do that send on what they gathered
  }
});
"""


def test_an_extension_from_a_layer(server, name):
    if not shutil.which("node"):
        pytest.skip("this machine has no node")
    if server.health()["isolation"] != "full":
        pytest.skip("at isolation level process there is no sandbox.localdomain")
    client = server.client("lambda")
    layer = zip_of({"extensions/watcher.mjs": EXTENSION}, executable=("extensions/watcher.mjs",))
    arn = client.publish_layer_version(LayerName=name, Content={"ZipFile": layer})["LayerVersionArn"]
    code = zip_of({"app.mjs": "export const handler = async () => new Promise((r) => setTimeout(r, 200, 'done'));"})
    client.create_function(
        FunctionName=name, Runtime="nodejs20.x", Role=ROLE, Handler="app.handler", Code={"ZipFile": code}, Layers=[arn],
        Timeout=10, MemorySize=256,
    )  # fmt: skip
    client.get_waiter("function_active_v2").wait(FunctionName=name)
    reply = client.invoke(FunctionName=name, Payload=b"{}")
    assert reply["Payload"].read() == b'"done"'
    ident = reply["ResponseMetadata"]["RequestId"]
    client.delete_function(FunctionName=name)
    logs = server.client("logs")

    def messages():
        found = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        said = [event["message"].strip() for event in found]
        return said if any("watched SHUTDOWN" in line for line in said) else None

    said = wait_until(messages, 10, what="the extension's last line")
    assert "subscribed 200" in said
    assert f"watched INVOKE {ident}" in said
    assert {"telemetry platform.start", "telemetry platform.runtimeDone"} <= set(said)
