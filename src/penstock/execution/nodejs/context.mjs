// The `context` argument. Follows https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html.

import { RuntimeFault } from "./errors.mjs";

export function makeContext(headers, variables, invoke) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const context = {
    functionName: variables.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: variables.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    memoryLimitInMB: variables.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    logGroupName: variables.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: variables.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: parse(headers["lambda-runtime-client-context"], "ClientContext"),
    identity: parse(headers["lambda-runtime-cognito-identity"], "CognitoIdentity"),
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    // The three of the earliest runtimes; the last two do not wait for the event loop.
    done: (error, result) => invoke.done(error, result),
    succeed: (result) => finishNow(null, result),
    fail: (error) => finishNow(error ?? "handled", undefined),
  };
  Object.defineProperty(context, "callbackWaitsForEmptyEventLoop", {
    enumerable: true,
    get: () => invoke.waitsForEmptyLoop,
    set: (value) => {
      invoke.waitsForEmptyLoop = Boolean(value);
    },
  });
  return context;

  function finishNow(error, result) {
    invoke.waitsForEmptyLoop = false;
    invoke.done(error, result);
  }
}

function parse(text, what) {
  if (!text) return undefined;
  try {
    // Headers are bytes to Node; what they carry is UTF-8.
    return JSON.parse(Buffer.from(text, "latin1").toString("utf8"));
  } catch (error) {
    throw new RuntimeFault("Runtime.LambdaContextUnmarshalError", `Unable to parse ${what}: ${error.message}`);
  }
}
