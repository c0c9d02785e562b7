"""The moves of a call: the only place that changes its state."""

from collections.abc import Collection, Mapping
from datetime import datetime

import structlog
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.alarms import raise_alarm
from core.db import Database, UnitOfWork
from core.errors import ConflictError, CounterError, NotFoundError
from core.events import CallConnected, CallEnded, CallQueued, CallWrappedUp
from core.ids import new_id
from core.models.call import Call, CallState, EndReason
from core.models.visit import Visit
from core.ports.call_views import (
    UNSPECIFIED,
    Channel,
    CustomerCall,
    DeclaredClass,
    Disposition,
    HandoverNote,
    TellerCall,
)
from core.ports.calls import CallViews, QueueEntry, QueuePlace, TellerDesk
from core.security.actor import Actor, system_actor
from core.security.permissions import Permission
from core.tasks import TaskOwner
from server.calls import rows
from server.calls.guest_rows import end_guests
from server.calls.handover import handover_notes
from server.calls.hold import end_hold
from server.calls.legs import begin_leg, end_leg
from server.calls.media import MediaDesk
from server.calls.reschedule import kept_points, refuse_while_stopped
from server.calls.seats import SeatBoard, verdict
from server.calls.states import ENDED, RUNNING, WAITING, move, state_after_end
from server.calls.views import CallViewer
from server.calls.warm import WarmBook

log = structlog.get_logger(__name__)


