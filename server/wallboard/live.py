"""The board kept alive: built from PostgreSQL, then facts from the bus at once and from the outbox for certain."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import structlog
from redis.exceptions import RedisError
from sqlalchemy import func
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, or_, select

from core.bus import FACTS, Bus
from core.db import Database
from core.events import Event, event_from_json
from core.models.business import Business
from core.models.staff import Role, Staff
from core.models.system import OutboxEvent
from core.ports.wallboard import WallboardView
from core.tasks import OnCrash, TaskOwner
from server.wallboard.board import HEARD, Board
from server.wallboard.figures import Names, wallboard_view
from server.wallboard.snapshot import day_start, read_board

log = structlog.get_logger(__name__)

SWEEP_S = 2.0
LOOK_BACK = 200  # outbox rows read again in each sweep: a transaction may commit after a later numbered one
REMEMBERED = 5_000  # events known to be in the board already
RENEW_S = 20.0  # occupancy moves although nothing happens
RETRY_S = 1.0
_PASSING = (RedisError, SQLAlchemyError, OSError)


class LiveBoard:
    """One per edge. Every fact is taken in exactly once, whichever way it came first."""

    def __init__(self, database: Database, bus: Bus, timezone: str, on_crash: OnCrash | None = None) -> None:
        self._database = database
        self._bus = bus
        self._timezone = timezone
        self._board: Board | None = None
        self._names = Names()
        self._seq = 0
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._early: list[Event] = []  # heard before the board was there
        self._changed = asyncio.Event()
        self._ready = asyncio.Event()
        self._owner = TaskOwner("wallboard", on_crash)

    async def start(self) -> None:
        """Begin; returns when the board is there."""
        self._owner.start("listen", self._listen())
        self._owner.start("sweep", self._sweep_on())
        async with asyncio.timeout(30):
            await self._ready.wait()

    async def close(self) -> None:
        """Stop listening."""
        await self._owner.close()

    @property
    def board(self) -> Board:
        """What is known now; for reading only."""
        assert self._board is not None, "not started"
        return self._board

    async def view(self) -> WallboardView:
        """See `core.ports.wallboard.WallboardSource.view`."""
        await self._ready.wait()
        if self._unnamed():
            await self._read_names()
        return wallboard_view(self.board, self._names, self._database.clock.now())

    async def changes(self) -> AsyncIterator[WallboardView]:
        """See `core.ports.wallboard.WallboardSource.changes`."""
        while True:
            try:
                await asyncio.wait_for(self._changed.wait(), RENEW_S)
            except TimeoutError:
                log.debug("wallboard renewed without a change")
            self._changed.clear()
            yield await self.view()

    # --- facts --------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        while True:
            try:
                async with self._bus.subscribe(FACTS) as messages:
                    async for _, message in messages:
                        if message["type"] in HEARD:
                            self._take(Event.registry[message["type"]].model_validate(message["payload"]))
            except _PASSING as error:
                log.warning("wallboard lost the bus", error=str(error))
                await asyncio.sleep(RETRY_S)

    def _take(self, fact: Event) -> None:
        if self._board is None:
            self._early.append(fact)
        elif fact.event_id not in self._seen:
            self._remember(fact.event_id)
            self._board.apply(fact)
            self._changed.set()

    def _remember(self, event_id: str) -> None:
        self._seen[event_id] = None
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)

    async def _sweep_on(self) -> None:
        while True:
            try:
                await self._sweep()
            except _PASSING as error:
                log.warning("wallboard sweep failed", error=str(error))
            await asyncio.sleep(SWEEP_S)

    async def _sweep(self) -> None:
        """Whatever the bus has lost; a new board on a new day."""
        start = day_start(self._database.clock.now(), self._timezone)
        if self._board is None or self._board.day_start != start:
            await self._rebuild(start)
            return
        query = select(OutboxEvent).where(
            col(OutboxEvent.seq) > self._seq - LOOK_BACK, col(OutboxEvent.type).in_(HEARD)
        )
        async with self._database.read() as session:
            rows = (await session.scalars(query.order_by(col(OutboxEvent.seq)))).all()
        facts = [event_from_json(row.type, row.payload) for row in rows]
        if self._overtaken(facts):
            await self._rebuild(start)
            return
        self._seq = max([self._seq, *(row.seq or 0 for row in rows)])
        for fact in facts:
            self._take(fact)

    def _overtaken(self, facts: Sequence[Event]) -> bool:
        """Whether a lost fact's successor about the same call or teller is in: only the rows know better then."""
        later: set[str] = set()
        for fact in reversed(facts):
            about = {each for key in ("call_id", "teller_id") if (each := getattr(fact, key, None))}
            if fact.event_id in self._seen:
                later |= about
            elif about & later:
                return True
        return False

    async def _rebuild(self, start: datetime) -> None:
        async with self._database.read() as session:
            # One consistent picture: rows and the events that made them.
            await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            board = await read_board(session, start)
            newest = (await session.scalars(select(func.max(OutboxEvent.seq)))).first() or 0
            included = select(OutboxEvent.event_id).where(col(OutboxEvent.seq) > newest - REMEMBERED)
            seen = (await session.scalars(included.order_by(col(OutboxEvent.seq)))).all()
        self._seq = newest
        self._seen = OrderedDict.fromkeys(seen)
        self._board = board
        await self._read_names()
        for fact in self._early:
            self._take(fact)
        self._early.clear()
        self._ready.set()
        self._changed.set()

    # --- names --------------------------------------------------------------------------------------------------

    def _unnamed(self) -> bool:
        board = self.board
        return any(code not in self._names.businesses for code in board.queues) or any(
            teller_id not in self._names.tellers for teller_id in board.tellers
        )

    async def _read_names(self) -> None:
        shown = or_(col(Business.enabled).is_(True), col(Business.code).in_(list(self.board.queues)))
        businesses = select(Business).where(shown).order_by(col(Business.position))
        seen = or_(col(Staff.roles).contains([Role.TELLER.value]), col(Staff.id).in_(list(self.board.tellers)))
        tellers = select(Staff).where(seen).order_by(col(Staff.staff_number))
        async with self._database.read() as session:
            self._names = Names(
                {row.code: (row.name_zh, row.name_en) for row in (await session.scalars(businesses)).all()},
                {row.id: (row.display_name, row.staff_number) for row in (await session.scalars(tellers)).all()},
            )
