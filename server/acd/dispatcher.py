"""Rings: one dispatcher at a time, woken by facts and every second."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from core.bus import FACTS, Bus
from core.db import Database
from core.errors import ConflictError
from core.models.call import CallOffer, TellerPresence, TellerState
from core.ports.calls import CallMoves, Connections
from core.tasks import OnCrash, TaskOwner
from server.acd.decide import decide
from server.acd.lease import Lease
from server.acd.queue import read_snapshot
from server.acd.service import AcdService

log = structlog.get_logger(__name__)

TICK_S = 1.0
GONE_S = 10.0  # a console that has been away for so long is off duty; a reload takes two seconds
_WAKING = frozenset({"CallQueued", "CallEnded", "CallWrappedUp", "OfferLapsed", "CallTransferred"})
_PASSING = (RedisError, SQLAlchemyError, OSError)  # engines restarting; the next tick finds everything again


class Dispatcher:
    """Pairs waiting calls with ready tellers, lets offers lapse, ends wrap-ups, notices consoles that are gone."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        lease: Lease,
        service: AcdService,
        calls: CallMoves,
        connections: Connections,
        wrap_up_s: float,
        on_crash: OnCrash | None = None,
    ) -> None:
        self._database = database
        self._bus = bus
        self._lease = lease
        self._service = service
        self._calls = calls
        self._connections = connections
        self._wrap_up_s = wrap_up_s
        self._gone: dict[str, float] = {}  # teller → monotonic seconds since no console is connected
        self._wake = asyncio.Event()
        self._listening = asyncio.Event()
        self._owner = TaskOwner("dispatcher", on_crash)

    async def start(self) -> None:
        """Begin; returns once facts are heard."""
        self._owner.start("listen", self._listen())
        self._owner.start("dispatch", self._run())
        async with asyncio.timeout(10):
            await self._listening.wait()

    async def close(self) -> None:
        """Stop, and let another process take over at once."""
        await self._owner.close()
        try:
            await self._lease.release()
        except _PASSING as error:
            log.warning("lease not released", error=str(error))

    async def _listen(self) -> None:
        while True:
            try:
                async with self._bus.subscribe(FACTS) as messages:
                    self._listening.set()
                    async for _, message in messages:
                        if _wakes(message):
                            self._wake.set()
            except _PASSING as error:
                log.warning("dispatcher lost the bus", error=str(error))
                await asyncio.sleep(TICK_S)

    async def _run(self) -> None:
        next_tick_s = 0.0
        while True:
            self._wake.clear()
            try:
                if await self._lease.hold():
                    await self.dispatch()
                    if self._database.clock.monotonic_s() >= next_tick_s:
                        next_tick_s = self._database.clock.monotonic_s() + TICK_S
                        await self.housekeep()
            except _PASSING as error:
                log.warning("dispatcher pass failed", error=str(error))
            try:
                await asyncio.wait_for(self._wake.wait(), TICK_S)
            except TimeoutError:
                continue

    async def dispatch(self) -> int:
        """One look at queue and tellers. Returns how many phones began to ring."""
        now = self._database.clock.now()
        async with self._database.read() as session:
            snapshot = await read_snapshot(session, now)
        if not snapshot.tellers or not (snapshot.queues or snapshot.handed):
            return 0
        online = await self._connections.online_staff({teller.teller_id for teller in snapshot.tellers})
        reachable = tuple(teller for teller in snapshot.tellers if teller.teller_id in online)
        rung = 0
        for pairing in decide(replace(snapshot, tellers=reachable), now):
            try:
                await self._service.place(pairing)
                rung += 1
            except ConflictError as error:  # somebody was faster; their fact wakes us again
                log.debug("pairing is stale", call_id=pairing.call.call_id, code=error.code)
        return rung

    async def housekeep(self) -> None:
        """Lapse offers, end wrap-ups, note consoles that are gone."""
        now = self._database.clock.now()
        await self._lapse(now)
        async with self._database.read() as session:
            query = select(TellerPresence).where(col(TellerPresence.state) != TellerState.OFFLINE.value)
            present = (await session.scalars(query)).all()
        for row in present:
            over = now - row.since >= timedelta(seconds=self._wrap_up_s)
            if row.state == TellerState.WRAP_UP and row.call_id is not None and over:
                await self._calls.expire_wrap_up(row.call_id)
        await self._note_gone({row.staff_id for row in present if row.state in (TellerState.READY, TellerState.BREAK)})

    async def _lapse(self, now: datetime) -> None:
        query = select(CallOffer.id).where(col(CallOffer.outcome).is_(None), col(CallOffer.expires_at) <= now)
        async with self._database.read() as session:
            expired = (await session.scalars(query)).all()
        for offer_id in expired:
            try:
                await self._service.lapse(offer_id)
            except ConflictError as error:  # accepted or withdrawn in between
                log.debug("offer ended before it lapsed", offer_id=offer_id, code=error.code)

    async def _note_gone(self, staff_ids: set[str]) -> None:
        online = await self._connections.online_staff(staff_ids) if staff_ids else set()
        now = self._database.clock.monotonic_s()
        self._gone = {staff_id: self._gone.get(staff_id, now) for staff_id in staff_ids - online}
        for staff_id, since in self._gone.items():
            if now - since >= GONE_S:
                await self._service.leave_console(staff_id)


def _wakes(fact: dict[str, Any]) -> bool:
    """Whether something can be paired after a fact that could not before. Tellers who become busy change nothing."""
    if fact["type"] == "TellerStateChanged":
        return bool(fact["payload"]["state"] == TellerState.READY)
    return fact["type"] in _WAKING
