"""A handler's result as JSON, as AWS's Python runtimes write it. Rule: what AWS can encode we encode the same way.

Decimals are written as numbers, NaN as `NaN`; other types the `json` module does not know are refused. Text is
escaped to ASCII up to Python 3.11 and written as UTF-8 from 3.12 on, as AWS's runtimes of these versions do.
"""

from __future__ import annotations

import decimal
import json
import math
import os
import re
from typing import Any

ASCII_RUNTIMES = frozenset(f"AWS_Lambda_python3.{minor}" for minor in range(6, 12))


class Encoder:
    """One encoder per environment."""

    def __init__(self, execution_env: str) -> None:
        """`execution_env` is `AWS_EXECUTION_ENV`: the runtime asked for, whatever interpreter runs it."""
        # The json module has no way to emit a raw number, so a Decimal goes out as a string between two marks that
        # nobody can guess, and the quotes and marks are cut away afterwards.
        self._mark = os.urandom(16).hex()
        self._marked = re.compile(f'"{self._mark}([^"]*){self._mark}"')
        self._met_decimal = False
        ascii_only = execution_env in ASCII_RUNTIMES
        self._encode = json.JSONEncoder(ensure_ascii=ascii_only, default=self._default).encode
        self._encode_ascii = json.JSONEncoder(default=self._default).encode

    def encode(self, value: Any) -> bytes:
        """JSON bytes; raises what the `json` module raises."""
        self._met_decimal = False
        try:
            return self._finish(self._encode(value)).encode()
        except UnicodeEncodeError:  # a lone surrogate has no UTF-8, but it has an escape
            return self._finish(self._encode_ascii(value)).encode()

    def _finish(self, text: str) -> str:
        return self._marked.sub(r"\1", text) if self._met_decimal else text

    def _default(self, value: Any) -> Any:
        if not isinstance(value, decimal.Decimal):
            raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
        if value.is_nan():
            return math.nan
        self._met_decimal = True
        return f"{self._mark}{value}{self._mark}"
