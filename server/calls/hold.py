"""What is switched by hand during a call: hold (the recording goes on), a shared screen, less picture."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from core.db import Database, UnitOfWork
from core.errors import ConflictError, DeniedError, NotFoundError
from core.events import CallHeld, CallResumed, ScreenShared, ScreenShareEnded
from core.models.call import Call
from core.ports.media import PARTIES, Profile, Seat
from core.security.actor import Actor
from server.calls.rows import lock_call, teller_of
from server.calls.states import RUNNING


def is_on_hold(call: Call) -> bool:
    """Whether the customer is waiting on hold now."""
    return bool(call.holds) and call.holds[-1]["to"] is None


def end_hold(call: Call, now: datetime) -> None:
    """Close the hold that is open, if one is."""
    if is_on_hold(call):
        call.holds = [*call.holds[:-1], {"from": call.holds[-1]["from"], "to": now.isoformat()}]


async def hold(database: Database, actor: Actor, call_id: str, on: bool, switch: Callable[[], Awaitable[None]]) -> None:
    """Put the teller's call on hold or take it up again; see `core.ports.calls.CallMedia.hold`.

    Args:
        switch: Makes the media node do it. Asked before the commit: what is stored has happened.
    """
    teller_id = teller_of(actor)
    async with database.unit_of_work(actor) as work:
        call = await _own_running(work, teller_id, call_id)
        if is_on_hold(call) == on:
            return
        now = work.clock.now()
        if on:
            call.holds = [*call.holds, {"from": now.isoformat(), "to": None}]
        else:
            end_hold(call, now)
        call.version += 1
        fact = CallHeld if on else CallResumed
        work.emit(fact(at=now, call_id=call.id, teller_id=teller_id))
        work.audit("call.hold" if on else "call.resume", "call", call.id)
        await work.session.flush()
        await switch()


async def share(database: Database, actor: Actor, call_id: str, on: bool) -> None:
    """Note that the teller shows a screen, or no longer does; see `core.ports.calls.CallMedia.share`."""
    teller_id = teller_of(actor)
    async with database.unit_of_work(actor) as work:
        call = await _own_running(work, teller_id, call_id)
        if call.sharing == on:
            return
        call.sharing = on
        call.version += 1
        fact = ScreenShared if on else ScreenShareEnded
        work.emit(fact(at=work.clock.now(), call_id=call.id, teller_id=teller_id))
        work.audit("call.share" if on else "call.unshare", "call", call.id)


async def limit_picture(
    database: Database,
    actor: Actor,
    call_id: str | None,
    seat: Seat,
    profile: Profile,
    switch: Callable[[str], Awaitable[None]],
) -> None:
    """Note that a party is to send less picture; see `core.ports.calls.CallMedia.limit_picture`.

    Args:
        call_id: None for a customer who has no call. switch: Makes the media node do it, before the commit.
    """
    if seat not in PARTIES or (actor.visit_id is not None and seat is not Seat.CUSTOMER):
        raise DeniedError("this camera is not yours to decide about")
    async with database.unit_of_work(actor) as work:
        if actor.visit_id is None:
            call = await _own_running(work, teller_of(actor), call_id or "")
        else:
            call = await lock_call(work.session, call_id or "")
            if call.visit_id != actor.visit_id:
                raise NotFoundError("there is no such call", code="call.not_found")
            if call.state not in RUNNING:
                raise ConflictError("the call is not running", code="call.not_running")
        work.audit("call.picture", "call", call.id, seat=seat.value, most=profile.value)
        await switch(call.id)


async def _own_running(work: UnitOfWork, teller_id: str, call_id: str) -> Call:
    call = await lock_call(work.session, call_id)
    if call.teller_id != teller_id:
        raise NotFoundError("there is no such call", code="call.not_found")
    if call.state not in RUNNING:
        raise ConflictError("the call is not running", code="call.not_running")
    if call.channel == "text":
        raise ConflictError("this call is in writing", code="call.text_only")
    return call
