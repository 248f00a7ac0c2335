"""Environment variables at rest: sealed when written, opened when execution or the caller needs them.

Rule: a key that is lost or a sealed value that was tampered with stops its own function, never the server.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from penstock.core.arns import function_arn
from penstock.core.context import Scope
from penstock.registry.model import FunctionVersion, State
from penstock.registry.ports import Cipher

log = logging.getLogger(__name__)


def sealed(cipher: Cipher, scope: Scope, function: str, variables: Mapping[str, str]) -> bytes | None:
    """The variables encrypted for this function, or None when there are none."""
    if not variables:
        return None
    return cipher.encrypt(json.dumps(dict(variables), sort_keys=True).encode(), function_arn(scope, function))


def opened(cipher: Cipher, version: FunctionVersion) -> FunctionVersion:
    """The same version with its variables readable, or not to be invoked and with `environment_error` set."""
    if version.sealed_environment is None:
        return version
    try:
        plain = cipher.decrypt(version.sealed_environment, function_arn(version.scope, version.name))
        variables = json.loads(plain)
    except ValueError:
        log.exception("the environment variables of %s cannot be decrypted", version.arn)
        why = "Lambda was unable to decrypt the environment variables: the key they were sealed with is gone or wrong."
        return replace(
            version, environment_error=why, state=State.FAILED, state_reason=why, state_reason_code="KMSKeyNotFound"
        )
    return replace(version, environment=MappingProxyType(variables))
