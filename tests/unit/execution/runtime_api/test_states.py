"""All pairs of both tables: a runtime's states and an extension's."""

import itertools

import pytest

from penstock.execution.runtime_api import extension_states, states

RUNTIME = {
    ("Started", "Restored"), ("Started", "Ready"), ("Restored", "Ready"),
    ("Ready", "Ready"), ("Ready", "Running"), ("Running", "Responding"), ("Running", "Responded"),
    ("Responding", "Responded"), ("Responded", "Ready"), ("Started", "Failed"), ("Restored", "Failed"),
}  # fmt: skip
EXTENSION = {
    ("Started", "Registered"), ("Registered", "Ready"), ("Registered", "InitError"), ("Registered", "ExitError"),
    ("Ready", "Ready"), ("Ready", "Running"), ("Ready", "ExitError"), ("Running", "Ready"), ("Running", "ExitError"),
}  # fmt: skip
TABLES = [(states.Client, states.MOVES, RUNTIME), (extension_states.Phase, extension_states.MOVES, EXTENSION)]
PAIRS = [(now, then, table, allowed) for kind, table, allowed in TABLES for now, then in itertools.product(kind, kind)]


# Names of their own: a set prints in another order in every process, and parallel workers must agree on the names.
@pytest.mark.parametrize(
    ("now", "then", "table", "allowed"), PAIRS, ids=[f"{type(now).__name__}-{now}-{then}" for now, then, _, _ in PAIRS]
)
def test_a_move_is_allowed_exactly_when_the_table_has_it(now, then, table, allowed):
    assert (then in table[now]) is ((str(now), str(then)) in allowed)