class CallService:
    """Implements `core.ports.calls.CallDesk` (for the sockets) and `CallMoves` (for the dispatcher)."""

    def __init__(
        self,
        database: Database,
        media: MediaDesk,
        desk: TellerDesk,
        viewer: CallViewer,
        door: QueueEntry,
        board: SeatBoard,
        warm: WarmBook,
        rejoin_s: float,
    ) -> None:
        """`rejoin_s`: how long a lost party's seat is kept."""
        self._database = database
        self._media = media
        self._desk = desk
        self._viewer = viewer
        self._door = door
        self._board = board
        self._warm = warm
        self._rejoin_s = rejoin_s
        self._system = system_actor("calls")
        self._owner = TaskOwner("calls media")

    async def close(self) -> None:
        """Stop what still talks to media nodes."""
        await self._owner.close()

    # --- the customer -------------------------------------------------------------------------------------------

    async def join(
        self, actor: Actor, declared: DeclaredClass | None = None, channel: Channel = "video"
    ) -> CustomerCall:
        """Join the queue; see `CallDesk.join`."""
        async with self._database.unit_of_work(actor) as work:
            visit = await rows.lock_visit(work.session, rows.visit_of(actor))
            call = await rows.newest_call(work.session, visit.id)
            if call is None or call.state in ENDED:
                call = await self._queue(work, visit, declared, channel, kept_points(call))
        async with self._database.read() as session:
            return await self._viewer.customer(session, call)

    async def _queue(
        self, work: UnitOfWork, visit: Visit, declared: DeclaredClass | None, channel: Channel, points: int
    ) -> Call:
        entrance = await rows.entrance(work.session, visit)
        business = entrance.business
        refuse_while_stopped(entrance.emergency)
        if not business.enabled:
            raise ConflictError("this business is not offered right now", code="business.closed")
        # Every call with sound and picture is recorded, whatever its business: nobody is recorded unasked.
        if channel == "video" and not entrance.consented:
            raise ConflictError("calls are recorded, which needs consent", code="consent.required")
        reserved = await self._warm.take(visit.id)
        now = work.clock.now()
        admission = await self._door.admit(work.session, visit.id, business, declared, now)
        call = Call(
            id=reserved or new_id("call"),
            visit_id=visit.id,
            business_code=visit.business_code,
            language=visit.language,
            state=CallState.QUEUED,
            queued_at=admission.queued_at,
            priority=admission.priority + points,
            channel=channel,
            customer_class=admission.customer_class,
            class_source=admission.class_source,
            skill_group=business.skill_group,
            media_node=await self._warm.node_of(reserved) if reserved else None,
        )
        work.session.add(call)
        await work.session.flush()
        queued = CallQueued(at=now, call_id=call.id, business_code=call.business_code, number=call.number)
        work.emit(queued)
        who = {"customer_class": call.customer_class, "class_source": call.class_source}
        work.audit("call.join", "call", call.id, visit=visit.id, number=call.number, channel=channel, **who)
        return call

    async def leave(self, actor: Actor, reason: EndReason = EndReason.CUSTOMER_LEFT_QUEUE) -> None:
        """Leave the queue; see `CallDesk.leave`."""
        async with self._database.read() as session:
            call = await rows.newest_call(session, rows.visit_of(actor))
        if call is None or call.state in ENDED:
            raise ConflictError("there is no call that waits", code="call.none")
        if not await self._end(actor, call.id, reason, WAITING):
            raise ConflictError("the call has been answered; hang up instead", code="call.running")

    async def snapshot(self, actor: Actor) -> CustomerCall | None:
        """The visit's newest call."""
        async with self._database.read() as session:
            call = await rows.newest_call(session, rows.visit_of(actor))
            return await self._viewer.customer(session, call) if call else None

    # --- both sides ---------------------------------------------------------------------------------------------

    async def hang_up(self, actor: Actor, call_id: str | None = None) -> None:
        """End the call; see `CallDesk.hang_up`."""
        async with self._database.read() as session:
            if actor.visit_id is None and call_id is not None:
                call: Call | None = await rows.access_call(session, actor, call_id)
                reason = EndReason.TELLER_HUNG_UP
            else:
                call = await rows.newest_call(session, rows.visit_of(actor))
                reason = EndReason.CUSTOMER_HUNG_UP
        if call is None:
            raise ConflictError("there is no call", code="call.none")
        if await self._end(actor, call.id, reason, RUNNING) or actor.visit_id is None:
            return
        await self._end(actor, call.id, EndReason.CUSTOMER_LEFT_QUEUE, WAITING)

    async def end(self, call_id: str, reason: EndReason) -> bool:
        """The house itself ends a call. Returns False when it had ended already."""
        return await self._end(self._system, call_id, reason, WAITING | RUNNING)

    async def reschedule_waiting(self, actor: Actor) -> int:
        """Send everybody who waits away; see `core.ports.wallboard.QueueClearing`."""
        actor.require(Permission.EMERGENCY_SWITCH)
        async with self._database.read() as session:
            waiting = await rows.calls_in(session, WAITING)
        return sum([await self._end(actor, call.id, EndReason.RESCHEDULED, WAITING) for call in waiting])

    async def _end(self, actor: Actor, call_id: str, reason: EndReason, states: frozenset[CallState]) -> bool:
        async with self._database.unit_of_work(actor) as work:
            call = await rows.lock_call(work.session, call_id)
            if call.state not in states:
                return False
            now = work.clock.now()
            before = call.state
            move(call, state_after_end(CallState(call.state)))
            call.ended_at, call.end_reason = now, reason
            had = await end_leg(work.session, call.id, "end", now)
            call.teller_id = call.teller_id or had  # one who is being handed on belongs to whoever had it last
            end_hold(call, now)
            call.sharing = False
            if call.state == CallState.CLOSED:
                call.closed_at = now
            await work.session.flush()
            answered = call.accepted_at is not None
            ended = CallEnded(at=now, call_id=call.id, reason=reason, teller_id=call.teller_id, was_answered=answered)
            work.emit(ended)
            await end_guests(work, call, "call_ended", self._desk)
            await self._desk.call_over(work, call.id, call.teller_id)
            work.audit("call.end", "call", call.id, before=before, after=call.state, reason=reason)
        log.info("call ended", call_id=call_id, reason=reason)
        if reason is not EndReason.SYSTEM_RESTART:  # then its transports ended with their node
            self._owner.start("close media", self._close_media(call_id, reason))
        return True

    async def _close_media(self, call_id: str, reason: EndReason) -> None:
        try:
            await self._media.close(call_id, reason)
        except (CounterError, RedisError, OSError) as error:
            log.error("media of an ended call is not closed", call_id=call_id, error=str(error))
            async with self._database.unit_of_work(self._system) as work:
                raise_alarm(work, "media.close_failed", "the media of an ended call could not be closed", call_id)

    # --- the teller ---------------------------------------------------------------------------------------------

    async def teller_call(self, actor: Actor) -> TellerCall | None:
        """The teller's running call or the one in wrap-up."""
        states = [state.value for state in RUNNING] + [CallState.WRAP_UP.value]
        query = (
            select(Call)
            .where(col(Call.teller_id) == rows.teller_of(actor), col(Call.state).in_(states))
            .order_by(col(Call.number).desc())
            .limit(1)
        )
        async with self._database.read() as session:
            call = (await session.scalars(query)).first()
            return await self._viewer.teller(session, call) if call else None

    async def wrap_up(self, actor: Actor, call_id: str, disposition: Disposition, note: str) -> None:
        """File the disposition; see `CallDesk.wrap_up`."""
        teller_id = rows.teller_of(actor)
        async with self._database.unit_of_work(actor) as work:
            call = await rows.lock_call(work.session, call_id)
            if call.teller_id != teller_id:
                raise NotFoundError("there is no such call", code="call.not_found")
            if call.state == CallState.CLOSED and call.disposition == UNSPECIFIED:
                call.version += 1  # the clock was faster; the teller's word still counts
            elif call.state == CallState.WRAP_UP:
                await self._close_call(work, call, teller_id)
            else:
                raise ConflictError("this call is not in wrap-up", code="call.not_in_wrap_up")
            call.disposition, call.note = disposition, note
            now = call.closed_at or work.clock.now()
            work.emit(CallWrappedUp(at=now, call_id=call.id, teller_id=teller_id, disposition=disposition))
            work.audit("call.wrap_up", "call", call.id, disposition=disposition)

    async def handover(self, session: AsyncSession, call_id: str) -> list[HandoverNote]:
        """Notes of the tellers before; see `CallMoves.handover`."""
        return await handover_notes(session, call_id)

    async def expire_wrap_up(self, call_id: str) -> None:
        """The wrap-up time has passed; see `CallMoves.expire_wrap_up`."""
        async with self._database.unit_of_work(self._system) as work:
            call = await rows.lock_call(work.session, call_id)
            if call.state != CallState.WRAP_UP or call.teller_id is None:
                return
            await self._close_call(work, call, call.teller_id)
            call.disposition = UNSPECIFIED
            now = call.closed_at or work.clock.now()
            work.emit(CallWrappedUp(at=now, call_id=call.id, teller_id=call.teller_id, disposition=UNSPECIFIED))
            work.audit("call.wrap_up", "call", call.id, disposition=UNSPECIFIED)

    async def _close_call(self, work: UnitOfWork, call: Call, teller_id: str) -> None:
        move(call, CallState.CLOSED)
        call.closed_at = work.clock.now()
        await work.session.flush()
        await self._desk.wrap_up_done(work, call.id, teller_id)

    # --- offers (server.acd), inside its transactions -----------------------------------------------------------

    async def mark_offered(self, work: UnitOfWork, call_id: str, version: int) -> None:
        """A teller rings; see `CallMoves.mark_offered`."""
        call = await rows.lock_call(work.session, call_id)
        if call.version != version:
            raise ConflictError("the call has moved", code="call.stale")
        move(call, CallState.OFFERED)
        call.offered_at = work.clock.now()

    async def mark_requeued(self, work: UnitOfWork, call_id: str) -> None:
        """The offer came to nothing; see `CallMoves.mark_requeued`."""
        call = await rows.lock_call(work.session, call_id)
        if call.state == CallState.OFFERED:
            move(call, CallState.QUEUED)
            await work.session.flush()

    async def mark_accepted(self, work: UnitOfWork, call_id: str, teller_id: str) -> datetime:
        """A teller takes the call; see `CallMoves.mark_accepted`."""
        call = await rows.lock_call(work.session, call_id)
        move(call, CallState.ACCEPTED)
        now = work.clock.now()
        again = call.accepted_at is not None
        call.teller_id, call.teller_since, call.wanted_teller_id = teller_id, now, None
        call.accepted_at = call.accepted_at or now
        begin_leg(work.session, call.id, teller_id, now)
        # Before the facts are told: whatever they set off has time, the two people have not.
        if call.channel == "text":
            work.after_commit(lambda: self._connect_soon(call_id))
        else:
            work.after_commit(lambda: self.start_media(call_id, teller_id, again))
        return call.accepted_at

    def _connect_soon(self, call_id: str) -> None:
        self._owner.start("connect text", self._connect(call_id))

    def start_media(self, call_id: str, teller_id: str, again: bool) -> None:
        """Let media flow between the customer and this teller; a call whose media do not start is ended."""
        self._owner.start("start media", self._activate(call_id, teller_id, again))

    async def _activate(self, call_id: str, teller_id: str, again: bool) -> None:
        try:
            await self._media.activate(call_id, teller_id, again)
        except (CounterError, RedisError, OSError) as error:
            log.error("media does not start", call_id=call_id, error=str(error))
            async with self._database.unit_of_work(self._system) as work:
                raise_alarm(work, "media.start_failed", "the media of an accepted call could not be started", call_id)
            await self.end(call_id, EndReason.MEDIA_FAILED)
            return
        await self.judge_seats(call_id)  # both may be up already, from the warm-up

    # --- media and start-up -------------------------------------------------------------------------------------

    async def judge_seats(self, call_id: str) -> None:
        """Connect a call whose seats both have media; end one whose lost party did not come back in time."""
        async with self._database.read() as session:
            call = await session.get(Call, call_id)
        if call is not None:
            await self.judge(call)

    async def judge(self, call: Call) -> None:
        """As `judge_seats`, for a row just read."""
        if call.state not in RUNNING or call.accepted_at is None:
            return
        if call.channel == "text":  # nobody has media in it; its keeper looks at the pages
            if call.state == CallState.ACCEPTED:
                await self._connect(call.id)
            return
        seats = await self._board.seats(call.id)
        taken_at = call.teller_since or call.accepted_at
        said = verdict(CallState(call.state), taken_at, seats, self._database.clock.now(), self._rejoin_s)
        if said == "connect":
            await self._connect(call.id)
        elif said is not None:
            await self.end(call.id, said)

    async def _connect(self, call_id: str) -> None:
        async with self._database.unit_of_work(self._system) as work:
            call = await rows.lock_call(work.session, call_id)
            if call.state != CallState.ACCEPTED:
                return
            move(call, CallState.CONNECTED)
            now = work.clock.now()
            call.connected_at = call.connected_at or now
            work.emit(CallConnected(at=now, call_id=call.id))

    async def close_orphans(self, alive_nodes: Collection[str], started_at: datetime) -> list[str]:
        """End running calls whose media node is not alive any more (system restart). Returns their ids.

        Args:
            alive_nodes: Boot ids as stored in `Call.media_node`.
            started_at: Calls accepted later than this are none of the start-up's business.
        """
        async with self._database.read() as session:
            calls = await rows.calls_in(session, RUNNING)
        orphans = [
            call.id
            for call in calls
            if call.channel == "video"
            and call.media_node not in alive_nodes
            and call.accepted_at is not None
            and call.accepted_at < started_at
        ]
        return [call_id for call_id in orphans if await self.end(call_id, EndReason.SYSTEM_RESTART)]

    # --- views --------------------------------------------------------------------------------------------------

    async def views(self, call_id: str) -> CallViews | None:
        """Both sides' views."""
        async with self._database.read() as session:
            call = await session.get(Call, call_id)
            return await self._viewer.both(session, call) if call else None

    async def open_calls(self, visit_ids: Collection[str], line: Mapping[str, QueuePlace]) -> dict[str, CustomerCall]:
        """Views of the waiting and running calls among the visits, by visit."""
        async with self._database.read() as session:
            return await self._viewer.open_calls(session, visit_ids, line)

    async def line(self) -> Mapping[str, QueuePlace]:
        """Places of all who wait, by visit."""
        async with self._database.read() as session:
            return await self._viewer.line(session)
