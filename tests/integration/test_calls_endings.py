"""How calls end when something goes wrong, and what happens by itself."""

import asyncio
import itertools
from datetime import UTC, datetime
from typing import Any

import pytest
from counter import Counter, Page, compose, open_counter
from redis.asyncio import Redis
from sqlmodel import col, select

from core.bus import LIVE, Bus
from core.db import Database
from core.errors import CounterError, NotFoundError
from core.events import RecordingFailed, RecordingPaused, RecordingPauseEnded, RecordingResumed
from core.models import Alarm, AuditEntry, Call, Recording, RecordingState
from core.ports.recording import PauseRequest
from core.ports.speech import Party
from core.rate_limit import RateLimiter
from core.security.actor import customer_actor, staff_actor, system_actor
from core.settings import Settings
from server.calls.nodes import NodeBook
from server.calls.recording_flag import RecordingFlag
from server.calls.result import ResultReader
from server.calls.warm import WarmBook
from server.counter.schemas import ConsentRequest
from server.counter.service import CounterService
from server.counter.wordings import current_wording

_names = itertools.count()


async def accepted(counter: Counter) -> tuple[str, Page, Page]:
    """A call that a teller has just accepted: id, customer's and teller's pages."""
    teller = await counter.teller(f"teller{next(_names)}")
    customer = await counter.customer(await counter.add_visit())
    call_id = (await customer.ask("queue.join"))["call"]["call_id"]
    offer = await teller.see("offer.ring", call_id=call_id)
    await teller.ask("offer.accept", offer_id=offer["offer_id"])
    return call_id, customer, teller


