"""Exact, else nearest newer, else nearest older; or a refusal that says why."""

import pytest

from penstock.execution.interpreters import Interpreter, NoInterpreterError, choose


def machine(*versions):
    return [Interpreter(f"/bin/python{v}", tuple(map(int, v.split(".")))) for v in versions]


@pytest.mark.parametrize(
    ("runtime", "found", "chosen", "exact"),
    [
        ("python3.12", ["3.11.2", "3.12.1", "3.13.0"], "3.12.1", True),
        ("python3.12", ["3.12.1", "3.12.9"], "3.12.9", True),
        ("python3.12", ["3.11.2", "3.14.0", "3.13.0"], "3.13.0", False),
        ("python3.12", ["3.9.1", "3.11.2"], "3.11.2", False),
        ("python3.9", ["3.8.1", "3.11.2"], "3.11.2", False),
        ("python3.14", ["3.11.2"], "3.11.2", False),
    ],
)
def test_choice(runtime, found, chosen, exact):
    choice = choose(runtime, machine(*found), strict=False)
    assert (choice.interpreter.path, choice.exact) == (f"/bin/python{chosen}", exact)
    assert ("substitute" in choice.words) is not exact
    assert chosen in choice.words


@pytest.mark.parametrize(
    ("runtime", "found", "strict", "words"),
    [
        ("python3.12", ["3.11.2"], True, "--strict-runtimes"),
        ("python3.12", ["3.8.2"], False, "no interpreter"),
        ("python3.12", [], False, "no interpreter"),
        ("nodejs22.x", ["3.12.1"], False, "not one this server runs"),
        ("python3.8", ["3.12.1"], False, "not one this server runs"),
        ("python3.100", ["3.12.1"], False, "not one this server runs"),
        ("", ["3.12.1"], False, "not one this server runs"),
    ],
)
def test_refusal(runtime, found, strict, words):
    with pytest.raises(NoInterpreterError, match=words):
        choose(runtime, machine(*found), strict=strict)
