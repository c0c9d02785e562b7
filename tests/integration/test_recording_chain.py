"""From packets to playback: real database, real store, real HTTP."""

import asyncio
import hashlib
import io
import json
import shutil
from collections.abc import AsyncIterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import pytest
from capture_house import MASTER_KEY, CaptureHouse, zero_ns_ago
from http_app import Client, always, serving
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rtp_streams import Publisher
from sqlmodel import col, select

from core.bus import Bus
from core.db import Database
from core.errors import DeniedError, NotFoundError, UnavailableError
from core.events import ComplianceChecked, RecordingFailed, RecordingFinalized, RecordingStopped
from core.jobs import Relay, Worker, make_broker
from core.models import AuditEntry, ComplianceCheck, Finding, RecordingState
from core.ports.compliance import FindingKind
from core.ports.media import Seat
from core.security.actor import staff_actor, system_actor
from core.store import Store, open_store
from core.tasks import TaskOwner
from recording.catalogue.routes import routes
from recording.catalogue.service import Catalogue
from recording.finalize.script import ScriptVerdict
from recording.finalize.service import Finalizer, subscriptions
from recording.seal import SealError

INSPECTOR = staff_actor("staff_inspector", ["inspector"])


def _threads() -> Executor:
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
def finalizer(database: Database, store: Store, house: CaptureHouse) -> Finalizer:
    return Finalizer(database, store, house.folder, MASTER_KEY, executor=_threads)


@pytest.fixture
def catalogue(database: Database, store: Store) -> Catalogue:
    return Catalogue(database, store, MASTER_KEY)


async def _captured(house: CaptureHouse, *, teller: bool = True) -> tuple[str, RecordingStopped]:
    """A call of about 3 s on the disk; returns its id and the fact."""
    call = await house.call()
    for seconds in (3.0, 2.5):
        Publisher(seconds).packets(0)  # encoded (and cached) before the clock of the call runs
    zero_ns = zero_ns_ago(3.2)
    house.record(call.id, Seat.CUSTOMER, Publisher(3.0).packets(zero_ns), zero_ns)
    if teller:
        house.record(call.id, Seat.TELLER, Publisher(2.5, start_s=0.3).packets(zero_ns), zero_ns)
    await house.recorder.stop(call.id)
    (stopped,) = [fact for fact in await house.facts(RecordingStopped) if fact.call_id == call.id]  # type: ignore[attr-defined]
    assert isinstance(stopped, RecordingStopped)
    return call.id, stopped


async def test_the_job_engine_finalizes_in_a_process_of_its_own(
    house: CaptureHouse, store: Store, bus: Bus, redis_url: str, catalogue: Catalogue, database: Database
) -> None:
    finalizer = Finalizer(database, store, house.folder, MASTER_KEY)  # spawns, as in the worker
    jobs, owner = subscriptions(finalizer), TaskOwner("house")
    broker = make_broker(redis_url)
    worker, relay = Worker(database, broker, jobs), Relay(database, bus, broker, {"RecordingStopped": [jobs[0].name]})
    owner.start("worker", worker.run())
    owner.start("relay", relay.run())
    try:
        call_id, _ = await _captured(house)
        async with asyncio.timeout(60):
            while not await house.facts(RecordingFinalized):
                await asyncio.sleep(0.05)
            while (house.folder / call_id).exists():
                await asyncio.sleep(0.05)
    finally:  # the end of a loop cancels what is left only once, and a cancellation can get lost
        await owner.close()

    row, files = await house.recording(call_id), await house.files(call_id)
    assert row is not None
    assert (row.state, row.error) == (RecordingState.FINALIZED, None)
    assert row.verdict in ("pass", "findings"), "a slow machine hangs up late"
    assert set(row.file_check["measured"]) == {"customer", "teller"}
    # A slow machine hangs up late; inside the talk there is no gap.
    assert [gap for gap in row.gaps if gap["reason"] != "left_early"] == []
    assert set(files) == {"customer", "teller"}
    assert files["customer"].duration_s == pytest.approx(3.0, abs=0.1)
    assert files["teller"].offset_s == pytest.approx(0.33, abs=0.05)
    manifest_text = await store.get(row.manifest_key or "")
    assert hashlib.sha256(manifest_text).hexdigest() == row.manifest_sha256
    manifest = json.loads(manifest_text)
    assert manifest["check"]["verdict"] == row.verdict
    assert manifest["check"]["measured"] == row.file_check["measured"]
    assert [segment["ended"] for segment in manifest["segments"]] == ["call ended", "call ended"]
    for entry in manifest["files"]:
        file = files[entry["party"]]
        assert entry["sha256"] == file.sha256
        assert hashlib.sha256(await store.get(file.object_key)).hexdigest() == entry["sealed_sha256"]
        async with catalogue.plain_file(file.id) as path:
            data = path.read_bytes()
            with av.open(str(path)) as container:
                assert sum(1 for _ in container.decode(video=0)) > 70
        assert not path.exists()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (file.size_b, file.sha256)
    assert await house.alarms() == []


