"""Lines in order, a bounded tail, a bounded invoke."""

import pytest

from penstock.core.clock import MockClock
from penstock.core.context import Scope
from penstock.execution import journal
from penstock.execution.journal import Journal


class Sink:
    def __init__(self):
        self.lines = []

    def append(self, scope, group, stream, lines):
        self.lines += [line.message for line in lines]


@pytest.fixture
def made():
    sink = Sink()
    return Journal(sink, MockClock(), Scope("1" * 12, "eu-west-1"), "/g", "s"), sink


def test_lines_reach_the_sink_in_order_and_only_when_flushed(made):
    book, sink = made
    book.platform(["a"])
    book.output(["b"])
    assert sink.lines == []
    book.close_invoke(["c"])
    assert sink.lines == ["a", "b", "c"]
    assert book.tail() == b"a\nb\nc\n"


def test_many_lines_do_not_wait(made):
    book, sink = made
    book.output([str(n) for n in range(1000)])
    assert len(sink.lines) == 1000


@pytest.mark.parametrize("lines", [["x" * 10_000], ["y" * 100] * 100, ["é" * 3000, "z"]])
def test_the_tail_is_the_last_four_kilobytes(made, lines):
    book, _ = made
    book.begin()
    book.output(lines)
    assert book.tail() == ("\n".join(lines) + "\n").encode()[-4096:]


def test_a_tail_belongs_to_one_invoke(made):
    book, _ = made
    book.output(["first"])
    book.begin()
    book.output(["second"])
    assert book.tail() == b"second\n"


def test_what_is_over_the_allowance_is_counted_and_told(made, monkeypatch):
    monkeypatch.setattr(journal, "MAX_INVOKE_BYTES", 1 << 20)
    book, sink = made
    for _ in range(3):
        book.output(["x" * (1 << 19)])
    book.close_invoke(["END"])
    assert [len(line) for line in sink.lines[:2]] == [1 << 19] * 2
    assert sink.lines[2:] == ["[PENSTOCK] 1 lines dropped: one invoke may log 1 MB", "END"]
    book.begin()
    book.output(["again"])
    book.flush()
    assert sink.lines[-1] == "again"
