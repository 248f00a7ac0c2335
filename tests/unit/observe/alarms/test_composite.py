"""Composite rules: what they mean, and where they are refused."""

import pytest

from penstock.core.context import Scope
from penstock.observe.alarms.composite import RuleError, alarms_in, is_true, parse_rule
from penstock.observe.alarms.model import AlarmState

HERE = Scope("000000000000", "us-east-1")
STATES = {
    "a": AlarmState.ALARM,
    "o": AlarmState.OK,
    "i": AlarmState.INSUFFICIENT_DATA,
    "two words (x)": AlarmState.ALARM,
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("TRUE", True),
        ("FALSE", False),
        ("false", False),
        ("ALARM(a)", True),
        ("ALARM(o)", False),
        ("OK(o)", True),
        ("INSUFFICIENT_DATA(i)", True),
        ("INSUFFICIENT_DATA(a)", False),
        ("NOT ALARM(a)", False),
        ("NOT NOT TRUE", True),
        ("ALARM(a) AND OK(o)", True),
        ("ALARM(o) OR OK(o)", True),
        ("ALARM(o) AND OK(o) OR TRUE", True),
        ("TRUE OR FALSE AND FALSE", True),
        ("(TRUE OR FALSE) AND FALSE", False),
        ("NOT FALSE AND FALSE", False),
        ("NOT (FALSE AND FALSE)", True),
        ('ALARM("two words (x)")', True),
        ("ALARM( a )", True),
        ("  ALARM (a)\n", True),
        ("ALARM(arn:aws:cloudwatch:us-east-1:000000000000:alarm:a)", True),
        ('ALARM("arn:aws:cloudwatch:us-east-1:000000000000:alarm:a")', True),
        ("ALARM(nobody)", False),
        ("NOT OK(nobody)", True),
        ("((((ALARM(a)))))", True),
        ("(ALARM(a) OR ALARM(o)) AND OK(o)", True),
    ],
)
def test_values(text: str, value: bool) -> None:
    assert is_true(parse_rule(text, HERE), STATES) is value


def test_names_are_found_once_each_in_order() -> None:
    assert list(alarms_in(parse_rule('ALARM(a) AND NOT (OK("b c") OR TRUE) AND OK(a)', HERE))) == ["a", "b c", "a"]


def test_quotes_inside_quotes() -> None:
    assert list(alarms_in(parse_rule(r'OK("say \"hi\"")', HERE))) == ['say "hi"']


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "ends too early"),
        ("ALARM(a) AND", "ends too early"),
        ("ALARM", "takes one alarm name"),
        ("ALARM()", "takes one"),
        ("ALARM(a", "takes one"),
        ("ALARM(a) OK(o)", "unexpected 'OK(o)' at position 10"),
        ("(TRUE", "expected ')' for the '(' of position 1"),
        ("TRUE)", "unexpected ')' at position 5"),
        ("MAYBE(a)", "unexpected 'MAYBE' at position 1"),
        ("TRUE && FALSE", "unexpected '&& FALSE'"),
        ("AND TRUE", "unexpected 'AND'"),
        ("ALARM(arn:aws:cloudwatch:eu-west-1:000000000000:alarm:a)", "another account or region"),
        ("ALARM(arn:aws:sns:us-east-1:000000000000:topic)", "not the ARN of an alarm"),
        ("(" * 60 + "TRUE" + ")" * 60, "deeper than 50"),
        (" AND ".join(["TRUE"] * 501), "more than 500 elements"),
        (" AND ".join(f"ALARM(a{n})" for n in range(101)), "101 alarms, more than 100"),
        ("ALARM(a,b) x", "unexpected 'x'"),
        ("5", "unexpected '5' at position 1"),
    ],
)
def test_refused(text: str, words: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_rule(text, HERE)
    assert words in str(caught.value)
