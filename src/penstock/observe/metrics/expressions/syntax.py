"""The shape of a metric math expression, and its errors. Rule: values only; `position` counts characters from 1."""

from collections.abc import Iterator
from dataclasses import dataclass


class ExpressionError(ValueError):
    """The expression cannot be understood or computed. The message says what and where."""

    def __init__(self, message: str, position: int | None = None):
        """`position` is where in the expression, counted from 1."""
        super().__init__(message if position is None else f"{message} at position {position}")
        self.position = position


@dataclass(frozen=True, slots=True)
class Number:
    """A constant."""

    value: float
    position: int


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted string: an argument of METRICS."""

    value: str
    position: int


@dataclass(frozen=True, slots=True)
class Name:
    """Another query's id, or a word such as REPEAT where a function takes one."""

    name: str
    position: int


@dataclass(frozen=True, slots=True)
class Negation:
    """Unary minus."""

    operand: "Node"
    position: int


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands and what is between them; `AND` and `OR` stand for `&&` and `||` too."""

    operator: str
    left: "Node"
    right: "Node"
    position: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its arguments."""

    function: str
    arguments: tuple["Node", ...]
    position: int


@dataclass(frozen=True, slots=True)
class Group:
    """`[m1, m2]`: an array of time series."""

    items: tuple["Node", ...]
    position: int


Node = Number | Text | Name | Negation | Binary | Call | Group


def names_in(node: Node) -> Iterator[str]:
    """The ids an expression mentions, and the words of its functions."""
    if isinstance(node, Name):
        yield node.name
    for child in _children(node):
        yield from names_in(child)


def calls_in(node: Node) -> Iterator[str]:
    """The functions an expression calls."""
    if isinstance(node, Call):
        yield node.function
    for child in _children(node):
        yield from calls_in(child)


def _children(node: Node) -> tuple[Node, ...]:
    if isinstance(node, Negation):
        return (node.operand,)
    if isinstance(node, Binary):
        return (node.left, node.right)
    if isinstance(node, Call):
        return node.arguments
    return node.items if isinstance(node, Group) else ()