async def test_a_shared_screen_is_played_like_any_other_file(
    house: CaptureHouse, finalizer: Finalizer, catalogue: Catalogue
) -> None:
    call, zero_ns = await house.call(), zero_ns_ago(4)
    for seat in (Seat.CUSTOMER, Seat.TELLER):
        house.record(call.id, seat, Publisher(3.0).packets(zero_ns), zero_ns)
    packets = Publisher(1.0, start_s=1.0, audio=False).packets(zero_ns)
    house.record(call.id, Seat.TELLER, packets, zero_ns, track="screen")
    await house.recorder.stop(call.id)
    (stopped,) = await house.facts(RecordingStopped)
    assert isinstance(stopped, RecordingStopped)
    await finalizer.on_stopped(stopped)
    files = await house.files(call.id)
    assert set(files) == {"customer", "teller", "teller-screen"}
    screen = files["teller-screen"]
    assert screen.thumbnails
    async with serving([routes(catalogue)], always(INSPECTOR)) as client:
        media = await client.get(f"/api/recordings/{screen.id}/media")
        assert (media.status, media.content_type, len(await media.read())) == (200, "video/webm", screen.size_b)
        thumbnail = await client.get(f"/api/recordings/{screen.id}/thumbnails/0")
        assert (thumbnail.status, (await thumbnail.read())[:2]) == (200, b"\xff\xd8")


async def test_a_call_that_was_handed_on_is_one_recording_of_both_tellers(
    house: CaptureHouse, finalizer: Finalizer, catalogue: Catalogue
) -> None:
    call = await house.call()
    first = Publisher(3.0)
    second = Publisher(3.0, start_s=4.0, clock_ahead_s=-50.0, width=640, height=480, ssrc=0x77, beep_at_s=1.0)
    customer = Publisher(7.0)
    for publisher in (first, second, customer):
        publisher.packets(0)  # encoded before the clock of the call runs
    zero_ns = zero_ns_ago(7.2)
    house.record(call.id, Seat.CUSTOMER, customer.packets(zero_ns), zero_ns)
    house.record(call.id, Seat.TELLER, first.packets(zero_ns), zero_ns).close("replaced")
    house.record(call.id, Seat.TELLER, second.packets(zero_ns), zero_ns, segment=2)
    await house.recorder.stop(call.id)
    (stopped,) = await house.facts(RecordingStopped)
    assert isinstance(stopped, RecordingStopped)
    await finalizer.on_stopped(stopped)

    row, files = await house.recording(call.id), await house.files(call.id)
    assert row is not None
    assert row.state == RecordingState.FINALIZED
    assert row.verdict in ("pass", "findings")
    assert set(files) == {"customer", "teller"}
    teller = files["teller"]
    assert teller.offset_s + teller.duration_s == pytest.approx(7.0, abs=0.15)
    (gap,) = [gap for gap in row.gaps if gap["party"] == "teller" and gap["reason"] != "left_early"]
    assert (gap["from_s"], gap["to_s"]) == (pytest.approx(3.0, abs=0.15), pytest.approx(4.0, abs=0.15))
    async with catalogue.plain_file(teller.id) as path, asyncio.timeout(30):
        pictures, beeps = await asyncio.to_thread(_seen_and_heard, path)
    at_zero = teller.offset_s
    assert {size for at, size in pictures if at + at_zero < 3.2} == {(320, 240)}
    assert {size for at, size in pictures if at + at_zero > 3.8} == {(640, 480)}
    # One loud frame is the decoder, which still has the first teller's tone in mind.
    beep = next(at for at in beeps if at + at_zero > 3.8 and sum(at <= later < at + 0.15 for later in beeps) > 4)
    assert beep + at_zero == pytest.approx(5.03, abs=0.1), "the second teller's reports say where the sound belongs"
    async with serving([routes(catalogue)], always(INSPECTOR)) as client:
        media = await client.get(f"/api/recordings/{teller.id}/media")
        assert (media.status, len(await media.read())) == (200, teller.size_b)


