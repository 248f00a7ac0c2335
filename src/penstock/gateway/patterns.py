"""The models' regular expressions, written for Java, made to run here.

Rule: a pattern that cannot be understood checks nothing (AWS's word stands in the message, we refuse nothing by it).
"""

import re
import unicodedata
import warnings
from functools import cached_property, lru_cache

_BMP = range(0x10000)


class Pattern:
    """A pattern as AWS prints it, and what runs. Compiled when first needed: most never are, and it takes longest."""

    def __init__(self, text: str) -> None:
        """`text` as the model has it."""
        self.text = text

    @cached_property
    def compiled(self) -> re.Pattern[str] | None:
        """What runs; None when it checks nothing."""
        return _compiled(self.text)

    def matches(self, value: str) -> bool:
        """Whether the whole of `value` fits, which is how AWS reads a pattern."""
        return self.compiled is None or self.compiled.fullmatch(value) is not None


def _compiled(text: str) -> re.Pattern[str] | None:
    """`text` translated and compiled; None when it still is no Python expression."""
    translated = re.sub(r"\\p\{(\w+)\}", lambda found: _category(found[1]), text)
    # Java reads a dash after a class (`[\w-_]`) as a plain dash; Python calls it a bad range.
    translated = re.sub(r"(\\[wds])-(?!\])", r"\1\\-", translated)
    # Java spells astral characters as \x{10000}; some models write \u10000, which neither language means that way.
    translated = translated.replace(r"\u10000-\u10FFFF", "\U00010000-\U0010ffff")
    # `$` in Java's full match is the very end; Python's also stands before a final newline.
    translated = re.sub(r"(?<!\\)\$$", r"\\Z", translated)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(translated, re.ASCII)  # as Java reads \d and \w
    except (re.error, OverflowError, RecursionError):
        return None


@lru_cache(maxsize=32)
def _category(name: str) -> str:
    """The characters of a Unicode category such as `L` or `Zs`, as ranges to stand inside a character class.

    Astral letters and symbols are let through: AWS's own checks run on UTF-16 and see surrogates there.
    """
    ranges: list[tuple[int, int]] = []
    for code in _BMP:
        if not unicodedata.category(chr(code)).startswith(name):
            continue
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1] = (ranges[-1][0], code)
        else:
            ranges.append((code, code))
    text = "".join(f"\\u{first:04x}-\\u{last:04x}" for first, last in ranges)
    return text + ("\U00010000-\U0010ffff" if name[:1] in {"L", "S"} else "")
