"""Accepting an event: durable first, answered second. Rule: no 202 without a committed row."""

from dataclasses import dataclass

from penstock.core.bus import Bus
from penstock.events.model import AsyncEvent
from penstock.events.records import insert_event
from penstock.store.database import Store


@dataclass(frozen=True, slots=True)
class EventAccepted:
    """Bus fact: there may be something to deliver now."""


async def accept(store: Store, bus: Bus, event: AsyncEvent) -> None:
    """Store `event`; when this returns it survives a power cut. Commits of simultaneous callers are shared."""
    await store.write(lambda connection: insert_event(connection, event))
    bus.publish(EventAccepted())
