"""Filter patterns, by the tables of AWS's page on their syntax; then what is malformed, and what is hostile."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.observe.logs.pattern import compile_pattern
from penstock.observe.logs.pattern_values import PatternError

LINES = [
    "[ERROR 400] BAD REQUEST",
    "[ERROR 401] UNAUTHORIZED REQUEST",
    "[ERROR 419] MISSING ARGUMENTS",
    "[ERROR 420] INVALID ARGUMENTS",
    "[WARN 500] INTERNAL SERVER ERROR",
    "[SUCCESS 200] AUTHORIZED REQUEST",
]
TERMS = {
    "nothing": ("", "012345"),
    "a blank phrase": ('" "', "012345"),
    "one term": ("ERROR", "01234"),
    "case matters": ("error", ""),
    "all of two": ("ERROR ARGUMENTS", "23"),
    "a phrase": ('"INTERNAL SERVER ERROR"', "4"),
    "a phrase with brackets": ('"[ERROR 4"', "0123"),
    "any of two": ("?WARN ?SUCCESS", "45"),
    "optional beside a wanted one is ignored": ("?WARN ARGUMENTS", "23"),
    "one without another": ("ERROR -ARGUMENTS", "014"),
    "without only": ("-ERROR", "5"),
    "without a phrase": ('-"BAD REQUEST" -WARN', "1235"),
    "a regular expression": ("%AUTHORIZED%", "15"),
    "regular expression anchors": ("%^.WARN%", "4"),
    "regular expression classes": (r"%\d{2}[19]\]%", "12"),
    "regular expression alternatives": ("%SUCCESS|MISSING%", "25"),
    "without a regular expression": ("ERROR -%4[02]0%", "124"),
    "a leading .* changes nothing": ("%.*BAD%", "0"),
}


@pytest.mark.parametrize("name", TERMS)
def test_terms(name: str) -> None:
    pattern, expected = TERMS[name]
    matches = compile_pattern(pattern)
    assert "".join(str(number) for number, line in enumerate(LINES) if matches(line)) == expected


def test_an_escaped_quotation_mark_in_a_phrase() -> None:
    assert compile_pattern(r'"say \"no\""')('they say "no" again')


EVENT = """{
  "eventType": "UpdateTrail", "sourceIPAddress": "111.111.111.111", "arrayKey": ["value", "another value"],
  "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
  "SomeObject": null, "cluster.name": "c", "user": {"id": 1, "email": "John.Stiles@example.com"},
  "users": [{"id": 2, "email": "John.Doe@example.com"}, {"id": 3, "email": "Jane.Doe@example.com"}],
  "actions": ["GET", "PUT", "DELETE"], "coordinates": [[0, 1, 2], [4, 5, 6]],
  "bandwidth": 76, "latency": 49.5, "small": 0.001, "big": 1000.0, "code": "404", "number": 404,
  "flag": true, "off": false, "empty": "", "text": "a \\"quoted\\" b && c", "path": "/index.html"
}"""
JSON = {
    "string": ('{ $.eventType = "UpdateTrail" }', True),
    "string without quotation marks": ("{ $.eventType = UpdateTrail }", True),
    "string, other": ('{ $.eventType = "Update" }', False),
    "no spaces": ('{$.eventType="UpdateTrail"}', True),
    "not equal": ("{ $.sourceIPAddress != 123.123.* }", True),
    "wildcard": ("{ $.sourceIPAddress = 111.111.* }", True),
    "wildcard in the middle": ("{ $.sourceIPAddress = 111.*.111 }", True),
    "wildcard quoted": ('{ $.eventType = "*Trail" }', True),
    "wildcard does not overlap": ('{ $.number = "404*404" }', False),
    "exists": ('{ $.number = "*" }', True),
    "exists, an object": ('{ $.user = "*" }', True),
    "exists, missing": ('{ $.missing = "*" }', False),
    "array element": ('{ $.arrayKey[0] = "value" }', True),
    "array element, other": ('{ $.arrayKey[1] = "value" }', False),
    "array out of range": ('{ $.arrayKey[7] = "value" }', False),
    "object in array": ("{ $.objectList[1].id = 2 }", True),
    "array in array": ("{ $.coordinates[1][0] = 4 }", True),
    "any element": ("{ $.users[*].id = 3 }", True),
    "name in brackets": ("{ $.['cluster.name'] = \"c\" }", True),
    "name in brackets, without the dot": ("{ $['cluster.name'] = c }", True),
    "is null": ("{ $.SomeObject IS NULL }", True),
    "is null, another value": ("{ $.eventType IS NULL }", False),
    "is null, missing": ("{ $.missing IS NULL }", False),
    "not exists": ("{ $.SomeOtherObject NOT EXISTS }", True),
    "not exists, null is there": ("{ $.SomeObject NOT EXISTS }", False),
    "is true": ("{ $.flag IS TRUE }", True),
    "is true, false": ("{ $.off IS TRUE }", False),
    "is false": ("{ $.off IS FALSE }", True),
    "greater": ("{ $.bandwidth > 75 }", True),
    "greater, equal": ("{ $.bandwidth > 76 }", False),
    "greater or equal": ("{ $.bandwidth >= 76 }", True),
    "less": ("{ $.latency < 50 }", True),
    "less or equal": ("{ $.latency <= 49.5 }", True),
    "number": ("{ $.number = 404 }", True),
    "number, not": ("{ $.number != 500 }", True),
    "number by wildcard": ("{ $.number = 4* }", True),
    "scientific": ("{ $.small = 1e-3 }", True),
    "scientific, signed": ("{ $.big = 1e+3 }", True),
    "text is not greater than a number": ("{ $.code > 1 }", False),
    "text that reads like the number": ("{ $.code = 404 }", True),
    "not equal, missing": ("{ $.missing != 1 }", False),
    "empty text": ('{ $.empty = "" }', True),
    "escaped quotation marks": (r'{ $.text = "a \"quoted\" b && c" }', True),
    "regular expression": ("{ $.eventType = %Trail% }", True),
    "not a regular expression": ("{ $.eventType != %^Delete% }", True),
    "and": ('{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }', True),
    "and, one false": ('{ $.user.id = 1 && $.users[0].email = "nonmatch" }', False),
    "or": ('{ $.user.email = "John.Stiles*" || $.coordinates[0][1] = nonmatch && $.actions[2] = nomatch }', True),
    "parentheses": (
        '{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = nonmatch) && $.actions[2] = nomatch }',
        False,
    ),
    "nested parentheses": ("{ (($.user.id = 2 || ($.user.id = 1))) }", True),
}  # fmt: skip


@pytest.mark.parametrize("name", JSON)
def test_json(name: str) -> None:
    pattern, expected = JSON[name]
    assert compile_pattern(pattern)(EVENT) is expected


@pytest.mark.parametrize("message", ["", "START RequestId: 1", "{", '"text"', "1", "null", "{}", "[]", '{"a": 1} tail'])
def test_other_events_never_match_a_json_pattern(message: str) -> None:
    assert compile_pattern('{ $.a = "*" }')(message) is False


APACHE = '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'
FIELDS = {
    "names only": ("[ip, user, username, timestamp, request, status_code, bytes]", True),
    "one name takes all the rest": ("[line]", True),
    "one condition": ("[ip, user, username, timestamp, request, status_code = 404, bytes]", True),
    "conditions with wildcards": ("[ip, user, username, timestamp, request =*.html*, status_code = 4*, bytes]", True),
    "a wildcard that differs": ("[ip, user, username, timestamp, request =*.png*, status_code = 4*, bytes]", False),
    "an ellipsis before": ("[..., status_code = 4*, bytes]", True),
    "an ellipsis between": ("[ip = 127.*, ..., bytes > 1000]", True),
    "an ellipsis after": ("[ip = 127.0.0.1, ...]", True),
    "numbers compare": ("[..., bytes >= 1534]", True),
    "numbers compare, too small": ("[..., bytes > 1534]", False),
    "numbers are equal as numbers": ("[..., status_code = 404.0, bytes]", True),
    "text is no number": ("[ip > 1, ...]", False),
    "not equal": ("[..., status_code != 5*, bytes]", True),
    "or in one field": ("[..., status_code = 404 || status_code = 410, bytes]", True),
    "or in parentheses": ("[..., (status_code = 4* || status_code = 5*), bytes]", True),
    "and in one field": ("[..., status_code >= 400 && status_code < 404, bytes]", False),
    "a field in brackets": ('[a, b, c, timestamp = "10/Oct/2000*", ...]', True),
    "a regular expression": (r"[..., status_code = %4\d{2}%, bytes]", True),
    "a comma in quotation marks": ('[a = "x,y", ...]', False),
    "too many names": ("[a, b, c, d, e, f, g, h]", False),
    "too few names, the last with a condition": ("[a, b = Prod]", False),
}


@pytest.mark.parametrize("name", FIELDS)
def test_space_delimited(name: str) -> None:
    pattern, expected = FIELDS[name]
    assert compile_pattern(pattern)(APACHE) is expected


def test_words_in_order() -> None:
    first_is_error = compile_pattern("[w1=ERROR, w2]")
    assert [first_is_error(line) for line in ("ERROR bad argument", "no ERROR", "ERROR", "")] == [
        True,
        False,
        False,
        False,
    ]
    neither = compile_pattern("[w1!=%ERROR% && w1!=%WARN%, w2]")
    assert [neither(line) for line in ("INFO all is well", "ERROR: no", "[WARN] x")] == [True, False, False]


MALFORMED = [
    '"open', "error:", "a.b", "(a", "%open", "%a!%", "%(a)%", "%[%", "%a**%", "%%", "%a% %b% %c%", "%[[a]%",
    "%a{99999999999}%", r"%\1%", "%" + "a*" * 9 + "%",
    "{", "{}", "{ }", "{ $ = 1 }", "{ $.a }", "{ $.a = }", "{ a = 1 }", "{ $.a = 1", "{ $.a == 1 }", "{ $.a = 1 && }",
    "{ ($.a = 1 }", "{ $.a = 1) }", "{ $.a > x }", '{ $.a > "1" }', "{ $.a IS }", "{ $.a IS NULLS }", "{ $.a = 1 2 }",
    "{ $.a[x] = 1 }", "{ $.a =  1 & $.b = 2 }", '{ $.a = "open }', "{ $.a = %a% && $.b = %b% && $.c = %c% }",
    "{ " + "(" * 60 + "$.a = 1" + ")" * 60 + " }", "{ " + "(" * 500,
    "[", "[]", "[a", "[a,]", "[,a]", "[a, ..., b, ...]", "[= 1]", "[a = ]", "[a = 1 || b = 2]", '[a = "open]', "[a b]",
    "[a > x]", "[1]",
]  # fmt: skip


@pytest.mark.parametrize("pattern", MALFORMED)
def test_malformed_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        compile_pattern(pattern)


pieces = st.sampled_from([*'{}[]()"%$.*?-=!<>&|,\\ \n1aé', "$.a", " = ", "IS NULL", "NOT EXISTS", "...", "&&", "||"])


@settings(max_examples=250, deadline=None)
@given(
    pattern=st.lists(pieces, max_size=30).map("".join), message=st.text(max_size=50) | st.sampled_from([EVENT, APACHE])
)
def test_any_text_is_a_pattern_or_is_refused(pattern: str, message: str) -> None:
    try:
        matches = compile_pattern(pattern)
    except PatternError:
        return
    assert matches(message) in (True, False)


HOSTILE = {
    "wildcards": ('{ $.a = "' + "*a" * 200 + '*b" }', '{"a": "' + "a" * 200_000 + '"}'),
    "a greedy regular expression": ("%.*x.*y%", "x" * 500_000),
    "many fields": ("[..., a = 1]", "1 " * 200_000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_patterns_end_soon(name: str) -> None:
    pattern, message = HOSTILE[name]
    start = time.monotonic()
    compile_pattern(pattern)(message)
    assert time.monotonic() - start < 5
