// Requests to the Runtime API over one kept-alive connection.

import http from "node:http";

const VERSION = "/2018-06-01/runtime";

export class Client {
  constructor(address) {
    const cut = address.lastIndexOf(":");
    this.host = address.slice(0, cut);
    this.port = Number(address.slice(cut + 1));
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 1, noDelay: true });
  }

  /** Wait for the next event, however long it takes. */
  next() {
    return this.#exchange("GET", "/invocation/next", {}, null);
  }

  respond(id, body) {
    return this.#exchange("POST", `/invocation/${id}/response`, { "Content-Type": "application/json" }, body);
  }

  fail(id, document) {
    return this.#exchange("POST", `/invocation/${id}/error`, errorHeaders(document), JSON.stringify(document));
  }

  failInit(document) {
    return this.#exchange("POST", "/init/error", errorHeaders(document), JSON.stringify(document));
  }

  /** An open request that takes the response as it comes. */
  stream(id, contentType) {
    return http.request({
      host: this.host,
      port: this.port,
      agent: this.agent,
      method: "POST",
      path: `${VERSION}/invocation/${id}/response`,
      headers: {
        "Content-Type": contentType,
        "Lambda-Runtime-Function-Response-Mode": "streaming",
        "Transfer-Encoding": "chunked",
        Trailer: "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
      },
    });
  }

  #exchange(method, path, headers, body) {
    return new Promise((resolve, reject) => {
      const length = body === null ? {} : { "Content-Length": Buffer.byteLength(body) };
      const request = http.request({
        host: this.host,
        port: this.port,
        agent: this.agent,
        method,
        path: VERSION + path,
        headers: { ...headers, ...length },
      });
      request.on("response", (response) => {
        const chunks = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(chunks) }));
        response.on("error", reject);
      });
      request.on("error", reject);
      request.end(body ?? undefined);
    });
  }
}

function errorHeaders(document) {
  const kind = document.errorType.replace(/[^\x21-\x7e]/g, "?");
  return { "Content-Type": "application/json", "Lambda-Runtime-Function-Error-Type": kind };
}
