"""Who gets in: the account's limit, reservations, and giving slots back."""

import pytest

from penstock.core.context import Scope
from penstock.execution.admission import ACCOUNT_REASON, RESERVED_REASON, Admission, Slot

HERE, THERE = Scope("1" * 12, "eu-west-1"), Scope("1" * 12, "us-east-1")


def fill(admission, name, reserved, count, scope=HERE):
    """Admit `count` times; what the last answer was and how many got in."""
    answers = [admission.admit(scope, name, reserved) for _ in range(count)]
    return sum(isinstance(answer, Slot) for answer in answers), answers[-1]


@pytest.mark.parametrize(
    ("limit", "reserved", "asked", "admitted", "reason"),
    [
        (10, None, 10, 10, None),
        (10, None, 11, 10, ACCOUNT_REASON),
        (10, 3, 4, 3, RESERVED_REASON),
        (10, 0, 1, 0, RESERVED_REASON),
        (0, None, 1, 0, ACCOUNT_REASON),
    ],
)
def test_limits(limit, reserved, asked, admitted, reason):
    count, last = fill(Admission(limit), "f", reserved, asked)
    assert count == admitted
    assert last == reason if reason else isinstance(last, Slot)


def test_a_reservation_is_taken_from_what_the_others_share():
    admission = Admission(10)
    admission.set_reserved(HERE, "reserved", 4)
    assert fill(admission, "other", None, 7) == (6, ACCOUNT_REASON)
    assert fill(admission, "reserved", 4, 5) == (4, RESERVED_REASON)


def test_an_invoke_that_knows_the_reservation_corrects_the_books():
    admission = Admission(10)
    admission.admit(HERE, "f", 4)
    assert admission.unreserved_limit(HERE) == 6
    admission.admit(HERE, "f", None)
    assert admission.unreserved_limit(HERE) == 10
    admission.set_reserved(HERE, "f", 2)
    admission.set_reserved(HERE, "f", 3)
    assert admission.unreserved_limit(HERE) == 7


def test_regions_do_not_share():
    admission = Admission(2)
    assert fill(admission, "f", None, 3) == (2, ACCOUNT_REASON)
    assert fill(admission, "f", None, 2, THERE)[0] == 2


def test_a_slot_goes_back_to_the_pool_it_came_from_though_the_reservation_changed_meanwhile():
    admission = Admission(1)
    slot = admission.admit(HERE, "f", None)
    admission.set_reserved(HERE, "f", 1)
    admission.release(slot)
    assert admission.running(HERE, "f") == 0
    assert isinstance(admission.admit(HERE, "f", 1), Slot)
    admission.set_reserved(HERE, "f", None)
    assert isinstance(admission.admit(HERE, "g", None), Slot)


def test_a_slot_says_how_many_run():
    admission = Admission(10)
    admission.admit(HERE, "a", None)
    admission.admit(HERE, "b", 5)
    slot = admission.admit(HERE, "a", None)
    assert (slot.running, slot.account_running, slot.unreserved_running) == (2, 3, 2)


def test_what_is_provisioned_is_taken_from_what_the_others_share():
    admission = Admission(10)
    admission.set_provisioned({(HERE, "f"): 4})
    assert admission.unreserved_limit(HERE) == 6
    admission.set_reserved(HERE, "f", 5)
    assert admission.unreserved_limit(HERE) == 5
    admission.set_reserved(HERE, "f", None)
    assert admission.unreserved_limit(HERE) == 6
    admission.set_provisioned({(HERE, "g"): 1})
    assert admission.unreserved_limit(HERE) == 9
    admission.set_provisioned({})
    assert admission.unreserved_limit(HERE) == 10


def test_an_invoke_on_provisioned_concurrency_does_not_compete_with_the_others():
    admission = Admission(5)
    admission.set_provisioned({(HERE, "f"): 2})
    assert fill(admission, "other", None, 4) == (3, ACCOUNT_REASON)
    slots = [admission.admit(HERE, "f", None, provisioned=True) for _ in range(2)]
    assert [(slot.shared, slot.unreserved_running) for slot in slots] == [(False, 3), (False, 3)]
    assert admission.admit(HERE, "f", None) == ACCOUNT_REASON, "what spills over does"
    for slot in slots:
        admission.release(slot)
    assert admission.admit(HERE, "other", None) == ACCOUNT_REASON


def test_a_reservation_bounds_provisioned_invokes_too():
    admission = Admission(10)
    admission.set_provisioned({(HERE, "f"): 2})
    assert isinstance(admission.admit(HERE, "f", 1, provisioned=True), Slot)
    assert admission.admit(HERE, "f", 1, provisioned=True) == RESERVED_REASON


def test_a_function_scales_out_on_its_own_allowance():
    admission = Admission(10_000)
    one, other = admission.admit(HERE, "f", None), admission.admit(HERE, "g", None)
    assert sum(admission.may_scale(one, 0.0) for _ in range(1100)) == 1000
    assert admission.may_scale(other, 0.0)
    assert admission.may_scale(one, 1.0)