def _seen_and_heard(path: Path) -> tuple[list[tuple[float, tuple[int, int]]], list[float]]:
    with av.open(str(path)) as container:
        pictures = [(frame.time, (frame.width, frame.height)) for frame in container.decode(video=0)]
    with av.open(str(path)) as container:
        sounds = [(frame.time, np.abs(frame.to_ndarray()).max()) for frame in container.decode(audio=0)]
    loudest = max(volume for _, volume in sounds)
    return pictures, [at for at, volume in sounds if volume > 0.8 * loudest]


async def test_finalizing_again_changes_nothing(house: CaptureHouse, finalizer: Finalizer) -> None:
    call_id, stopped = await _captured(house)
    await finalizer.on_stopped(stopped)
    before = await house.files(call_id)
    await finalizer.on_stopped(stopped)
    assert await house.files(call_id) == before
    assert len(await house.facts(RecordingFinalized)) == 1


class FailingStore(Store):
    """Fails, or lies, at the n-th access."""

    def __init__(self, real: Store, fail_at: int, *, corrupt: bool = False) -> None:
        super().__init__(real._store)
        self.left = fail_at
        self.corrupt = corrupt

    def _count(self) -> bool:
        self.left -= 1
        if self.left == 0 and not self.corrupt:
            raise UnavailableError("the store is away", code="store.write_failed")
        return self.left == 0

    async def put(self, key: str, data: bytes | Path) -> None:
        if not self.corrupt:
            self._count()
        await super().put(key, data)

    async def get_range(self, key: str, start: int, end: int) -> bytes:
        hit, data = self._count(), await super().get_range(key, start, end)
        return data[:-1] + bytes((data[-1] ^ 1,)) if hit else data


@pytest.mark.parametrize("corrupt", [False, True])
async def test_a_failure_at_any_access_loses_nothing_and_the_next_run_succeeds(
    house: CaptureHouse, database: Database, store: Store, catalogue: Catalogue, *, corrupt: bool
) -> None:
    call_id, stopped = await _captured(house)
    failures = 0
    for fail_at in range(1, 30):
        failing = FailingStore(store, fail_at, corrupt=corrupt)
        try:
            await Finalizer(database, failing, house.folder, MASTER_KEY, executor=_threads).on_stopped(stopped)
        except (UnavailableError, SealError):
            failures += 1
            row = await house.recording(call_id)
            assert row is not None
            assert row.state == RecordingState.CAPTURED
            assert await house.files(call_id) == {}
            assert list((house.folder / call_id).glob("*.journal")), "journals are gone before the upload is verified"
            continue
        if (await house.recording(call_id)).state == RecordingState.FINALIZED:  # type: ignore[union-attr]
            break
    assert failures >= 4
    file = (await house.files(call_id))["customer"]
    async with catalogue.plain_file(file.id) as path:
        assert hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256
    assert not (house.folder / call_id).exists()


