"""Paging: whatever overlaps, each event is seen exactly once and in order, forwards and backwards, page by page."""

from functools import partial

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.observe.logs import reading
from penstock.observe.logs.chunks import SPAN_MS, pack
from penstock.observe.logs.model import Position, parse_position
from penstock.observe.logs.reading import END, Selection, read_page
from penstock.observe.logs.records import CHUNKS, insert_chunks, insert_group, insert_stream

times = st.integers(0, 3 * SPAN_MS) | st.integers(0, 5)
batches = st.lists(st.tuples(st.integers(0, 2), st.lists(times, min_size=1, max_size=8)), max_size=8)


def fill(store, scope, given_batches):
    """Store the batches; all events as (time, chunk, text), in order."""

    def work(connection):
        connection.execute(sa.delete(CHUNKS))
        connection.exec_driver_sql("DELETE FROM log_groups")
        group = insert_group(connection, scope, "g", 0)
        streams = [insert_stream(connection, group, f"s{group}-{number}", 0) for number in range(3)]
        texts = []
        for number, (stream, moments) in enumerate(given_batches):
            events = [(at, f"{stream}/{number}/{index}") for index, at in enumerate(moments)]
            texts += [(at, number, text) for at, text in sorted(events, key=lambda event: event[0])]
            insert_chunks(connection, group, streams[stream], pack(events), 0)
        return group, streams, [text for _, _, text in sorted(texts, key=lambda event: event[:2])]

    return store.write_now(work)


def read_all(store, selection, limit):
    seen = []
    for _ in range(500):
        page = store.read_now(partial(read_page, selection=selection, limit=limit))
        assert len(page.events) <= limit
        seen += [event.message for event in page.events]
        if page.reached is None:
            return seen
        bounds = {"low": page.reached} if selection.forwards else {"high": page.reached}
        fields = {name: getattr(selection, name) for name in Selection.__slots__}
        selection = Selection(**{**fields, **bounds})
    raise AssertionError("paging does not end")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_batches=batches, limit=st.integers(1, 7), forwards=st.booleans(), stream=st.none() | st.integers(0, 2))
@pytest.mark.parametrize("scanned", [1, 4, 50_000])
def test_every_event_is_seen_once_in_order(
    store, scope, monkeypatch, scanned, given_batches, limit, forwards, stream
) -> None:
    monkeypatch.setattr(reading, "SCANNED", scanned)
    group, streams, expected = fill(store, scope, given_batches)
    if stream is not None:
        expected = [text for text in expected if text.startswith(f"{stream}/")]
    wanted = None if stream is None else [streams[stream]]
    seen = read_all(store, Selection(group, wanted, forwards=forwards), limit)
    assert seen == (expected if forwards else expected[::-1])


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_batches=batches, low=times, high=times, forwards=st.booleans())
def test_a_range_leaves_nothing_out(store, scope, given_batches, low, high, forwards) -> None:
    group, _, _ = fill(store, scope, given_batches)
    selection = Selection(group, low=Position(low, 0, 0), high=Position(high, 0, 0), forwards=forwards)
    page = store.read_now(lambda connection: read_page(connection, selection, 10_000))
    assert len(page.events) == sum(low <= at < high for _, moments in given_batches for at in moments)


@pytest.mark.parametrize("forwards", [True, False])
def test_a_search_stops_after_so_many_events_and_goes_on(store, scope, monkeypatch, forwards) -> None:
    monkeypatch.setattr(reading, "SCANNED", 10)
    hour = 3600 * 1000
    group, _, _ = fill(store, scope, [(0, [hour * number + at for at in range(4)]) for number in range(9)])
    selection, found, pages = Selection(group, forwards=forwards), [], 0
    while True:
        page = store.read_now(
            partial(read_page, selection=selection, limit=100, matches=lambda text: text.startswith(("0/8/", "0/0/")))
        )
        found += [event.message for event in page.events]
        pages += 1
        if page.reached is None:
            break
        bounds = {"low": page.reached} if forwards else {"high": page.reached}
        selection = Selection(group, forwards=forwards, **bounds)
    expected = [f"0/{batch}/{number}" for batch in (0, 8) for number in range(4)]
    assert found == (expected if forwards else expected[::-1])
    assert pages == 3


def test_a_page_holds_a_megabyte(store, scope) -> None:
    def work(connection):
        group = insert_group(connection, scope, "g", 0)
        stream = insert_stream(connection, group, "s", 0)
        insert_chunks(connection, group, stream, pack([(at, "x" * 300_000) for at in range(5)]), 0)
        return group

    group = store.write_now(work)
    page = store.read_now(lambda connection: read_page(connection, Selection(group), 100))
    assert len(page.events) == 3
    assert page.reached == page.events[-1].position


PLANS = {
    "a stream": (Selection(1, (1,)), "log_chunks_of_stream "),
    "a stream, backwards": (Selection(1, (1,), forwards=False), "log_chunks_of_stream_back"),
    "a group": (Selection(1), "log_chunks_of_group "),
    "a group, backwards": (Selection(1, forwards=False), "log_chunks_of_group_back"),
    "by prefix": (Selection(1, stream_prefix="a"), "log_chunks_of_group "),
}


@pytest.mark.parametrize("name", PLANS)
def test_reading_uses_an_index_and_does_not_sort(store, name) -> None:
    selection, index = PLANS[name]
    query = str(reading._query(selection).compile(compile_kwargs={"literal_binds": True}))
    plan = store.read_now(lambda connection: connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all())
    steps = " ; ".join(row[3] for row in plan)
    assert f"USING INDEX {index}" in steps
    assert "TEMP B-TREE" not in steps


def test_positions_read_back() -> None:
    place = Position(1_800_000_000_000, 12, 3)
    assert parse_position(str(place)) == place
    assert len(str(END)) == 56
    for text in ("", "x" * 56, "²" * 56, "1" * 55):
        assert parse_position(text) is None
