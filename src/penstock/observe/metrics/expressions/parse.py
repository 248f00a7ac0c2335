"""Reads metric math: a recursive descent, one method a level of precedence. Rule: every refusal names a position.

From loose to tight: OR, AND, comparisons, + -, * /, unary -, ^ (which binds to the right).
See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from penstock.observe.metrics.expressions.syntax import (
    Binary,
    Call,
    ExpressionError,
    Group,
    Name,
    Negation,
    Node,
    Number,
    Text,
)

MAX_DEPTH = 50
"""How deeply brackets may nest: deeper ones are a mistake or an attack on our stack."""
MAX_WORDS = 600
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<text>\"[^\"]*\"|'[^']*')|(?P<operator>==|!=|<=|>=|&&|\|\||[-+*/^<>()\[\],]))"
)
_LOGICAL = {"&&": "AND", "||": "OR"}
_METRICS_INSIGHTS = re.compile(r"\s*SELECT\s", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the expression."""

    kind: str
    text: str
    position: int


def parse(expression: str) -> Node:
    """The expression as a tree. Raises `ExpressionError`."""
    if _METRICS_INSIGHTS.match(expression):
        raise ExpressionError("Metrics Insights queries (SELECT …) are not supported by Penstock")
    parser = _Parser(_tokens(expression))
    node = parser.disjunction()
    parser.expect_end()
    return node


def _tokens(expression: str) -> list[Token]:
    tokens, at = [], 0
    text = expression.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found or not found.lastgroup:
            skipped = len(text[at:]) - len(text[at:].lstrip())
            raise ExpressionError(f"unexpected {text[at + skipped]!r}", at + skipped + 1)
        word = found[found.lastgroup]
        tokens.append(Token(found.lastgroup, _LOGICAL.get(word, word), found.start(found.lastgroup) + 1))
        at = found.end()
    if len(tokens) > MAX_WORDS:
        raise ExpressionError(f"more than {MAX_WORDS} words")
    tokens.append(Token("end", "", len(text) + 1))
    return tokens


class _Parser:
    def __init__(self, tokens: list[Token]):
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def disjunction(self) -> Node:
        return self._left_to_right(("OR",), self._conjunction)

    def expect_end(self) -> None:
        if self._next.kind != "end":
            raise ExpressionError(f"unexpected {self._next.text!r}", self._next.position)

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._next
        self._at += token.kind != "end"
        return token

    def _take_if(self, *texts: str) -> Token | None:
        wanted = self._next.kind in ("operator", "name") and self._next.text in texts
        return self._take() if wanted else None

    def _left_to_right(self, operators: tuple[str, ...], operand: Callable[[], Node]) -> Node:
        left = operand()
        while token := self._take_if(*operators):
            left = Binary(token.text, left, operand(), token.position)
        return left

    def _conjunction(self) -> Node:
        return self._left_to_right(("AND",), self._comparison)

    def _comparison(self) -> Node:
        return self._left_to_right(("==", "!=", "<=", ">=", "<", ">"), self._sum)

    def _sum(self) -> Node:
        return self._left_to_right(("+", "-"), self._product)

    def _product(self) -> Node:
        return self._left_to_right(("*", "/"), self._signed)

    def _signed(self) -> Node:
        minus = self._take_if("-")
        if not minus:
            return self._power()
        with _Deeper(self, minus.position):
            return Negation(self._signed(), minus.position)

    def _power(self) -> Node:
        bottom = self._primary()
        token = self._take_if("^")
        if not token:
            return bottom
        with _Deeper(self, token.position):
            return Binary("^", bottom, self._signed(), token.position)

    def _primary(self) -> Node:
        token = self._take()
        if token.kind == "number":
            return Number(float(token.text), token.position)
        if token.kind == "text":
            return Text(token.text[1:-1], token.position)
        if token.kind == "name" and token.text not in ("AND", "OR"):
            return self._name_or_call(token)
        if token.text == "(":
            with _Deeper(self, token.position):
                inner = self.disjunction()
                self._close(")", token)
                return inner
        if token.text == "[":
            return Group(self._list("]", token), token.position)
        what = "the expression ends too early" if token.kind == "end" else f"unexpected {token.text!r}"
        raise ExpressionError(what, token.position)

    def _name_or_call(self, token: Token) -> Node:
        opening = self._take_if("(")
        if not opening:
            return Name(token.text, token.position)
        return Call(token.text, self._list(")", opening), token.position)

    def _list(self, closing: str, opening: Token) -> tuple[Node, ...]:
        if self._take_if(closing):
            return ()
        with _Deeper(self, opening.position):
            items = [self.disjunction()]
            while self._take_if(","):
                items.append(self.disjunction())
            self._close(closing, opening)
            return tuple(items)

    def _close(self, closing: str, opening: Token) -> None:
        if not self._take_if(closing):
            raise ExpressionError(
                f"expected {closing!r} for the {opening.text!r} of position {opening.position}", self._next.position
            )


class _Deeper:
    """One level down; too deep is refused instead of overflowing the interpreter's stack."""

    def __init__(self, parser: _Parser, position: int):
        self._parser = parser
        self._position = position

    def __enter__(self) -> None:
        self._parser._depth += 1  # noqa: SLF001 - a part of the parser
        if self._parser._depth > MAX_DEPTH:  # noqa: SLF001
            raise ExpressionError(f"nested more than {MAX_DEPTH} levels deep", self._position)

    def __exit__(self, *_: object) -> None:
        self._parser._depth -= 1  # noqa: SLF001
