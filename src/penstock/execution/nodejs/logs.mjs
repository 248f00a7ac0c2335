// console.* as AWS writes it, in text or JSON. One call is one log event: newlines inside travel as MARK, and the
// server turns them back. Follows https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html.

import fs from "node:fs";
import util from "node:util";

import { isError, recordOf } from "./errors.mjs";

const MARK = "\x1e\x1f\x1e";
const LEVELS = { TRACE: 1, DEBUG: 2, INFO: 3, WARN: 4, ERROR: 5, FATAL: 6 };
const METHODS = { trace: "TRACE", debug: "DEBUG", log: "INFO", info: "INFO", warn: "WARN", error: "ERROR", fatal: "FATAL" };

export class Logs {
  requestId = undefined;

  constructor(variables) {
    this.json = variables.AWS_LAMBDA_LOG_FORMAT === "JSON";
    this.least = this.json ? (LEVELS[variables.AWS_LAMBDA_LOG_LEVEL] ?? LEVELS.INFO) : 0;
  }

  install() {
    for (const [method, level] of Object.entries(METHODS)) {
      console[method] = (...values) => this.write(level, values);
    }
  }

  write(level, values) {
    if (LEVELS[level] < this.least) return;
    const at = new Date().toISOString();
    emit(this.json ? this.#record(at, level, values) : `${at}\t${this.requestId}\t${level}\t${util.format(...values)}`);
  }

  /** An error that left the function's code. */
  failure(words, thrown) {
    const at = new Date().toISOString();
    const record = recordOf(thrown);
    if (!this.json) {
      emit(`${at}\t${this.requestId}\tERROR\t${words} \t${stringify(record)}`);
      return;
    }
    const { errorType, errorMessage, stack } = record;
    const message = { errorType, errorMessage, stackTrace: stack.slice(1) };
    emit(stringify({ timestamp: at, level: "ERROR", requestId: this.requestId, message }));
  }

  #record(at, level, values) {
    const head = { timestamp: at, level, requestId: this.requestId };
    if (values.length === 1 && typeof values[0] === "object" && !isError(values[0])) {
      const whole = stringify({ ...head, message: values[0] });
      if (whole !== null) return whole;
    }
    const record = { ...head, message: util.format(...values) };
    const error = values.find(isError);
    if (error) {
      record.errorType = error.name;
      record.errorMessage = error.message;
      record.stackTrace = String(error.stack ?? "").split("\n").slice(1);
    }
    return stringify(record);
  }
}

function stringify(value) {
  try {
    return JSON.stringify(value);
  } catch {
    return null; // circular
  }
}

function emit(text) {
  // At once and whole, whatever the function does next: its output must be there before its answer.
  let data = Buffer.from(`${(text ?? "null").replace(/\n$/, "").replaceAll("\n", MARK)}\n`);
  while (data.length) {
    try {
      data = data.subarray(fs.writeSync(1, data));
    } catch (error) {
      if (error.code !== "EAGAIN") return;
    }
  }
}
