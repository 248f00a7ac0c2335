"""Finding and calling the function's handler. Rule: every failure becomes AWS's error type; none stops the loop."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from typing import Any

from penstock.execution.bootstrap.failures import RuntimeFault

Handler = Callable[[Any, Any], Any]


def load(name: str) -> Handler:
    """The function named `module.function`, `pkg.module.function` or `pkg/module.function`; raises `RuntimeFault`."""
    module_name, dot, attribute = name.rpartition(".")
    if not dot:
        raise RuntimeFault(
            "Runtime.MalformedHandlerName", f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)"
        )
    module = _load_module(module_name)
    try:
        found: Handler = getattr(module, attribute)
    except AttributeError:
        raise RuntimeFault(
            "Runtime.HandlerNotFound", f"Handler '{attribute}' missing on module '{module_name}'"
        ) from None
    return found


def _load_module(name: str) -> Any:
    if name.split(".", maxsplit=1)[0] in sys.builtin_module_names:
        raise RuntimeFault("Runtime.BuiltInModuleConflict", f"Cannot use built-in module {name} as a handler module")
    try:
        return importlib.import_module(name.replace("/", "."))
    except ImportError as error:
        raise RuntimeFault("Runtime.ImportModuleError", f"Unable to import module '{name}': {error}") from error
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        raise RuntimeFault("Runtime.UserCodeSyntaxError", f"Syntax error in module '{name}': {error}", trace) from error


def read_event(body: bytes) -> Any:
    """The event; raises `RuntimeFault` for what is not JSON."""
    try:
        return json.loads(body) if body else {}
    except ValueError as error:
        raise RuntimeFault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from error
