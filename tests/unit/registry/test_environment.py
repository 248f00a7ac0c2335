"""Sealed variables open again for their own function, and a lost key is reported instead of raised."""

from dataclasses import replace

from penstock.registry.environment import opened, sealed
from penstock.registry.fakes import PlainCipher
from penstock.registry.model import FunctionVersion


def test_sealed_variables_open_for_their_function_only(scope) -> None:
    cipher = PlainCipher()
    version = FunctionVersion(scope, "orders", "1", "python3.12", "a.h", "role", "sha", 1, "rev", 0.0)
    closed = replace(version, sealed_environment=sealed(cipher, scope, "orders", {"A": "1"}))
    assert opened(cipher, closed).environment == {"A": "1"}
    stolen = opened(cipher, replace(closed, name="other"))
    assert stolen.environment == {}
    assert "unable to decrypt" in stolen.environment_error
    assert sealed(cipher, scope, "orders", {}) is None
    assert opened(cipher, version) is version
