"""The `context` argument of a handler. Follows https://docs.aws.amazon.com/lambda/latest/dg/python-context.html.

Rule: attribute names, types and missing values are AWS's; remaining time follows this machine's monotonic clock.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

from penstock.execution.bootstrap.failures import RuntimeFault


class _Record:
    """Named attributes filled from a JSON object; absent ones are None."""

    __slots__: tuple[str, ...] = ()

    @classmethod
    def of(cls, values: Any) -> Any:
        made = cls()
        for name in cls.__slots__:
            setattr(made, name, values.get(name) if isinstance(values, dict) else None)
        return made

    def __repr__(self) -> str:
        inner = ",".join(f"{name}={getattr(self, name, None)}" for name in self.__slots__)
        return f"{type(self).__name__}([{inner}])"


class Client(_Record):
    """`context.client_context.client`."""

    __slots__ = ("app_package_name", "app_title", "app_version_code", "app_version_name", "installation_id")


class ClientContext(_Record):
    """`context.client_context`."""

    __slots__ = ("client", "custom", "env")


class CognitoIdentity(_Record):
    """`context.identity`; always there, its members None without Cognito."""

    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")


class LambdaContext:
    """One per invoke."""

    def __init__(self, invoke: dict[str, Any], deadline: float) -> None:
        """`invoke` is the meta of the INVOKE frame; `deadline` is on `time.monotonic`'s scale."""
        variables = os.environ
        self.aws_request_id = invoke["request_id"]
        self.log_group_name = variables.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = variables.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = variables.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = variables.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = variables.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = invoke["arn"]
        self.tenant_id = None
        self.client_context = _client_context(invoke.get("client_context"))
        self.identity = _identity(invoke.get("identity"))
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the environment is killed; never negative."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))

    def log(self, message: object) -> None:
        """Write to the function's log."""
        print(message, end="")  # noqa: T201 - printing is what it is for

    def __repr__(self) -> str:
        names = [
            "aws_request_id",
            "log_group_name",
            "log_stream_name",
            "function_name",
            "memory_limit_in_mb",
            "function_version",
            "invoked_function_arn",
            "client_context",
            "identity",
            "tenant_id",
        ]
        return f"LambdaContext([{','.join(f'{name}={getattr(self, name)}' for name in names)}])"


def _parse(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise RuntimeFault("Runtime.LambdaContextUnmarshalError", f"Unable to parse {what} JSON: {error}") from error


def _client_context(text: str | None) -> Any:
    if not text:
        return None
    made = ClientContext.of(_parse(text, "Client Context"))
    if made.client is not None:
        made.client = Client.of(made.client)
    return made


def _identity(text: str | None) -> Any:
    values = _parse(text, "Cognito Identity") if text else {}
    made = CognitoIdentity.of({})
    if isinstance(values, dict):
        made.cognito_identity_id = values.get("cognitoIdentityId")
        made.cognito_identity_pool_id = values.get("cognitoIdentityPoolId")
    return made
