"""PostgreSQL: the truth. One use case is one unit of work: rows, audit entries and facts committed together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from core import audit
from core.bus import FACTS, Bus
from core.clock import Clock
from core.events import Event
from core.models.system import OutboxEvent
from core.security.actor import Actor

log = structlog.get_logger(__name__)


class UnitOfWork:
    """A running transaction.

    Attributes:
        session: The SQLAlchemy session. Services use it; they never commit themselves.
        actor: Who acts; named in every audit entry.
    """

    def __init__(self, session: AsyncSession, actor: Actor, clock: Clock) -> None:
        self.session = session
        self.actor = actor
        self.clock = clock
        self._events: list[Event] = []
        self._notes: list[audit.AuditNote] = []

    def emit(self, event: Event) -> None:
        """Record a fact; delivered after commit, dropped on rollback."""
        self._events.append(event)

    def audit(self, action: str, object_type: str, object_id: str, **detail: Any) -> None:
        """Write an audit entry in this transaction. `detail` holds JSON values, e.g. ``before=…, after=…``."""
        self._notes.append(audit.AuditNote(self.clock.now(), self.actor.name, action, object_type, object_id, detail))

    async def _write_books(self) -> None:
        for event in self._events:
            self.session.add(
                OutboxEvent(
                    event_id=event.event_id,
                    type=event.type,
                    call_id=getattr(event, "call_id", None),
                    payload=event.model_dump_json(),
                    at=event.at,
                )
            )
        await self.session.flush()
        if self._notes:
            await audit.append(self.session, self._notes)


class Database:
    """Connection pool and units of work."""

    def __init__(self, url: str, bus: Bus | None, clock: Clock, pool_size: int = 10) -> None:
        self.engine: AsyncEngine = create_async_engine(url, pool_size=pool_size, max_overflow=10, pool_pre_ping=True)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self._bus = bus
        self.clock = clock

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session for reading only; rolled back at the end."""
        async with self._sessions() as session:
            yield session

    @asynccontextmanager
    async def unit_of_work(self, actor: Actor) -> AsyncIterator[UnitOfWork]:
        """Commit everything at the end of the block, or nothing when it raises. Then announce the facts."""
        async with self._sessions() as session:
            work = UnitOfWork(session, actor, self.clock)
            async with session.begin():
                yield work
                await work._write_books()
        await self._announce(work._events)

    async def _announce(self, events: list[Event]) -> None:
        # Only the fast path: the outbox row is committed, so losing this message delays, it never loses.
        if self._bus is None:
            return
        for event in events:
            try:
                await self._bus.publish(FACTS, {"type": event.type, "payload": event.model_dump(mode="json")})
            except (RedisError, OSError) as error:
                log.warning("fact not announced live", type=event.type, error=str(error))

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()
