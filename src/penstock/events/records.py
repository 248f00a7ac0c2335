"""The rows of accepted events. Rule: a row is written before the 202 and leaves only when the event is settled."""

from typing import Any

import sqlalchemy as sa

from penstock.core.context import Scope
from penstock.events.model import AsyncEvent, EventState
from penstock.store.database import METADATA, Connection

ASYNC_EVENTS = sa.Table(
    "async_events",
    METADATA,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("account", sa.String, nullable=False),
    sa.Column("region", sa.String, nullable=False),
    sa.Column("function", sa.String, nullable=False),
    sa.Column("qualifier", sa.String),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("invoked_arn", sa.String, nullable=False),
    sa.Column("client_context", sa.String),
    sa.Column("trace_header", sa.String),
    sa.Column("accepted_at", sa.Float, nullable=False),
    sa.Column("next_at", sa.Float, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("refusals", sa.Integer, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("last_error", sa.String),
    sa.Index("async_events_due", "state", "next_at"),
)


def insert_event(connection: Connection, event: AsyncEvent) -> None:
    """Accept the event."""
    connection.execute(
        sa.insert(ASYNC_EVENTS).values(
            id=event.id,
            account=event.scope.account,
            region=event.scope.region,
            function=event.function,
            qualifier=event.qualifier,
            payload=event.payload,
            invoked_arn=event.invoked_arn,
            client_context=event.client_context,
            trace_header=event.trace_header,
            accepted_at=event.accepted_at,
            next_at=event.next_at,
            attempts=event.attempts,
            refusals=event.refusals,
            state=event.state,
            last_error=event.last_error,
        )
    )


def due_events(connection: Connection, now: float, limit: int) -> list[AsyncEvent]:
    """The waiting events whose time has come, oldest first."""
    rows = connection.execute(
        sa.select(ASYNC_EVENTS)
        .where(ASYNC_EVENTS.c.state == EventState.WAITING, ASYNC_EVENTS.c.next_at <= now)
        .order_by(ASYNC_EVENTS.c.next_at)
        .limit(limit)
    )
    return [_event(dict(row)) for row in rows.mappings()]


def delete_event(connection: Connection, event_id: str) -> None:
    """The event was delivered."""
    connection.execute(sa.delete(ASYNC_EVENTS).where(ASYNC_EVENTS.c.id == event_id))


def reschedule_event(
    connection: Connection, event_id: str, *, next_at: float, attempts: int, refusals: int, last_error: str | None
) -> None:
    """Deliver it again later."""
    connection.execute(
        sa.update(ASYNC_EVENTS)
        .where(ASYNC_EVENTS.c.id == event_id)
        .values(next_at=next_at, attempts=attempts, refusals=refusals, last_error=last_error)
    )


def exhaust_event(connection: Connection, event_id: str, *, attempts: int, last_error: str | None) -> None:
    """Give up delivering, keep the event."""
    connection.execute(
        sa.update(ASYNC_EVENTS)
        .where(ASYNC_EVENTS.c.id == event_id)
        .values(state=EventState.EXHAUSTED, attempts=attempts, last_error=last_error)
    )


def _event(values: dict[str, Any]) -> AsyncEvent:
    scope = Scope(values.pop("account"), values.pop("region"))
    state = EventState(values.pop("state"))
    return AsyncEvent(scope=scope, state=state, **values)
