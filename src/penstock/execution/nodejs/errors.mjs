// Error documents as AWS's Node.js runtimes write them: errorType, errorMessage, trace.

export class RuntimeFault extends Error {
  constructor(kind, message, stack) {
    super(message);
    this.name = kind;
    if (stack) this.stack = stack;
  }
}

/** What the caller gets for a thrown value, which may be anything. */
export function documentOf(thrown) {
  if (!isError(thrown)) return { errorType: typeof thrown, errorMessage: text(thrown), trace: [] };
  return {
    errorType: String(thrown.name ?? "Error"),
    errorMessage: String(thrown.message ?? ""),
    trace: String(thrown.stack ?? "").split("\n"),
  };
}

/** What the log gets: the same, with the error's own fields. */
export function recordOf(thrown) {
  if (!isError(thrown)) return { errorType: typeof thrown, errorMessage: text(thrown), stack: [] };
  const { errorType, errorMessage, trace } = documentOf(thrown);
  return { errorType, errorMessage, ...thrown, name: undefined, stack: trace };
}

export function isError(value) {
  return value instanceof Error || (typeof value === "object" && value !== null && "message" in value && "stack" in value);
}

function text(value) {
  try {
    return typeof value === "object" ? JSON.stringify(value) : String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}
