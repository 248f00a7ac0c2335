// Streamed responses: `awslambda.streamifyResponse` and `awslambda.HttpResponseStream`.
// Follows https://docs.aws.amazon.com/lambda/latest/dg/config-rs-write-functions.html.

import { Writable } from "node:stream";
import { finished } from "node:stream/promises";

const STREAMING = Symbol.for("penstock.streaming");
const HIGH_WATER = Symbol.for("penstock.highWaterMark");
const HTTP_INTEGRATION = "application/vnd.awslambda.http-integration-response";

export function installAwslambda() {
  globalThis.awslambda = {
    ...globalThis.awslambda,
    streamifyResponse(handler, options) {
      handler[STREAMING] = true;
      handler[HIGH_WATER] = options?.highWaterMark;
      return handler;
    },
    HttpResponseStream: {
      /** Status and headers go ahead of the body, ended by eight NUL bytes. */
      from(stream, prelude) {
        stream.setContentType(HTTP_INTEGRATION);
        stream.write(JSON.stringify(prelude ?? {}));
        stream.write(Buffer.alloc(8));
        return stream;
      },
    },
  };
}

export function isStreaming(handler) {
  return handler[STREAMING] === true;
}

export class ResponseStream extends Writable {
  #client;
  #id;
  #contentType = "application/octet-stream";
  #request = null;
  #answered = null;

  constructor(client, id, handler) {
    super({ highWaterMark: handler[HIGH_WATER] ?? 64 * 1024 });
    this.#client = client;
    this.#id = id;
    this.finished = finished(this);
    this.finished.catch(() => {}); // whoever waits for it hears it
  }

  get begun() {
    return this.#request !== null;
  }

  setContentType(contentType) {
    if (!this.begun) this.#contentType = contentType;
  }

  /** End the stream as failed: what was sent stays sent, the trailers tell. */
  async breakOff({ errorType, errorMessage, trace }) {
    const body = Buffer.from(JSON.stringify({ errorType, errorMessage, trace })).toString("base64");
    this.#request.addTrailers({
      "Lambda-Runtime-Function-Error-Type": errorType.replace(/[^\x21-\x7e]/g, "?"),
      "Lambda-Runtime-Function-Error-Body": body,
    });
    this.#request.end();
    await this.#answered;
    this.destroy();
  }

  _write(chunk, _encoding, callback) {
    this.#open();
    if (this.#request.write(chunk)) callback();
    else this.#request.once("drain", callback);
  }

  _final(callback) {
    this.#open();
    this.#request.end();
    this.#answered.then(() => callback(), callback);
  }

  #open() {
    if (this.begun) return;
    this.#request = this.#client.stream(this.#id, this.#contentType);
    this.#answered = new Promise((resolve, reject) => {
      this.#request.on("error", reject);
      this.#request.on("response", (response) => {
        response.resume();
        response.on("end", resolve);
      });
    });
    this.#answered.catch((error) => this.destroy(error));
  }
}
