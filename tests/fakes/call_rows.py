"""Rows of a finished call, as the rooms that own them would have written them."""

from datetime import timedelta
from itertools import count
from typing import Any

from core.db import Database
from core.ids import new_id
from core.models import (
    Business,
    Call,
    CallState,
    Recording,
    RecordingFile,
    RecordingState,
    Staff,
    Transcript,
    TranscriptKind,
    TranscriptSegment,
    TranscriptState,
    Visit,
)
from core.security.actor import system_actor
from core.security.passwords import hash_password
from server.counter.catalogue import seed_businesses

_numbers = count(1)
_HASH = hash_password("test password")

GOOD_TRANSFER = (
    ("teller", 2.0, 8.0, "您好，欢迎来到空中柜面，我是柜员1001号，很高兴为您服务。"),
    ("teller", 9.0, 14.0, "本次业务办理过程将全程录音录像，您是否同意？"),
    ("customer", 15.0, 17.0, "我同意。"),
    ("teller", 18.0, 22.0, "请您出示本人有效身份证件原件，并正对屏幕。"),
)


class CallRows:
    """Writes rows for one test database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._actor = system_actor("test")

    async def staff(self, username: str, *roles: str) -> Staff:
        """An account."""
        number = next(_numbers)
        row = Staff(
            id=new_id("staff"),
            username=username,
            display_name=f"{username}的姓名",
            staff_number=str(7000 + number),
            roles=list(roles),
            password_hash=_HASH,
            created_at=self.database.clock.now(),
        )
        async with self.database.unit_of_work(self._actor) as work:
            work.session.add(row)
        return row

    async def call(self, teller: Staff | None, business: str = "transfer", **changes: Any) -> Call:
        """A call of 90 s that ended well, with its visit; `changes` set other fields."""
        now = self.database.clock.now()
        visit_id = new_id("visit")
        fields: dict[str, Any] = {
            "id": new_id("call"),
            "number": next(_numbers),
            "visit_id": visit_id,
            "business_code": business,
            "language": "zh-CN",
            "state": CallState.CLOSED,
            "teller_id": teller.id if teller else None,
            "queued_at": now - timedelta(seconds=120),
            "accepted_at": now - timedelta(seconds=100),
            "connected_at": now - timedelta(seconds=95),
            "ended_at": now - timedelta(seconds=5),
            "end_reason": "customer_hung_up",
        }
        row = Call(**{**fields, **changes})
        async with self.database.unit_of_work(self._actor) as work:
            if await work.session.get(Business, business) is None:
                await seed_businesses(work)
            work.session.add(
                Visit(
                    id=visit_id,
                    business_code=business,
                    channel="web",
                    device="test",
                    address_class="loopback",
                    language="zh-CN",
                    created_at=now,
                )
            )
            await work.session.flush()
            work.session.add(row)
        return row

    async def recording(self, call: Call) -> Recording:
        """A finalized recording with a file of each side."""
        now = self.database.clock.now()
        row = Recording(
            id=new_id("rec"),
            call_id=call.id,
            state=RecordingState.FINALIZED,
            node_id="media-1",
            wrapped_key=b"key",
            started_at=call.accepted_at or now,
            gaps=[{"party": "customer", "from_s": 3.0, "to_s": 4.5, "reason": "transport_lost"}],
        )
        async with self.database.unit_of_work(self._actor) as work:
            work.session.add(row)
            await work.session.flush()
            for party in ("customer", "teller"):
                work.session.add(
                    RecordingFile(
                        id=new_id("file"),
                        recording_id=row.id,
                        call_id=call.id,
                        party=party,
                        object_key=f"secret/{party}",
                        offset_s=0.4,
                        duration_s=89.6,
                        video_codec="vp8",
                        audio_codec="opus",
                        width=640,
                        height=480,
                        size_b=1234,
                        sha256="0" * 64,
                        peaks=[0.1, 0.9],
                        created_at=now,
                    )
                )
        return row

    async def transcript(
        self,
        call: Call,
        turns: tuple[tuple[str, float, float, str], ...] = GOOD_TRANSFER,
        kind: TranscriptKind = TranscriptKind.FINAL,
        state: TranscriptState = TranscriptState.READY,
    ) -> None:
        """A transcript of each side with these turns."""
        now = self.database.clock.now()
        async with self.database.unit_of_work(self._actor) as work:
            for party in ("customer", "teller"):
                head = Transcript(
                    id=new_id("tr"),
                    call_id=call.id,
                    party=party,
                    kind=kind,
                    state=state,
                    created_at=now,
                    updated_at=now,
                )
                work.session.add(head)
                await work.session.flush()
                for who, start_s, end_s, text in turns:
                    if who == party:
                        work.session.add(
                            TranscriptSegment(
                                id=new_id("seg"),
                                transcript_id=head.id,
                                call_id=call.id,
                                party=party,
                                start_s=start_s,
                                end_s=end_s,
                                text=text,
                                words=[[start_s, end_s, text]],
                                level_db=-20.5,
                            )
                        )
