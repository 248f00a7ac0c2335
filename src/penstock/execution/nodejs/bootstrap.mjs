// The Node.js runtime: takes events from the Runtime API, calls the handler, sends back what comes of it.
// Rule: Node's own modules only; behaves as https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html says.

import { Client } from "./client.mjs";
import { makeContext } from "./context.mjs";
import { documentOf, RuntimeFault } from "./errors.mjs";
import { loadHandler } from "./handler.mjs";
import { Logs } from "./logs.mjs";
import { installAwslambda, isStreaming, ResponseStream } from "./streaming.mjs";

const runtimeMajor = Number(/nodejs(\d+)/.exec(process.env.AWS_EXECUTION_ENV ?? "")?.[1] ?? 0);
const client = new Client(process.env.AWS_LAMBDA_RUNTIME_API);
const logs = new Logs(process.env);
let current = null; // the invoke under way: {id, settle, stream}

logs.install();
installAwslambda();
process.on("uncaughtException", (error) => die("Uncaught Exception", error, 129));
process.on("unhandledRejection", (reason) => {
  const fault = new RuntimeFault("Runtime.UnhandledPromiseRejection", String(reason), reason?.stack);
  die("Unhandled Promise Rejection", fault, 128);
});
// The event loop is empty: nothing can settle this invoke any more, or its callback waited for this moment.
process.on("beforeExit", () => current?.loopIsEmpty());

let handler;
try {
  handler = await loadHandler(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER, runtimeMajor);
} catch (error) {
  await die("Uncaught Exception", error, 1);
}
serveNext();

function serveNext() {
  current = null;
  logs.requestId = undefined;
  // Not awaited at the top level: an await that waits for an invoke would end the process when its loop is empty.
  client.next().then(serve, (error) => {
    process.stderr.write(`the Runtime API is out of reach: ${error.message}\n`);
    process.exit(1);
  });
}

async function serve({ headers, body }) {
  const id = headers["lambda-runtime-aws-request-id"];
  logs.requestId = id;
  setTrace(headers["lambda-runtime-trace-id"]);
  const invoke = (current = new Invoke(id));
  invoke.settled.then(() => setImmediate(serveNext));
  try {
    const context = makeContext(headers, process.env, invoke);
    run(invoke, parse(body), context);
  } catch (error) {
    invoke.fail(error);
  }
}

function run(invoke, event, context) {
  if (isStreaming(handler)) {
    runStreaming(invoke, event, context);
    return;
  }
  const callback = (error, result) => invoke.done(error, result);
  const result = runtimeMajor >= 24 ? handler(event, context) : handler(event, context, callback);
  if (typeof result?.then === "function") {
    result.then((value) => invoke.succeed(value), (error) => invoke.fail(error));
  } else if (runtimeMajor >= 24) {
    invoke.succeed(result); // callbacks are gone there, so what is returned is the answer
  }
}

function runStreaming(invoke, event, context) {
  const stream = new ResponseStream(client, invoke.id, handler);
  invoke.stream = stream;
  Promise.resolve(handler(event, stream, context)).then(
    // A handler may return before a pipe into its stream has ended.
    () => stream.finished.then(() => invoke.close(), (error) => invoke.fail(error)),
    (error) => invoke.fail(error),
  );
}

/** One invoke; the first word on its end counts. */
class Invoke {
  #ended = false;
  #resolve;
  #waiting = null;
  waitsForEmptyLoop = true;
  stream = null;

  constructor(id) {
    this.id = id;
    this.settled = new Promise((resolve) => (this.#resolve = resolve));
  }

  /** The callback's word: it waits for the event loop unless the function said not to. */
  done(error, result) {
    if (this.#ended || this.#waiting) return;
    this.#waiting = () => (error !== undefined && error !== null ? this.fail(error) : this.succeed(result));
    if (!this.waitsForEmptyLoop) setImmediate(() => this.#waiting());
  }

  loopIsEmpty() {
    if (this.#waiting) this.#waiting();
    else this.succeed(null);
  }

  succeed(value) {
    if (!this.#take()) return;
    let body;
    try {
      body = JSON.stringify(value === undefined ? null : value) ?? "null";
    } catch {
      this.#sendError(new RuntimeFault("Runtime.MarshalError", "Unable to stringify response body"));
      return;
    }
    client.respond(this.id, body).then(this.#resolve, lost);
  }

  fail(error) {
    if (this.#take()) this.#sendError(error);
  }

  /** A streamed reply has been sent whole. */
  close() {
    if (this.#take()) this.#resolve();
  }

  #take() {
    const first = !this.#ended;
    this.#ended = true;
    return first;
  }

  #sendError(error) {
    logs.failure("Invoke Error", error);
    const sent = this.stream?.begun ? this.stream.breakOff(documentOf(error)) : client.fail(this.id, documentOf(error));
    sent.then(this.#resolve, lost);
  }
}

/** Report what the function did not catch, and end: its process may be in any state. */
async function die(words, error, status) {
  logs.failure(words, error);
  const document = documentOf(error);
  try {
    if (current?.stream?.begun) await current.stream.breakOff(document);
    else if (current) await client.fail(current.id, document);
    else await client.failInit(document);
  } catch {
    // the server sees the exit
  }
  process.exit(status);
}

function lost(error) {
  process.stderr.write(`the answer could not be sent: ${error.message}\n`);
  process.exit(1);
}

function parse(body) {
  try {
    return body.length ? JSON.parse(body.toString("utf8")) : {};
  } catch (error) {
    throw new RuntimeFault("Runtime.UnmarshalError", `Unable to unmarshal input: ${error.message}`);
  }
}

function setTrace(header) {
  if (header) process.env._X_AMZN_TRACE_ID = header;
  else delete process.env._X_AMZN_TRACE_ID;
}
