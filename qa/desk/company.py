"""Who else was in a call, and when it went into other hands: marks on the inspector's time line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.events import Event, GuestJoined, GuestLeft, GuestModeChanged, event_from_json
from core.models.call import Call
from core.models.handover import CallLeg
from core.models.recording import Recording
from core.models.staff import Staff
from core.models.system import OutboxEvent
from qa.desk.schemas import CompanyKind, CompanyView

_FACTS = (GuestJoined.__name__, GuestModeChanged.__name__, GuestLeft.__name__)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Somebody of the staff was in the call in one way."""

    kind: CompanyKind
    staff_id: str
    begin: datetime
    end: datetime


def stretches(facts: Sequence[Event], ended_at: datetime) -> list[Stretch]:
    """Facts of one call in order, as stretches of one way each: a supervisor may go from monitor to barge."""
    here: dict[str, Stretch] = {}
    done: list[Stretch] = []
    for fact in facts:
        if not isinstance(fact, GuestJoined | GuestModeChanged | GuestLeft):
            continue
        before = here.pop(fact.guest_id, None)
        if before is not None:
            done.append(Stretch(before.kind, before.staff_id, before.begin, fact.at))
        if isinstance(fact, GuestJoined):
            kind: CompanyKind = "expert" if fact.seat == "expert" else fact.mode
            here[fact.guest_id] = Stretch(kind, fact.staff_id, fact.at, ended_at)
        elif isinstance(fact, GuestModeChanged) and before is not None:
            here[fact.guest_id] = Stretch(fact.mode, fact.staff_id, fact.at, ended_at)
    return sorted([*done, *here.values()], key=lambda each: each.begin)


async def company_views(session: AsyncSession, call: Call, recording: Recording | None) -> list[CompanyView]:
    """Guests and hand-overs on the time line; none without a recording, which gives the time line its zero."""
    if recording is None:
        return []
    stored = select(OutboxEvent).where(col(OutboxEvent.call_id) == call.id, col(OutboxEvent.type).in_(_FACTS))
    rows = (await session.scalars(stored.order_by(col(OutboxEvent.seq)))).all()
    guests = stretches([event_from_json(row.type, row.payload) for row in rows], call.ended_at or recording.started_at)
    own_legs = select(CallLeg).where(col(CallLeg.call_id) == call.id).order_by(col(CallLeg.began_at), col(CallLeg.id))
    legs = (await session.scalars(own_legs)).all()
    people = {each.staff_id for each in guests} | {leg.teller_id for leg in legs}
    known = (await session.scalars(select(Staff).where(col(Staff.id).in_(people)))).all()
    names = {staff.id: staff.display_name for staff in known}

    def second(at: datetime) -> float:
        return round(max(0.0, (at - recording.started_at).total_seconds()), 3)

    views = [
        CompanyView(kind=each.kind, name=names.get(each.staff_id, ""), from_s=second(each.begin), to_s=second(each.end))
        for each in guests
    ]
    for before, after in pairwise(legs):
        at_s = second(after.began_at)
        who = f"{names.get(before.teller_id, '')} → {names.get(after.teller_id, '')}"
        views.append(CompanyView(kind="handover", name=who, from_s=at_s, to_s=at_s))
    return sorted(views, key=lambda each: each.from_s)
