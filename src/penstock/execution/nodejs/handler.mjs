// Finding the function's handler: `file.export`, `dir/file.export`, `file.group.export`, in CommonJS and ES modules.

import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

import { RuntimeFault } from "./errors.mjs";

export async function loadHandler(root, name, runtimeMajor) {
  const base = path.basename(name);
  const cut = base.indexOf(".");
  if (cut < 1 || cut === base.length - 1 || name.includes("..")) {
    throw new RuntimeFault("Runtime.MalformedHandlerName", `'${name}' is not a valid handler name: it is file.export`);
  }
  const file = path.join(path.dirname(name), base.slice(0, cut));
  const found = await find(await load(root, file), base.slice(cut + 1).split("."));
  if (typeof found !== "function") {
    const why = found === undefined ? "is undefined or not exported" : "is not a function";
    throw new RuntimeFault("Runtime.HandlerNotFound", `${name} ${why}`);
  }
  if (runtimeMajor >= 24 && found.length >= 3) {
    throw new RuntimeFault(
      "Runtime.CallbackHandlerDeprecated",
      `${name} takes a callback, which Node.js 24 runtimes no longer call. Make it async, or return a promise.`,
    );
  }
  return found;
}

async function find(module, names) {
  let found = await module;
  for (const [index, name] of names.entries()) {
    let next = found?.[name];
    if (next === undefined && index === 0) next = found?.default?.[name]; // a CommonJS module seen through import
    found = await next;
  }
  return found;
}

async function load(root, file) {
  try {
    const place = locate(path.resolve(root, file));
    const require = createRequire(path.join(root, "index.js"));
    if (place === null) return require(file); // from node_modules of the package or of a layer
    return isModule(place) ? await import(pathToFileURL(place).href) : require(place);
  } catch (error) {
    throw faultOf(error, file);
  }
}

function locate(place) {
  for (const candidate of [place, `${place}.js`, `${place}.mjs`, `${place}.cjs`]) {
    if (fs.existsSync(candidate) && fs.statSync(candidate).isFile()) return candidate;
  }
  return null;
}

function isModule(place) {
  if (place.endsWith(".mjs")) return true;
  if (place.endsWith(".cjs")) return false;
  for (let directory = path.dirname(place); ; directory = path.dirname(directory)) {
    const description = path.join(directory, "package.json");
    if (fs.existsSync(description)) return JSON.parse(fs.readFileSync(description, "utf8")).type === "module";
    if (directory === path.dirname(directory)) return false;
  }
}

function faultOf(error, file) {
  if (error instanceof SyntaxError) return new RuntimeFault("Runtime.UserCodeSyntaxError", String(error), error.stack);
  const codes = ["MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND"];
  if (!codes.includes(error?.code)) return error;
  const hint = /@aws-sdk\//.test(error.message) ? "\nPenstock does not bundle the AWS SDK: put it in the package." : "";
  return new RuntimeFault("Runtime.ImportModuleError", `Error: ${error.message || `Cannot find module '${file}'`}${hint}`);
}
