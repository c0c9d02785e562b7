"""A running, recorded call with the counter room on it, for tests of business steps."""

from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from call_rows import CallRows
from redis.asyncio import Redis
from sqlmodel import col, select

from core.bus import Bus
from core.db import Database
from core.events import event_from_json
from core.ids import new_id
from core.models import Call, Consent, OutboxEvent, Recording, RecordingState
from core.ports.counter import CaseView, StepView
from core.rate_limit import RateLimiter
from core.security.actor import customer_actor, staff_actor, system_actor
from core.settings import Settings
from core.store import open_store
from server.counter import room as counter_room
from server.counter.catalogue import seed_businesses
from server.counter.flow_store import seed_flows

MASTER_KEY = b"m" * 32
ID_NUMBER = "110105199003074536"

PERSON = {"name": "王小明", "id_number": ID_NUMBER}
FORMS: dict[str, dict[str, Any]] = {
    "transfer": {
        **PERSON,
        "account": "6222021234567890123",
        "payee_name": "李华",
        "payee_account": "6222029876543210987",
        "amount": 8_000_000,
    },
    "account_opening": {
        **PERSON,
        "phone": "13800138000",
        "address": "北京市朝阳区和平路1号",
        "occupation": "employee",
        "purpose": "salary",
    },
}
FORMS["password_reset"] = {**PERSON, "account": "6222021234567890123", "phone": "13800138000"}
_names = count(1)


class Desk:
    """One call with its two people. `acts` as each of them."""

    def __init__(self, database: Database, room: counter_room.CounterRoom, call: Call) -> None:
        self.database = database
        self.room = room
        self.cases = room.cases
        self.call = call
        self.customer = customer_actor(call.visit_id)
        self.teller = staff_actor(call.teller_id or "", ["teller"])
        self.case: CaseView | None = None
        self.asked: set[str] = set()

    async def start(self, business: str) -> CaseView:
        """The teller begins a business."""
        self.case = await self.cases.start(self.teller, self.call.id, business)
        return self.case

    async def act(self, who: str, step: str, action: str, **inputs: Any) -> CaseView:
        """Somebody acts on the newest version; returns this side's view."""
        case = await self.seen(who)
        actor = self.customer if who == "customer" else self.teller
        return await self.cases.act(actor, case.case_id, step, case.version, action, inputs)

    async def seen(self, who: str) -> CaseView:
        """What this side sees now."""
        if who == "customer":
            case = await self.cases.customer_case(self.customer)
        else:
            case = await self.cases.teller_case(self.teller, self.call.id)
        assert case is not None
        return case

    async def step(self, key: str, who: str = "teller") -> StepView:
        """One step as this side sees it."""
        return next(step for step in (await self.seen(who)).steps if step.key == key)

    async def change_call(self, **changes: Any) -> None:
        """As server.calls would."""
        async with self.database.transaction() as session:
            call = await session.get_one(Call, self.call.id)
            for name, value in changes.items():
                setattr(call, name, value)


class PhoneFile:
    """The bank's file of phone numbers: one for everybody."""

    async def holds(self, id_number: str, phone: str) -> bool:
        return phone == FORMS["password_reset"]["phone"]


def build_room(database: Database, bus: Bus, redis: Redis, folder: Path, **settings: Any) -> counter_room.CounterRoom:
    """The room as an edge or a worker has it."""
    return counter_room.build(
        database,
        bus,
        open_store(None, folder),
        MASTER_KEY,
        Settings.model_validate({"data_dir": folder, **settings}),
        RateLimiter(redis),
        phone_book=PhoneFile(),
    )


async def open_desk(database: Database, room: counter_room.CounterRoom, business: str = "transfer") -> Desk:
    """A running call that is recorded with consent."""
    rows = CallRows(database)
    teller = await rows.staff(f"teller{next(_names)}", "teller")
    async with database.unit_of_work(system_actor("test")) as work:
        await seed_businesses(work)
        await seed_flows(work)
    call = await rows.call(teller, business, state="connected", ended_at=None, end_reason=None)
    now = database.clock.now()
    async with database.unit_of_work(system_actor("test")) as work:
        work.session.add(
            Consent(
                id=new_id("consent"),
                visit_id=call.visit_id,
                purpose="recording",
                wording_version="1",
                wording_sha256="0" * 64,
                granted=True,
                at=now,
            )
        )
        work.session.add(
            Recording(
                id=new_id("rec"),
                call_id=call.id,
                state=RecordingState.CAPTURING,
                node_id="media-1",
                wrapped_key=b"key",
                started_at=now - timedelta(seconds=90),
            )
        )
    return Desk(database, room, call)


async def hand_in(
    desk: Desk, step: str, code: str, content: bytes, who: str = "customer", kind: str = "image/jpeg"
) -> str:
    """Upload as this side would; returns the document's id."""
    case = await desk.seen(who)
    actor = desk.customer if who == "customer" else desk.teller
    return await desk.room.documents.hand_in(actor, case.case_id, step, code, "camera", content, kind)


async def let_jobs_run(desk: Desk, again: bool = False) -> int:
    """As a worker would: every question asked and not yet answered, one after the other. How many there were."""
    async with desk.database.read() as session:
        query = select(OutboxEvent).where(col(OutboxEvent.type) == "CaseQuestionAsked").order_by(col(OutboxEvent.seq))
        rows = (await session.scalars(query)).all()
    todo = [row for row in rows if again or row.event_id not in desk.asked]
    for row in todo:
        desk.asked.add(row.event_id)
        for subscription in desk.room.subscriptions:
            if subscription.event.__name__ == row.type:
                await subscription.handler(event_from_json(row.type, row.payload))
    return len(todo)
