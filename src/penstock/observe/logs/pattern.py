"""Filter patterns: which events FilterLogEvents returns and metric filters count. Pure.

Three languages told apart by their first character: `{` for JSON events, `[` for space-delimited ones, anything else
for terms. Follows https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html. Rule: what
AWS refuses is refused here with `PatternError`, so a pattern that works here works there.
"""

import re
from collections.abc import Callable

from penstock.observe.logs.pattern_fields import compile_fields
from penstock.observe.logs.pattern_json import compile_json
from penstock.observe.logs.pattern_values import PatternError, Regexes, searched

Matcher = Callable[[str], bool]
TERM = re.compile(r'(?P<sign>[?-]?)(?:"(?P<phrase>(?:[^"\\]|\\.)*)"|%(?P<regex>[^%]*)%|(?P<word>[^\s"%]+))(?=\s|\Z)')


def compile_pattern(text: str) -> Matcher:
    """A function that tells whether a message matches. Raises `PatternError` with what is wrong and where."""
    text = text.strip()
    if text.startswith("{"):
        return compile_json(text)
    if text.startswith("["):
        return compile_fields(text)
    return _compile_terms(text)


def _compile_terms(text: str) -> Matcher:
    regexes = Regexes()
    wanted: list[Matcher] = []
    unwanted: list[Matcher] = []
    optional: list[Matcher] = []
    place = 0
    while place < len(text):
        found = TERM.match(text, place)
        if not found:
            raise PatternError(f"cannot read the term at {text[place : place + 40]!r}: is a quotation mark missing?")
        {"?": optional, "-": unwanted, "": wanted}[found["sign"]].append(_term(found, regexes))
        place = found.end()
        while place < len(text) and text[place].isspace():
            place += 1
    # AWS ignores the question mark's terms when there are others: they cannot be combined.
    if wanted or unwanted:
        optional = []
    return lambda message: (
        all(term(message) for term in wanted)
        and not any(term(message) for term in unwanted)
        and (not optional or any(term(message) for term in optional))
    )


def _term(found: re.Match[str], regexes: Regexes) -> Matcher:
    if found["regex"] is not None:
        return searched(regexes.compile(found["regex"]))
    if found["phrase"] is not None:
        phrase = re.sub(r"\\(.)", r"\1", found["phrase"])
        return (lambda message: phrase in message) if phrase.strip() else (lambda _: True)
    word = found["word"]
    if not word.replace("_", "a").isalnum():
        raise PatternError(f"invalid character(s) in term {word!r}: put it in double quotation marks")
    return lambda message: word in message
