"""Chunks: what goes in comes out in order of time, none too long and none too large."""

from hypothesis import given
from hypothesis import strategies as st

from penstock.observe.logs.chunks import CHUNK_BYTES, OVERHEAD, SPAN_MS, pack, split_message, unpack

events = st.lists(st.tuples(st.integers(0, 10 * SPAN_MS), st.text(max_size=20)), max_size=50)


@given(events)
def test_what_goes_in_comes_out_in_order(given_events) -> None:
    chunks = pack(given_events)
    out = [event for chunk in chunks for event in unpack(chunk.first_ms, chunk.data)]
    expected = sorted(given_events, key=lambda event: event[0])
    assert [at for at, _ in out] == [at for at, _ in expected]
    assert [text for _, text in out] == [text.encode("utf-8", "replace").decode() for _, text in expected]
    assert sum(chunk.count for chunk in chunks) == len(given_events)
    for chunk in chunks:
        assert chunk.first_ms <= chunk.last_ms <= chunk.first_ms + SPAN_MS


def test_sizes_are_counted_as_aws_counts_them() -> None:
    assert sum(chunk.size for chunk in pack([(0, "abc"), (1, "é")])) == 3 + 2 + 2 * OVERHEAD


def test_a_large_batch_is_cut() -> None:
    chunks = pack([(number, "x" * 1000) for number in range(1000)])
    assert len(chunks) > 3
    assert all(chunk.size <= CHUNK_BYTES for chunk in chunks)


@given(st.text(max_size=50))
def test_a_short_message_stays_whole(message: str) -> None:
    assert split_message(message) == [message]
