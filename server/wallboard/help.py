"""Requests for help: asked by tellers, or by the house when a call runs over its time limit."""

import asyncio
from datetime import timedelta

import structlog
from redis.exceptions import RedisError
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from core.db import Database
from core.errors import ConflictError, DeniedError, NotFoundError
from core.events import HelpAnswered, HelpRequested, TellersTold
from core.figures.definitions import DEFAULT_LIMIT_S
from core.ids import new_id
from core.models.call import Call
from core.models.oversight import HelpRequest
from core.models.staff import Staff
from core.security.actor import Actor, system_actor
from core.tasks import OnCrash, TaskOwner
from server.wallboard.facts import RUNNING
from server.wallboard.live import LiveBoard
from server.wallboard.schemas import HelpView

log = structlog.get_logger(__name__)

WATCH_S = 5.0


class HelpDesk:
    """The only writer of `HelpRequest`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(self, actor: Actor, call_id: str | None, message: str) -> HelpView:
        """A teller asks; the open request is returned when there is one.

        Raises:
            NotFoundError: ``call.not_found``, also for somebody else's call.
        """
        teller_id = _staff(actor)
        async with self._database.unit_of_work(actor) as work:
            if call_id is not None:
                call = await work.session.get(Call, call_id)
                if call is None or call.teller_id != teller_id:
                    raise NotFoundError("there is no such call", code="call.not_found")
            open_one = select(HelpRequest).where(
                col(HelpRequest.teller_id) == teller_id,
                col(HelpRequest.kind) == "help",
                col(HelpRequest.answered_at).is_(None),
            )
            # Two clicks at once are one request.
            await work.session.get_one(Staff, teller_id, with_for_update=True)
            row = (await work.session.scalars(open_one)).first()
            if row is None:
                now = work.clock.now()
                row = HelpRequest(
                    id=new_id("help"), kind="help", teller_id=teller_id, call_id=call_id, message=message, at=now
                )
                work.session.add(row)
                work.emit(HelpRequested(at=now, help_id=row.id, kind="help", teller_id=teller_id, call_id=call_id))
                work.audit("help.ask", "help", row.id, call=call_id)
        return HelpView.model_validate(row, from_attributes=True)

    async def overtime(self, call_id: str, teller_id: str) -> bool:
        """The house asks for a call over its limit, once per call. Returns whether it was the first time."""
        async with self._database.unit_of_work(system_actor("wallboard")) as work:
            now = work.clock.now()
            row = insert(HelpRequest).values(
                id=new_id("help"), kind="overtime", teller_id=teller_id, call_id=call_id, message="", at=now
            )
            once = row.on_conflict_do_nothing(
                index_elements=["call_id"], index_where=col(HelpRequest.kind) == "overtime"
            )
            help_id = (await work.session.scalars(once.returning(col(HelpRequest.id)))).first()
            if help_id is None:
                return False
            work.emit(HelpRequested(at=now, help_id=help_id, kind="overtime", teller_id=teller_id, call_id=call_id))
            work.audit("help.overtime", "help", help_id, call=call_id)
        return True

    async def answer(self, actor: Actor, help_id: str) -> HelpView:
        """A supervisor takes it.

        Raises:
            NotFoundError: ``help.not_found``. ConflictError: ``help.taken`` when somebody else was faster.
            DeniedError: ``help.own`` – nobody helps themselves.
        """
        supervisor_id = _staff(actor)
        async with self._database.unit_of_work(actor) as work:
            row = await work.session.get(HelpRequest, help_id, with_for_update=True)
            if row is None:
                raise NotFoundError("there is no such request", code="help.not_found")
            if row.teller_id == supervisor_id:
                raise DeniedError("somebody else has to help", code="help.own")
            if row.answered_by is not None and row.answered_by != supervisor_id:
                raise ConflictError("somebody else is at it", code="help.taken")
            if row.answered_at is None:
                name = (await work.session.get_one(Staff, supervisor_id)).display_name
                now = work.clock.now()
                row.answered_by, row.answered_at = supervisor_id, now
                work.emit(HelpAnswered(at=now, help_id=help_id, teller_id=row.teller_id, by_name=name))
                work.audit("help.answer", "help", help_id, call=row.call_id)
        return HelpView.model_validate(row, from_attributes=True)

    async def tell_tellers(self, actor: Actor, text: str) -> None:
        """Say something to all tellers; it stands on their consoles until they have read it."""
        async with self._database.unit_of_work(actor) as work:
            name = (await work.session.get_one(Staff, _staff(actor))).display_name
            work.emit(TellersTold(at=work.clock.now(), by_name=name, text=text))
            work.audit("tellers.tell", "staff", "all", text=text)


class OvertimeWatch:
    """Calls a supervisor to every call that runs over its limit (限时办结)."""

    def __init__(self, live: LiveBoard, desk: HelpDesk, database: Database, on_crash: OnCrash | None = None) -> None:
        self._live = live
        self._desk = desk
        self._clock = database.clock
        self._asked: set[str] = set()
        self._owner = TaskOwner("overtime watch", on_crash)

    async def start(self) -> None:
        """Begin to watch."""
        self._owner.start("watch", self._run())

    async def close(self) -> None:
        """Stop watching."""
        await self._owner.close()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(WATCH_S)
            try:
                await self.look()
            except (SQLAlchemyError, RedisError, OSError) as error:
                log.warning("overtime watch failed", error=str(error))

    async def look(self) -> None:
        """One look at the running calls."""
        board, now = self._live.board, self._clock.now()
        running = [call for call in board.calls.values() if call.state in RUNNING]
        self._asked &= {call.call_id for call in running}
        for call in running:
            limit = timedelta(seconds=board.limits_s.get(call.business_code, DEFAULT_LIMIT_S))
            over = call.accepted_at is not None and now - call.accepted_at > limit
            if over and call.teller_id is not None and call.call_id not in self._asked:
                self._asked.add(call.call_id)
                await self._desk.overtime(call.call_id, call.teller_id)


def _staff(actor: Actor) -> str:
    if actor.staff_id is None:
        raise DeniedError("only staff may do this")
    return actor.staff_id