async def test_no_consent_no_call(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        for business in ("transfer", "enquiry"):  # the second one may come without a picture, not without consent
            customer = await counter.customer(await counter.add_visit(business, consent=False))
            with pytest.raises(CounterError) as refused:
                await customer.ask("queue.join")
            assert refused.value.code == "consent.required"
            assert (await customer.ask("call.snapshot"))["call"] is None


async def test_who_takes_the_consent_to_recording_back_is_recorded_no_more(
    database: Database, bus: Bus, redis: Redis
) -> None:
    async with open_counter(database, bus, redis) as counter:
        visits = CounterService(database, RateLimiter(redis), "key", 60.0, counter.calls.service.hang_up)
        no = ConsentRequest(purpose="recording", wording_version=current_wording("recording").version, granted=False)

        async def refuse(call_id: str) -> Call:
            await visits.record_consent(customer_actor((await counter.call(call_id)).visit_id), no)
            return await counter.call(call_id)

        call_id, customer, _ = await accepted(counter)
        assert (await refuse(call_id)).end_reason == "customer_hung_up"
        await customer.see("call.state", end_reason="customer_hung_up")
        waiting = await counter.customer(await counter.add_visit())
        waits = (await waiting.ask("queue.join"))["call"]["call_id"]
        assert (await refuse(waits)).end_reason == "customer_left_queue"
        # A consultation in writing is not recorded: refusing the video's notice does not end it.
        writing = await counter.customer(await counter.add_visit(consent=False))
        writes = (await writing.ask("queue.join", channel="text"))["call"]["call_id"]
        assert (await refuse(writes)).ended_at is None


async def test_two_joins_at_once_are_one_call(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        visit_id = await counter.add_visit()
        pages = [await counter.customer(visit_id) for _ in range(2)]
        answers = await asyncio.gather(*(page.ask("queue.join") for page in pages for _ in range(3)))
        assert len({answer["call"]["call_id"] for answer in answers}) == 1


async def test_wrap_up_ends_by_itself(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis, wrap_up_s=0.3) as counter:
        call_id, customer, teller = await accepted(counter)
        await teller.ask("call.hangup", call_id=call_id)
        await customer.see("call.state", state="closed")
        await teller.see("call.state", state="closed")
        shown = (await teller.ask("presence.get"))["presence"]
        assert (shown["state"], shown["call_id"]) == ("ready", None)
        assert (await counter.call(call_id)).disposition == "unspecified"


async def test_media_that_does_not_start_ends_the_call_with_an_alarm(
    database: Database, bus: Bus, redis: Redis
) -> None:
    async with open_counter(database, bus, redis) as counter:
        counter.media.broken = {"activate", "close_call"}
        call_id, customer, teller = await accepted(counter)
        await customer.see("call.state", end_reason="media_failed")
        await teller.see("alarm", kind="media.start_failed", call_id=call_id)
        await teller.see("alarm", kind="media.close_failed", call_id=call_id)
        async with database.read() as session:
            kinds = (await session.scalars(select(Alarm.kind).where(col(Alarm.call_id) == call_id))).all()
        assert sorted(kinds) == ["media.close_failed", "media.start_failed"]


async def test_a_lost_party_may_come_back_or_the_call_ends(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis, rejoin_s=1.5) as counter:
        call_id, customer, teller = await accepted(counter)
        await counter.hang_together(call_id, "customer", "teller")
        await teller.see("call.state", state="connected")
        await counter.peer(call_id, "customer", "lost")
        await teller.see("media.notice", call_id=call_id, seat="customer", state="lost")
        await customer.see("media.notice", seat="customer", state="lost")
        await counter.peer(call_id, "customer", "connected", "p-new")
        await asyncio.sleep(2.0)  # longer than the seat would have been kept
        assert (await counter.call(call_id)).state == "connected"
        await counter.peer(call_id, "customer", "closed")  # the old transport, at last: means nothing
        await counter.peer(call_id, "customer", "lost", "p-new")
        ended = await teller.see("call.state", state="wrap_up")
        assert ended["end_reason"] == "customer_lost"


async def test_a_vanished_customer_loses_the_place_but_a_reload_does_not(
    database: Database, bus: Bus, redis: Redis
) -> None:
    async with open_counter(database, bus, redis, rejoin_s=1.5) as counter:
        stays, leaves = await counter.add_visit(), await counter.add_visit()
        page = await counter.customer(stays)
        kept = (await page.ask("queue.join"))["call"]["call_id"]
        gone = await counter.customer(leaves)
        lost = (await gone.ask("queue.join"))["call"]["call_id"]
        reloaded = await counter.customer(stays)  # the new socket is there before the old one goes
        await page.client.close()
        await gone.client.close()
        async with asyncio.timeout(8):
            while (await counter.call(lost)).state != "closed":
                await asyncio.sleep(0.1)
        assert (await counter.call(lost)).end_reason == "customer_lost"
        assert (await counter.call(kept)).state == "queued"
        assert (await reloaded.ask("call.snapshot"))["call"]["call_id"] == kept


async def test_a_failed_recording_shows_on_both_pages(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        call_id, customer, teller = await accepted(counter)
        async with database.unit_of_work(system_actor("test")) as work:
            now = work.clock.now()
            failed = RecordingFailed(at=now, call_id=call_id, recording_id="rec_1", stage="capture", reason="disk full")
            work.emit(failed)
        assert (await customer.see("call.state", recording_ok=False))["state"] == "accepted"
        await teller.see("call.state", recording_ok=False)
        async with database.unit_of_work(system_actor("test")) as work:
            now = work.clock.now()
            work.emit(RecordingResumed(at=now, call_id=call_id, recording_id="rec_1", reason="it writes again"))
        await customer.see("call.state", recording_ok=True)
        await teller.see("call.state", recording_ok=True)
        await RecordingFlag(database, bus).recording_changed(failed)  # the job comes late: the newest fact counts
        assert (await counter.call(call_id)).recording_ok


class FakePauses:
    """Implements `RecordingPauses`; remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[PauseRequest] = []

    async def set_pause(self, call_id: str, request: PauseRequest) -> datetime | None:
        self.asked.append(request)
        return datetime(2030, 1, 1, tzinfo=UTC) if request.on else None


async def test_a_secure_pause_is_the_tellers_and_shows_on_both_pages(
    database: Database, bus: Bus, redis: Redis
) -> None:
    async with open_counter(database, bus, redis) as counter:
        call_id, customer, teller = await accepted(counter)
        _, _, stranger = await accepted(counter)
        pauses = FakePauses()
        counter.calls.pauses._pauses = pauses
        answer = await teller.ask("recording.pause", call_id=call_id, on=True, parties=["customer"])
        assert answer["until"] == "2030-01-01T00:00:00Z"
        with pytest.raises(CounterError) as refused:
            await stranger.ask("recording.pause", call_id=call_id, on=False)
        assert refused.value.code == "call.not_found"
        assert [(one.on, one.parties) for one in pauses.asked] == [(True, (Party.CUSTOMER,))]
        until = datetime(2030, 1, 1, tzinfo=UTC)
        who: dict[str, Any] = {"call_id": call_id, "recording_id": "rec_1", "by": pauses.asked[0].by}
        async with database.unit_of_work(system_actor("test")) as work:
            now = work.clock.now()
            paused = RecordingPaused(at=now, parties=[Party.CUSTOMER], reason="pin", until=until, **who)
            work.emit(paused)
        for page in (customer, teller):
            await page.see("call.state", recording_paused_until="2030-01-01T00:00:00Z")
        async with database.unit_of_work(system_actor("test")) as work:
            work.emit(RecordingPauseEnded(at=work.clock.now(), expired=False, **who))
        for page in (customer, teller):
            await page.see("call.state", recording_paused_until=None)
        await RecordingFlag(database, bus).recording_changed(paused)  # the job comes late: the newest fact counts
        assert (await counter.call(call_id)).recording_paused_until is None
        async with database.read() as session:
            query = select(AuditEntry).where(col(AuditEntry.action) == "recording.pause")
            (entry,) = (await session.scalars(query)).all()
        assert (entry.object_id, entry.detail["on"], entry.detail["parties"]) == (call_id, True, ["customer"])


async def test_a_failed_recording_is_not_the_same_as_none(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        call_id, _, teller = await accepted(counter)
        async with database.unit_of_work(system_actor("test")) as work:
            row = Recording(
                id="rec_1",
                call_id=call_id,
                state=RecordingState.FAILED,
                node_id="media-1",
                wrapped_key=b"key",
                started_at=work.clock.now(),
                error="no media was received",
            )
            work.session.add(row)
        await teller.ask("call.hangup", call_id=call_id)
    inspector = staff_actor("staff_inspector", ["inspector"])
    result = await ResultReader(database).result(inspector, call_id)
    assert (result.stages.recording, result.error) == ("failed", "no media was received")


async def test_mode_of_transcription_and_captions(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        call_id, customer, teller = await accepted(counter)
        await teller.see("call.state", state="accepted")
        await bus.publish(LIVE, {"kind": "transcription", "call_id": call_id, "mode": "live"})
        await teller.see("call.state", transcription="live")
        words = {"kind": "caption", "call_id": call_id, "party": "teller", "start_s": 1.0, "end_s": 2.0, "final": True}
        await bus.publish(LIVE, words | {"text": "您好"})
        await teller.see("caption", call_id=call_id, text="您好")
        await customer.ask("captions.set", on=True)
        await bus.publish(LIVE, words | {"text": "请问"})
        seen = await customer.see("caption", text="请问")
        assert "call_id" not in seen
        assert all(payload["text"] != "您好" for name, payload in customer.pushed if name == "caption")
        node = {"rule_id": "closing", "label_zh": "结束语", "label_en": "Closing", "required": True, "done": False}
        await bus.publish(
            LIVE, {"kind": "script", "call_id": call_id, "nodes": [node | {"at_s": None}], "warnings": []}
        )
        await teller.see("script.state", call_id=call_id)
        reloaded = await counter.staff((await counter.call(call_id)).teller_id or "")
        await bus.publish(LIVE, words | {"text": "再见"})
        await reloaded.see("caption", text="再见")
        assert all(name != "script.state" for name, _ in customer.pushed)


async def test_orphans_are_closed_at_start(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        lost, customer, _ = await accepted(counter)
        kept, _, _ = await accepted(counter)
        nodes = NodeBook(database, WarmBook(redis))
        assert await nodes.set_media_node(lost, "boot-1") == "boot-1"
        assert await nodes.set_media_node(kept, "boot-2") == "boot-2"
        assert await nodes.set_media_node(kept, "boot-3") == "boot-2"
        assert await nodes.media_node_of(kept) == "boot-2"
        now = database.clock.now()
        assert await counter.calls.service.close_orphans({"boot-2"}, now) == [lost]
        ended = await customer.see("call.state", state="wrap_up")
        assert ended["end_reason"] == "system_restart"
        assert (await counter.call(kept)).state == "accepted"
        assert await nodes.set_media_node(kept, "boot-3", replacing="boot-2") == "boot-3"
        # A new edge finds by itself what died with its predecessor.
        fresh = compose(database, bus, redis, Settings(), nodes={"boot-4"})
        await fresh.calls.start()
        async with asyncio.timeout(5):
            while (await counter.call(kept)).end_reason != "system_restart":
                await asyncio.sleep(0.05)
        await fresh.calls.close()
        # A call that is only reserved has a node as well; the first of two who choose at the same moment decides.
        assert await nodes.media_node_of("call_none") is None
        assert await nodes.set_media_node("call_none", "boot-2") == "boot-2"
        assert await nodes.set_media_node("call_none", "boot-3") == "boot-2"
        assert await nodes.media_node_of("call_none") == "boot-2"


async def test_results_are_for_the_qa_desk_and_progress_for_the_customer(
    database: Database, bus: Bus, redis: Redis
) -> None:
    async with open_counter(database, bus, redis) as counter:
        call_id, _, teller = await accepted(counter)
        await teller.ask("call.hangup", call_id=call_id)
        visit_id = (await counter.call(call_id)).visit_id
    results = ResultReader(database)
    own = await results.result(customer_actor(visit_id), call_id)
    assert own.ended
    assert (own.stages.recording, own.score, own.transcript) == ("none", None, [])
    inspector = staff_actor("staff_inspector", ["inspector"])
    assert (await results.result(inspector, call_id)).end_reason == "teller_hung_up"
    for stranger in (customer_actor("visit_other"), staff_actor("staff_other", ["teller"])):
        with pytest.raises(NotFoundError):
            await results.result(stranger, call_id)


async def test_all_who_join_at_once_have_numbers_of_their_own(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        pages = [await counter.customer(await counter.add_visit()) for _ in range(6)]
        await asyncio.gather(*(page.ask("queue.join") for page in pages))
        async with database.read() as session:
            assert sorted((await session.scalars(select(Call.number))).all()) == [1, 2, 3, 4, 5, 6]
