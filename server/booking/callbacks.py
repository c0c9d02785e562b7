"""Callbacks: somebody leaves the queue, keeps the place, and is told to come when it is nearly the turn."""

import secrets
from datetime import timedelta

import structlog
from sqlmodel import col, select

from core.db import Database, UnitOfWork
from core.errors import ConflictError, NotFoundError
from core.ids import new_id
from core.models.booking import Callback
from core.models.call import Call, CallState, EndReason
from core.models.visit import Visit
from core.ports.booking import QueueLeaving, SlotCalendar
from core.ports.notices import Notice, Notices, Recipient
from core.rate_limit import RateLimiter
from core.security.actor import Actor, system_actor
from core.security.keys import MasterKey, unwrap_key, wrap_key
from server.booking.appointments import masked

log = structlog.get_logger(__name__)

COME_WITHIN = timedelta(minutes=15)
LOOKED_AT = 100
PER_HOUR = 10


class CallbackBook:
    """The only writer of `Callback`."""

    def __init__(
        self,
        database: Database,
        calendar: SlotCalendar,
        leaving: QueueLeaving,
        notices: Notices,
        master_key: MasterKey,
        limiter: RateLimiter,
        public_url: str,
    ) -> None:
        self._database = database
        self._calendar = calendar
        self._leaving = leaving
        self._notices = notices
        self._master_key = master_key
        self._limiter = limiter
        self._public_url = public_url
        self._system = system_actor("booking")

    async def ask(self, actor: Actor, phone: str) -> None:
        """Leave the queue and keep the place.

        Raises:
            ConflictError: ``call.none``, ``call.running``.
        """
        await self._limiter.hit(f"callback:{actor.name}", PER_HOUR, 3600)
        async with self._database.unit_of_work(actor) as work:
            newest = select(Call).where(col(Call.visit_id) == (actor.visit_id or ""))
            call = (await work.session.scalars(newest.order_by(col(Call.number).desc()).limit(1))).first()
            if call is None or call.state not in (CallState.QUEUED, CallState.OFFERED):
                raise ConflictError("there is no call that waits", code="call.none")
            known = select(Callback.id).where(col(Callback.call_id) == call.id)
            if (await work.session.scalars(known)).first() is None:
                row_id = new_id("callback")
                row = Callback(
                    id=row_id,
                    code=secrets.token_urlsafe(18),
                    call_id=call.id,
                    visit_id=call.visit_id,
                    business_code=call.business_code,
                    skill_group=call.skill_group,
                    queued_at=call.queued_at,
                    priority=call.priority,
                    language=call.language,
                    contact=wrap_key(self._master_key, phone.encode(), row_id),
                    contact_masked=masked(phone),
                    state="waiting",
                    created_at=work.clock.now(),
                )
                work.session.add(row)
                work.audit("callback.ask", "call", call.id, callback=row_id)
        await self._leaving.leave(actor, EndReason.CALLBACK_ASKED)

    async def come_back(self, actor: Actor, code: str) -> None:
        """The visit takes up the kept place when it joins the queue.

        Raises:
            NotFoundError: ``callback.not_found``, also for another business. ConflictError: ``callback.over``.
        """
        async with self._database.unit_of_work(actor) as work:
            query = select(Callback).where(col(Callback.code) == code).with_for_update()
            row = (await work.session.scalars(query)).first()
            visit = await work.session.get(Visit, actor.visit_id or "")
            if row is None or visit is None or visit.business_code != row.business_code:
                raise NotFoundError("there is no such callback", code="callback.not_found")
            if row.state in ("waiting", "called"):
                row.state, row.returned_visit_id = "returned", visit.id
                work.audit("callback.return", "callback", row.id, visit=visit.id)
            elif row.returned_visit_id != visit.id:
                raise ConflictError("this callback is over", code="callback.over")

    async def look(self) -> int:
        """Tell those to come whose turn it nearly is; returns how many. Any number may run."""
        told = 0
        async with self._database.unit_of_work(self._system) as work:
            now = work.clock.now()
            query = select(Callback).where(col(Callback.state).in_(["waiting", "called"]))
            oldest = query.order_by(col(Callback.queued_at)).limit(LOOKED_AT).with_for_update(skip_locked=True)
            for row in (await work.session.scalars(oldest)).all():
                if row.state == "called":
                    if row.called_at is not None and row.called_at + COME_WITHIN <= now:
                        row.state = "expired"
                    continue
                rank_at = row.queued_at - timedelta(seconds=row.priority)
                if await self._calendar.may_come(work.session, row.skill_group, rank_at):
                    row.state, row.called_at = "called", now
                    await self._tell(work, row)
                    told += 1
        return told

    async def _tell(self, work: UnitOfWork, row: Callback) -> None:
        phone = unwrap_key(self._master_key, row.contact, row.id).decode()
        link = f"{self._public_url}/?business={row.business_code}&callback={row.code}"
        if row.language == "en":
            title, words = "It is your turn", f"A teller is free for you. Come back within 15 minutes: {link}"
        else:
            title, words = "轮到您了", f"柜员即将为您服务，请在 15 分钟内点开：{link}"
        notice = Notice("callback.turn", title, words, Recipient(phone=phone), row.call_id, row.id)
        await self._notices.queue(work, notice)
