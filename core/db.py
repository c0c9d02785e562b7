"""PostgreSQL: the truth. One use case is one unit of work: rows, audit entries and facts committed together."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import structlog
from redis.exceptions import RedisError
from sqlalchemy import insert
from sqlalchemy.event import listen, listens_for
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import ORMExecuteState, Session

from core import audit
from core.bus import FACTS, Bus
from core.clock import Clock
from core.events import Event
from core.models.system import OutboxEvent
from core.security.actor import Actor

log = structlog.get_logger(__name__)

_OUTBOX = insert(OutboxEvent)
STATEMENTS_KEPT = 400
"""Prepared statements per connection. A process has a few hundred; one that is not kept costs two more round trips."""


class DatabaseAwayError(ConnectionError):
    """PostgreSQL cannot be reached, or does not take this connection: why is in the message."""


async def _connect(*args: Any, **kwargs: Any) -> Any:
    try:
        return await asyncpg.connect(*args, **kwargs)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DatabaseAwayError(f"no connection to the database: {error}") from error


CONNECT = {"async_creator_fn": _connect}
"""For `create_async_engine`, which lets the driver's own errors through when it connects: they become ours."""


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
        self._then: list[Callable[[], None]] = []

    def emit(self, event: Event) -> None:
        """Record a fact; delivered after commit, dropped on rollback."""
        self._events.append(event)

    def after_commit(self, act: Callable[[], None]) -> None:
        """Do something that cannot wait, once this is committed and before facts are announced; not on rollback.

        It must neither block nor fail, and be found again by somebody else when the process dies before it is done.
        """
        self._then.append(act)

    def audit(self, action: str, object_type: str, object_id: str, **detail: Any) -> None:
        """Write an audit entry in this transaction. `detail` holds JSON values, e.g. ``before=…, after=…``."""
        self._notes.append(audit.AuditNote(self.clock.now(), self.actor.name, action, object_type, object_id, detail))

    async def _write_books(self) -> None:
        await self.session.flush()
        if self._events:
            facts = [
                {
                    "event_id": event.event_id,
                    "type": event.type,
                    "call_id": getattr(event, "call_id", None),
                    "payload": event.model_dump_json(),
                    "at": event.at,
                }
                for event in self._events
            ]
            await self.session.execute(_OUTBOX, facts)
        if self._notes:
            await audit.append(self.session, self._notes)


class Database:
    """Connection pool and units of work."""

    def __init__(self, url: str, bus: Bus | None, clock: Clock, pool_size: int = 10) -> None:
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=10,
            pool_use_lifo=True,  # the connection that was used last has its statements prepared
            connect_args={"prepared_statement_cache_size": STATEMENTS_KEPT, **CONNECT},
        )
        listen(self.engine.sync_engine, "checkout", _refuse_closed)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        # Every statement sees what is committed when it begins, inside a transaction and without one: reading
        # without saves two round trips.
        without = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._reading = async_sessionmaker(without, expire_on_commit=False, sync_session_class=_ReadingSession)
        self._bus = bus
        self.clock = clock

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session for reading only. Each statement sees what is committed when it begins."""
        async with self._reading() as session:
            yield session

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A bare transaction for the house's own bookkeeping, such as deliveries: nobody acts, nothing is announced."""
        async with self._sessions() as session, session.begin():
            yield session

    @asynccontextmanager
    async def unit_of_work(self, actor: Actor) -> AsyncIterator[UnitOfWork]:
        """Commit everything at the end of the block, or nothing when it raises. Then announce the facts."""
        async with self._sessions() as session:
            work = UnitOfWork(session, actor, self.clock)
            async with session.begin():
                yield work
                await work._write_books()
        for act in work._then:
            act()
        await self._announce(work._events)

    async def _announce(self, events: list[Event]) -> None:
        # Only the fast path: the outbox row is committed, so losing this message delays, it never loses.
        if self._bus is None or not events:
            return
        facts = [{"type": event.type, "payload": event.model_dump(mode="json")} for event in events]
        try:
            await self._bus.publish(FACTS, *facts)
        except (RedisError, OSError) as error:
            log.warning("facts not announced live", types=[event.type for event in events], error=str(error))

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


class _ReadingSession(Session):
    """Refuses to write: without a transaction nothing could be taken back."""


@listens_for(_ReadingSession, "before_flush")
def _refuse_flush(session: Session, context: Any, instances: Any) -> None:
    raise RuntimeError("a session for reading cannot write; use a unit of work")


@listens_for(_ReadingSession, "do_orm_execute")
def _refuse_writing(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        raise RuntimeError("a session for reading cannot write; use a unit of work")


def _refuse_closed(connection: Any, record: Any, proxy: Any) -> None:
    """The pool opens another connection instead of one that the server has closed, e.g. because it was restarted.

    The driver knows without asking: a question before every use would be a round trip of its own.
    """
    if connection.driver_connection.is_closed():
        raise DisconnectionError("the server has closed this connection")
