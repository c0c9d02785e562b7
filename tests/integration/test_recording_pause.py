"""Secure pause: nothing of the paused time is kept, and everybody can see that there was one."""

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import av
import numpy as np
import pytest
from aiohttp import web
from capture_house import MASTER_KEY, CaptureHouse, feed, stream
from rtp_streams import Packet, Publisher

from core.db import Database
from core.errors import ConflictError
from core.events import RecordingPaused, RecordingPauseEnded, RecordingStopped
from core.ports.media import SOUND_AND_PICTURE, MediaKind, MediaSink, Seat
from core.ports.recording import PauseRequest
from core.store import open_store
from recording.capture.control import HttpRecordingPauses, control_routes
from recording.capture.journal import JournalReader, RecordKind, journal_cipher, journals_in
from recording.capture.meta import read_meta
from recording.capture.pause import Gate
from recording.catalogue.service import Catalogue
from recording.finalize.service import Finalizer

SEATS = frozenset((Seat.CUSTOMER, Seat.TELLER))


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[CaptureHouse]:
    house = CaptureHouse(database, tmp_path / "journals")
    yield house
    await house.recorder.close()


class Ear:
    """Another subscriber, as the speech tap."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    kinds = SOUND_AND_PICTURE

    def on_rtp(self, kind: MediaKind, packet: bytes, arrival_ns: int) -> None:
        self.heard.append(packet)

    def on_sender_report(self, kind: MediaKind, ntp: int, rtp_timestamp: int) -> None:
        """Not of interest."""

    def close(self, reason: str) -> None:
        """Not of interest."""


def _part(packets: list[Packet], start_s: float, end_s: float) -> list[Packet]:
    return [packet for packet in packets if start_s <= packet.at_s < end_s]


async def _until(check: Callable[[], Awaitable[bool]], deadline_s: float = 5.0) -> None:
    async with asyncio.timeout(deadline_s):
        while not await check():
            await asyncio.sleep(0.02)


async def test_no_media_of_the_pause_in_journal_tap_or_file(
    house: CaptureHouse, database: Database, tmp_path: Path
) -> None:
    call = await house.call()
    # A beep is heard and a flash is seen only within the pause.
    packets = Publisher(6.0, beep_at_s=3.0, flash_at_s=3.0).packets(0)
    zero_ns = time.time_ns() - 2_000_000_000
    ear = Ear()
    own = stream(call.id, Seat.CUSTOMER, 1, zero_ns)
    sinks: list[MediaSink] = [*house.recorder.sinks_for(own), *house.recorder.guard(own, [ear])]

    def arrive(some: list[Packet]) -> None:
        for packet in some:
            for sink in sinks:
                feed(sink, packet, zero_ns + round(packet.at_s * 1e9))

    secret = _part(packets, 2.0, 4.0)
    arrive(_part(packets, 0.0, 2.0))
    until = house.recorder.pause(call.id, SEATS, "pin", "staff:1", 30.0)
    assert 28 < (until - datetime.now(UTC)).total_seconds() <= 30
    arrive(secret[: len(secret) // 2])
    await asyncio.sleep(1.0)
    # Lost on the way, retransmitted after the pause; the newest one of each kind among them.
    last = {packet.kind: packet for packet in secret if packet.report is None}
    lost = [*secret[len(secret) // 2 :: 7], *last.values()]
    arrive([packet for packet in secret[len(secret) // 2 :] if packet not in lost])
    await asyncio.sleep(1.0)
    house.recorder.resume(call.id, "staff:1")
    after = _part(packets, 4.0, 6.1)
    arrive(after[:20] + [packet for packet in lost if packet.report is None] + after[20:])
    await house.recorder.stop(call.id)

    forbidden = {packet.data for packet in secret if packet.report is None}
    assert forbidden.isdisjoint(ear.heard)
    assert len(ear.heard) > 300
    folder = house.folder / call.id
    reader = JournalReader(journals_in(folder)[0], journal_cipher(read_meta(folder).data_key(MASTER_KEY)))
    records = list(reader)
    assert forbidden.isdisjoint(data for _, _, data in records)
    marks = [json.loads(data) for kind, _, data in records if kind == RecordKind.MARK]
    assert [(one["mark"], one["by"]) for one in marks] == [("pause", "staff:1"), ("resume", "staff:1")]

    store = open_store(None, tmp_path)
    (stopped,) = await house.facts(RecordingStopped)
    assert isinstance(stopped, RecordingStopped)
    finalizer = Finalizer(database, store, house.folder, MASTER_KEY, executor=lambda: ThreadPoolExecutor(1))
    await finalizer.on_stopped(stopped)
    row, file = await house.recording(call.id), (await house.files(call.id))["customer"]
    assert row is not None
    (gap,) = [gap for gap in row.gaps if gap["reason"] == "secure_pause"]
    assert gap["from_s"] == pytest.approx(2.0, abs=0.3)
    assert gap["to_s"] == pytest.approx(4.0, abs=0.8)
    assert [gap["reason"] for gap in row.gaps if gap["reason"] in ("no_packets", "reconnect")] == []
    assert "secure_pause" in [reason["code"] for reason in row.file_check["reasons"]]
    assert "packet_loss" not in [reason["code"] for reason in row.file_check["reasons"]]
    async with Catalogue(database, store, MASTER_KEY).plain_file(file.id) as path:
        webm = await asyncio.to_thread(path.read_bytes)
    with av.open(io.BytesIO(webm)) as container:
        pictures = [(frame.time, frame.to_ndarray(format="gray").mean()) for frame in container.decode(video=0)]
    with av.open(io.BytesIO(webm)) as container:
        loudest = max(np.abs(frame.to_ndarray().astype(np.float32)).max() for frame in container.decode(audio=0))
    assert max(mean for _, mean in pictures) < 100, "the flash was within the pause"
    assert loudest < 0.05, "the beep was within the pause"
    assert not [at for at, _ in pictures if 2.1 < at + file.offset_s < 3.9]
    assert [at for at, _ in pictures if at + file.offset_s > 4.5], "it goes on after the pause"
    facts = await house.facts(RecordingPaused, RecordingPauseEnded)
    assert [fact.type for fact in facts] == ["RecordingPaused", "RecordingPauseEnded"]
    assert await house.alarms() == []


async def test_a_pause_ends_by_itself_with_an_alarm_and_holds_over_a_rejoin(house: CaptureHouse) -> None:
    call = await house.call()
    packets = Publisher(1.0).packets(0)
    zero_ns = time.time_ns()
    (first,) = house.recorder.sinks_for(stream(call.id, Seat.CUSTOMER, 1, zero_ns))
    feed(first, packets[0], time.time_ns())
    house.recorder.pause(call.id, {Seat.CUSTOMER}, "pin", "staff:1", 1.0)
    first.close("transport lost")
    (second,) = house.recorder.sinks_for(stream(call.id, Seat.CUSTOMER, 2, zero_ns))
    (teller,) = house.recorder.sinks_for(stream(call.id, Seat.TELLER, 1, zero_ns))
    for packet in packets[:10]:
        feed(second, packet, time.time_ns())
        feed(teller, packet, time.time_ns())

    async def expired() -> bool:
        return await house.alarms() == ["recording.pause_expired"]

    await _until(expired)
    (ended,) = await house.facts(RecordingPauseEnded)
    assert isinstance(ended, RecordingPauseEnded)
    assert ended.expired
    for packet in packets[10:20]:
        feed(second, packet, time.time_ns())
    await house.recorder.stop(call.id)
    folder = house.folder / call.id
    cipher = journal_cipher(read_meta(folder).data_key(MASTER_KEY))
    kept = {
        path.name: [data for kind, _, data in JournalReader(path, cipher) if kind < 2] for path in journals_in(folder)
    }
    assert kept["teller-1.journal"] == [packet.data for packet in packets[:10] if packet.report is None]
    assert kept["customer-2.journal"] == [packet.data for packet in packets[10:20] if packet.report is None]


async def test_the_media_process_answers_requests_of_others(house: CaptureHouse) -> None:
    call = await house.call()
    house.recorder.sinks_for(stream(call.id, Seat.CUSTOMER, 1, time.time_ns()))

    @web.middleware
    async def coded(request: web.Request, handler: Callable[[web.Request], Awaitable[web.Response]]) -> web.Response:
        try:
            return await handler(request)
        except ConflictError as error:
            return web.json_response(error.as_dict(), status=error.http_status)

    app = web.Application(middlewares=[coded])
    app.add_routes(control_routes(house.recorder))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"

    async def node_url(call_id: str) -> str | None:
        return address

    async with aiohttp.ClientSession() as session:
        pauses = HttpRecordingPauses(session, "secret", node_url)
        until = await pauses.set_pause(call.id, PauseRequest(on=True, by="staff:1", longest_s=20))
        assert until is not None
        assert 15 < (until - datetime.now(UTC)).total_seconds() <= 20
        assert await pauses.set_pause(call.id, PauseRequest(on=False, by="staff:1")) is None
        with pytest.raises(ConflictError) as refused:
            await pauses.set_pause("call_other", PauseRequest(on=True, by="staff:1"))
        assert refused.value.code == "recording.not_running"
    await runner.cleanup()


def test_a_gate_knows_late_packets_over_the_wrap() -> None:
    gate = Gate()

    def packet(sequence: int) -> bytes:
        return bytes((0x80, 96)) + (sequence & 0xFFFF).to_bytes(2, "big") + bytes(8)

    assert not any(gate.keeps("video", packet(number)) for number in (65_530, 65_533, 65_531))
    gate.lifted_s = 1.0
    assert [gate.keeps("video", packet(number)) for number in (65_532, 65_533, 65_534, 0, 2)] == [
        False,
        False,
        True,
        True,
        True,
    ]
    assert gate.keeps("audio", packet(5))
    assert gate.dropped == 5