async def test_a_crash_between_commit_and_removal_is_tidied_up(
    house: CaptureHouse, finalizer: Finalizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_id, stopped = await _captured(house)
    with monkeypatch.context() as patch:
        patch.setattr("recording.finalize.service._remove", _leave_journals)
        await finalizer.on_stopped(stopped)
    assert (house.folder / call_id).exists()
    await finalizer.on_stopped(stopped)
    assert not (house.folder / call_id).exists()


def _leave_journals(folder: Path) -> None:
    if folder.name == "work":
        shutil.rmtree(folder, ignore_errors=True)


async def test_no_media_at_all_is_failed_and_visible(house: CaptureHouse, finalizer: Finalizer) -> None:
    call = await house.call()
    house.record(call.id, Seat.CUSTOMER, [], zero_ns_ago(1))
    await house.recorder.stop(call.id)
    (stopped,) = await house.facts(RecordingStopped)
    assert isinstance(stopped, RecordingStopped)
    await finalizer.on_stopped(stopped)
    row = await house.recording(call.id)
    assert row is not None
    assert (row.state, row.error, row.verdict) == (RecordingState.FAILED, "no media was received", "fail")
    (failed,) = await house.facts(RecordingFailed)
    assert failed.stage == "finalize"  # type: ignore[attr-defined]
    assert await house.alarms() == ["recording.failed"]
    assert (house.folder / call.id).exists()


async def test_journals_elsewhere_are_waited_for(house: CaptureHouse, database: Database, store: Store) -> None:
    _, stopped = await _captured(house)
    elsewhere = Finalizer(database, store, house.folder / "nowhere", MASTER_KEY, executor=_threads)
    with pytest.raises(UnavailableError) as caught:
        await elsewhere.on_stopped(stopped)
    assert caught.value.code == "recording.no_journals"


async def test_a_damaged_journal_is_finalized_with_an_alarm(house: CaptureHouse, finalizer: Finalizer) -> None:
    call_id, stopped = await _captured(house)
    path = house.folder / call_id / "customer-1.journal"
    data = bytearray(path.read_bytes())
    data[-10] ^= 1
    path.write_bytes(data)
    await finalizer.on_stopped(stopped)
    row = await house.recording(call_id)
    assert row is not None
    assert row.state == RecordingState.FINALIZED
    assert await house.alarms() == ["recording.damaged"]


@pytest.fixture
async def played(
    house: CaptureHouse, finalizer: Finalizer, catalogue: Catalogue
) -> AsyncIterator[tuple[Client, str, bytes]]:
    """A client of the inspector, a file's address and its plain bytes."""
    call_id, stopped = await _captured(house)
    await finalizer.on_stopped(stopped)
    file = (await house.files(call_id))["customer"]
    async with catalogue.plain_file(file.id) as path:
        plain = path.read_bytes()
    async with serving([routes(catalogue)], always(INSPECTOR)) as client:
        yield client, f"/api/recordings/{file.id}/media", plain


async def test_playback_by_ranges(played: tuple[Client, str, bytes], database: Database) -> None:
    client, url, plain = played
    size_b = len(plain)
    assert size_b > 3 * 65_536, "the file must have several chunks for this test to mean anything"
    whole = await client.get(url)
    assert (whole.status, await whole.read()) == (200, plain)
    assert whole.headers["Content-Type"] == "video/webm"
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert whole.headers["ETag"] == f'"{hashlib.sha256(plain).hexdigest()}"'

    part = await client.get(url, headers={"Range": "bytes=65530-131080"})
    assert (part.status, await part.read()) == (206, plain[65530:131081])
    assert part.headers["Content-Range"] == f"bytes 65530-131080/{size_b}"
    tail = await client.get(url, headers={"Range": "bytes=-100"})
    assert (tail.status, await tail.read()) == (206, plain[-100:])
    beyond = await client.get(url, headers={"Range": f"bytes={size_b}-"})
    assert (beyond.status, beyond.headers["Content-Range"]) == (416, f"bytes */{size_b}")

    etag = whole.headers["ETag"]
    same = await client.get(url, headers={"Range": "bytes=0-9", "If-Range": etag})
    assert (same.status, await same.read()) == (206, plain[:10])
    other = await client.get(url, headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert (other.status, await other.read()) == (200, plain)
    assert (await client.get(url, headers={"If-None-Match": etag})).status == 304

    entries = await _audited(database)
    assert [(entry.actor, entry.object_type) for entry in entries] == [("staff:staff_inspector", "recording_file")]


async def test_thumbnails_are_served_and_audited(
    played: tuple[Client, str, bytes], house: CaptureHouse, database: Database
) -> None:
    client, url, _ = played
    base = url.removesuffix("/media")
    for number in range(3):
        answer = await client.get(f"{base}/thumbnails/{number}")
        assert (answer.status, answer.headers["Content-Type"]) == (200, "image/jpeg")
        assert (await answer.read()).startswith(b"\xff\xd8\xff")
    assert (await client.get(f"{base}/thumbnails/99")).status == 404
    async with database.read() as session:
        query = select(AuditEntry.action).where(col(AuditEntry.action) == "recording.thumbnails")
        assert len((await session.scalars(query)).all()) == 1


async def test_missing_nodes_join_the_verdict(house: CaptureHouse, finalizer: Finalizer, database: Database) -> None:
    call_id, stopped = await _captured(house)
    await finalizer.on_stopped(stopped)
    before = (await house.recording(call_id)).verdict  # type: ignore[union-attr]
    service, now = ScriptVerdict(database), database.clock.now()
    for check_id, missing in (("check_1", ["fee_notice", "closing"]), ("check_2", [])):
        async with database.unit_of_work(system_actor("test")) as work:
            check = ComplianceCheck(id=check_id, call_id=call_id, rule_set_version="1", checked_at=now)
            work.session.add(check)
            await work.session.flush()
            for rule_id in missing:
                work.session.add(
                    Finding(
                        id=f"finding_{rule_id}",
                        check_id=check_id,
                        call_id=call_id,
                        rule_id=rule_id,
                        kind=FindingKind.MISSING,
                        severity="major",
                        label_zh=rule_id,
                        label_en=rule_id,
                        party=None,
                        at_s=None,
                        end_s=None,
                        score=0,
                        evidence="",
                        phrase="",
                    )
                )
        await service.on_checked(ComplianceChecked(at=now, call_id=call_id, check_id=check_id))
        row = await house.recording(call_id)
        assert row is not None
        found = [one for one in row.file_check["reasons"] if one["code"] == "nodes_missing"]
        assert [one["values"]["nodes"] for one in found] == ([",".join(sorted(missing))] if missing else [])
        assert row.verdict == ("findings" if missing else before)


async def test_any_range_equals_the_plain_file(played: tuple[Client, str, bytes]) -> None:
    client, url, plain = played
    loop = asyncio.get_running_loop()

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(start=st.integers(0, len(plain) - 1), length=st.integers(1, len(plain)))
    def check(start: int, length: int) -> None:
        async def fetch() -> tuple[int, bytes]:
            answer = await client.get(url, headers={"Range": f"bytes={start}-{start + length - 1}"})
            return answer.status, await answer.read()

        status, body = asyncio.run_coroutine_threadsafe(fetch(), loop).result(10)
        assert (status, body) == (206, plain[start : start + length])

    await asyncio.to_thread(check)


async def test_parallel_ranges_are_one_playback_in_the_audit_log(
    played: tuple[Client, str, bytes], database: Database
) -> None:
    client, url, _ = played
    answers = await asyncio.gather(*(client.get(url, headers={"Range": f"bytes={n}-"}) for n in range(6)))
    assert {answer.status for answer in answers} == {206}
    assert len(await _audited(database)) == 1


async def _audited(database: Database) -> list[AuditEntry]:
    async with database.read() as session:
        return list(await session.scalars(select(AuditEntry).where(col(AuditEntry.action) == "recording.play")))


async def test_only_who_may_play_plays(catalogue: Catalogue, database: Database) -> None:
    with pytest.raises(DeniedError):
        await catalogue.access_recording_file(staff_actor("staff_t", ["teller"]), "file_x")
    with pytest.raises(NotFoundError) as caught:
        await catalogue.access_recording_file(INSPECTOR, "file_x")
    assert caught.value.code == "recording.file_not_found"
    async with serving([routes(catalogue)], always(staff_actor("staff_t", ["teller", "supervisor"]))) as client:
        assert (await client.get("/api/recordings/file_x/media")).status == 403
    async with serving([routes(catalogue)], always(INSPECTOR)) as client:
        answer = await client.get("/api/recordings/file_x/media")
        assert (answer.status, (await answer.json())["error"]["code"]) == (404, "recording.file_not_found")
    assert await _audited(database) == []


async def test_a_tampered_object_is_not_played(
    played: tuple[Client, str, bytes], house: CaptureHouse, store: Store, catalogue: Catalogue
) -> None:
    _, url, _ = played
    file_id = url.split("/")[3]
    file = await catalogue.access_recording_file(INSPECTOR, file_id)
    data = bytearray(await store.get(file.row.object_key))
    data[-1] ^= 1
    await store.put(file.row.object_key, bytes(data))
    with pytest.raises(SealError):
        _ = [piece async for piece in file.read(0, file.size_b)]
    first = b"".join([piece async for piece in file.read(0, 1000)])
    assert io.BytesIO(first).read(4) == b"\x1a\x45\xdf\xa3", "untouched chunks still play"
