"""Consultations in writing: a call without media and without a recording, until both sides go on by video."""

from collections.abc import Callable

from core.db import Database, UnitOfWork
from core.errors import ConflictError, NotFoundError
from core.events import CallChannelChanged
from core.models.call import Call, CallState
from core.models.visit import Visit
from core.ports.call_views import Channel
from core.security.actor import Actor
from server.calls import rows
from server.calls.states import ENDED, RUNNING, move

StartMedia = Callable[[str, str, bool], None]


class TextDesk:
    """Implements `core.ports.calls.TextCalls`."""

    def __init__(self, database: Database, start_media: StartMedia) -> None:
        """`start_media`: of the call service; takes the call, its teller, and whether it was silent until now."""
        self._database = database
        self._start_media = start_media

    async def ask_for_video(self, actor: Actor, call_id: str) -> None:
        """The teller asks the customer to go on by video; see `TextCalls.ask_for_video`."""
        teller_id = rows.teller_of(actor)
        async with self._database.unit_of_work(actor) as work:
            call = await rows.lock_call(work.session, call_id)
            if call.teller_id != teller_id:
                raise NotFoundError("there is no such call", code="call.not_found")
            if call.state not in RUNNING:
                raise ConflictError("the call is not running", code="call.not_running")
            if call.channel != "text":
                raise ConflictError("this call is by video already", code="call.not_text")
            if call.video_asked_at is None:
                call.video_asked_at = work.clock.now()
                _changed(work, call)

    async def decline_video(self, actor: Actor) -> None:
        """The customer would rather go on writing; see `TextCalls.decline_video`."""
        async with self._database.unit_of_work(actor) as work:
            call = await self._own(work, actor)
            if call.video_asked_at is not None:
                call.video_asked_at = None
                _changed(work, call)

    async def go_on_by_video(self, actor: Actor) -> None:
        """From now on it is a call like any other; see `TextCalls.go_on_by_video`."""
        async with self._database.unit_of_work(actor) as work:
            call = await self._own(work, actor)
            if call.channel == "video":
                return
            if call.state != CallState.CONNECTED or call.teller_id is None:
                raise ConflictError("the call is not running", code="call.not_running")
            visit = await work.session.get_one(Visit, call.visit_id)
            if not (await rows.entrance(work.session, visit)).consented:
                raise ConflictError("calls are recorded, which needs consent", code="consent.required")
            move(call, CallState.ACCEPTED)
            call.channel, call.video_asked_at = "video", None
            call.teller_since = work.clock.now()  # the time both have to bring their media up counts from here
            _changed(work, call)
            work.audit("call.channel", "call", call.id, before="text", after="video")
            teller_id, call_id = call.teller_id, call.id
            work.after_commit(lambda: self._start_media(call_id, teller_id, False))

    async def _own(self, work: UnitOfWork, actor: Actor) -> Call:
        newest = await rows.newest_call(work.session, rows.visit_of(actor))
        if newest is None or newest.state in ENDED:
            raise ConflictError("there is no call", code="call.none")
        return await rows.lock_call(work.session, newest.id)


def _changed(work: UnitOfWork, call: Call) -> None:
    call.version += 1
    asked = call.video_asked_at is not None
    channel: Channel = "text" if call.channel == "text" else "video"
    work.emit(CallChannelChanged(at=work.clock.now(), call_id=call.id, channel=channel, asked=asked))
