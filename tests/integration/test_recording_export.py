"""A side-by-side copy: asked for with a purpose, made by a job, watermarked, fetched only by the one who asked."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import av
import numpy as np
import pytest
from call_rows import CallRows
from capture_house import MASTER_KEY, CaptureHouse, zero_ns_ago
from http_app import always, serving
from rtp_streams import Publisher
from sqlmodel import col, select

from core.db import Database
from core.errors import DeniedError, NotFoundError
from core.events import RecordingExportRequested, RecordingStopped
from core.ids import new_id
from core.models import AuditEntry, Call, CallLeg, Recording
from core.ports.media import Seat
from core.security.actor import staff_actor, system_actor
from core.store import Store, open_store
from recording.export.compose import SCREEN_HEIGHT, WIDTH
from recording.export.routes import routes
from recording.export.service import ExportService
from recording.export.text import bitmap, burn
from recording.finalize.service import Finalizer


def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1)


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[CaptureHouse]:
    house = CaptureHouse(database, tmp_path / "journals")
    yield house
    await house.recorder.close()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(None, tmp_path)


@pytest.fixture
async def call_id(house: CaptureHouse, database: Database, store: Store) -> str:
    """A finalized call of 4 s: flash and beep at 2 s, a screen shared from 1 to 3 s."""
    call = await house.call()
    for publisher in (Publisher(4.0, flash_at_s=2.0), Publisher(4.0, beep_at_s=2.0)):
        publisher.packets(0)
    zero_ns = zero_ns_ago(4.2)
    house.record(call.id, Seat.CUSTOMER, Publisher(4.0, flash_at_s=2.0).packets(zero_ns), zero_ns)
    house.record(call.id, Seat.TELLER, Publisher(4.0, beep_at_s=2.0).packets(zero_ns), zero_ns)
    screen = Publisher(2.0, start_s=1.0, audio=False, width=640, height=360, ssrc=0x9999)
    house.record(call.id, Seat.TELLER, screen.packets(zero_ns), zero_ns, track="screen")
    await house.recorder.stop(call.id)
    (stopped,) = await house.facts(RecordingStopped)
    assert isinstance(stopped, RecordingStopped)
    await Finalizer(database, store, house.folder, MASTER_KEY, executor=_threads).on_stopped(stopped)
    return call.id


async def test_an_export_is_made_and_fetched(
    house: CaptureHouse, database: Database, store: Store, call_id: str
) -> None:
    rows = CallRows(database)
    inspector, other = await rows.staff("inspector9", "inspector"), await rows.staff("inspector8", "inspector")
    tellers = await rows.staff("first", "teller"), await rows.staff("second", "teller")
    started_at = (await _row(database, call_id)).started_at
    async with database.unit_of_work(system_actor("test")) as work:
        for at_s, teller in zip((0.0, 2.4), tellers, strict=True):
            work.session.add(
                CallLeg(
                    id=new_id("leg"),
                    call_id=call_id,
                    teller_id=teller.id,
                    began_at=started_at + timedelta(seconds=at_s),
                )
            )
    service = ExportService(database, store, MASTER_KEY, executor=_threads)
    async with serving([routes(service)], always(staff_actor(inspector.id, ["inspector"]))) as client:
        assert (await client.post(f"/api/recordings/{call_id}/export", json={"purpose": " "})).status == 400
        asked = await client.post(f"/api/recordings/{call_id}/export", json={"purpose": "complaint 17"})
        view = await asked.json()
        assert (await (await client.get(f"/api/recordings/{call_id}/export")).json())["export"] == view
        assert (await (await client.get("/api/recordings/call_none/export")).json()) == {"export": None}
        assert (view["state"], view["progress"], view["url"]) == ("waiting", 0.0, None)
        address = f"/api/recording-exports/{view['export_id']}"
        assert (await client.get(f"{address}/file")).status == 409
        (event,) = await house.facts(RecordingExportRequested)
        assert isinstance(event, RecordingExportRequested)
        await service.on_requested(event)
        await service.on_requested(event)  # delivered twice
        view = await (await client.get(address)).json()
        assert (view["state"], view["progress"], view["url"]) == ("ready", 1.0, f"{address}/file")
        answer = await client.get(view["url"])
        mp4 = await answer.read()
        assert answer.headers["Content-Type"] == "video/mp4"
        assert (len(mp4), hashlib.sha256(mp4).hexdigest()) == (view["size_b"], view["sha256"])
    with pytest.raises(NotFoundError):
        await service.access(staff_actor(other.id, ["inspector"]), view["export_id"])
    with pytest.raises(DeniedError):
        await service.request(staff_actor(other.id, ["teller"]), call_id, "curiosity")
    async with database.read() as session:
        query = select(AuditEntry).where(col(AuditEntry.action).like("recording.export%")).order_by(col(AuditEntry.seq))
        entries = (await session.scalars(query)).all()
    assert [entry.action for entry in entries] == ["recording.export", "recording.export_download"]
    assert entries[0].detail["purpose"] == "complaint 17"

    pictures, sounds = await asyncio.to_thread(_decoded, mp4)
    assert pictures[0][1].shape == (480 + SCREEN_HEIGHT, 2 * WIDTH)
    shared = {round(at, 1): picture[600:1100, 100:1100].mean() for at, picture in pictures}
    assert min(shared[1.6], shared[2.6]) > 22 > max(shared[0.6], shared[3.6]), "no screen below the faces while shared"
    for at, teller in ((20, tellers[0]), (55, tellers[1])):
        _read(pictures[at][1], f" teller {teller.staff_number} ", WIDTH + 8, 28)
    _read(pictures[20][1], " CUSTOMER ", 8, 28)
    flashes = [at for at, picture in pictures if picture[100:200, 100:500].mean() > 180]
    assert flashes[0] == pytest.approx(2.06, abs=0.15)
    assert all(picture[100:200, WIDTH + 100 : WIDTH + 500].mean() < 120 for _, picture in pictures), (
        "sides are mixed up"
    )
    assert any(picture[260:400, WIDTH + 50 : WIDTH + 500].mean() > 22 for _, picture in pictures), "no teller"
    beep = next(at for at, samples in sounds if np.abs(samples).max() > 0.1)
    assert beep < flashes[0] + 0.3, "the customer's tone is to be heard as well"
    _read(pictures[20][1], f" {entries[0].detail['watermark']} ", 8, 480 - 24)


def _read(picture: np.ndarray, text: str, x: int, y: int) -> None:
    expected = bitmap(text, 2)
    strip = picture[y : y + expected.shape[0], x : x + expected.shape[1]]
    assert strip[expected].mean() > strip[~expected].mean() + 80, f"{text} is not to be read"


async def _row(database: Database, call_id: str) -> Recording:
    async with database.read() as session:
        return (await session.scalars(select(Recording).where(col(Recording.call_id) == call_id))).one()


def _decoded(mp4: bytes) -> tuple[list[tuple[float, np.ndarray]], list[tuple[float, np.ndarray]]]:
    with av.open(io.BytesIO(mp4)) as container:
        assert {stream.codec_context.name for stream in container.streams} == {"h264", "aac"}
        pictures = [(frame.time, frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]
    with av.open(io.BytesIO(mp4)) as container:
        return pictures, [(frame.time, frame.to_ndarray()) for frame in container.decode(audio=0)]


async def test_nobody_exports_own_work_or_what_is_not_ready(database: Database, store: Store) -> None:
    rows = CallRows(database)
    both = await rows.staff("both", "teller", "inspector")
    service, actor = ExportService(database, store, MASTER_KEY), staff_actor(both.id, ["inspector"])
    call: Call = await rows.call(both)
    with pytest.raises(NotFoundError):
        await service.request(actor, call.id, "no recording")
    await rows.recording(call)
    with pytest.raises(DeniedError) as refused:
        await service.request(actor, call.id, "own work")
    assert refused.value.code == "qa.own_call"
    async with database.unit_of_work(system_actor("test")) as work:
        row = await work.session.get_one(Call, call.id)
        row.teller_id = None
    assert (await service.request(actor, call.id, "now it is somebody else's")).state == "waiting"


def test_text_is_burnt_and_cut_off_at_the_edge() -> None:
    luma = np.full((40, 60), 120, dtype=np.uint8)
    burn(luma, "1", 4, 4)
    assert luma.max() == 235
    assert luma[4:18, 4:14].min() == 40
    assert (luma[30:] == 120).all()
    burn(luma, "A LONG TEXT THAT DOES NOT FIT", 4, 34)
