"""The recorder with a real database and disk: rows, facts, gaps, alarms, recovery."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path

import pytest
from capture_house import MASTER_KEY, NODE_ID, CaptureHouse, feed, stream, zero_ns_ago
from rtp_streams import Publisher

from core.db import Database
from core.events import RecordingFailed, RecordingResumed, RecordingStarted, RecordingStopped
from core.models import Recording, RecordingState
from core.ports.media import Seat, SinkFailure
from core.security.actor import system_actor
from core.security.keys import unwrap_key
from recording.capture.journal import JournalFile, JournalReader, Record, journal_cipher, journals_in
from recording.capture.meta import META_NAME, read_meta
from recording.capture.recorder import SYNC_S, Recorder

BUSY_S = 0.7
"""What a busy test machine may add to the 3 s within which a person is told."""


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[CaptureHouse]:
    house = CaptureHouse(database, tmp_path / "journals")
    yield house
    await house.recorder.close()


async def _until(check: Callable[[], Awaitable[bool]], deadline_s: float = 5.0) -> float:
    began_s = time.monotonic()
    async with asyncio.timeout(deadline_s):
        while not await check():
            await asyncio.sleep(0.02)
    return time.monotonic() - began_s


def _records(house: CaptureHouse, call_id: str) -> dict[str, int]:
    folder = house.folder / call_id
    cipher = journal_cipher(read_meta(folder).data_key(MASTER_KEY))
    readers = [JournalReader(path, cipher) for path in journals_in(folder)]
    return {reader.path.name: sum(1 for _ in reader) for reader in readers}


async def test_a_call_is_captured(house: CaptureHouse) -> None:
    call = await house.call()
    zero_ns = zero_ns_ago(3)
    packets = Publisher(2.0).packets(zero_ns)
    for seat in (Seat.CUSTOMER, Seat.TELLER):
        house.record(call.id, seat, packets, zero_ns)

    async def started() -> bool:
        return bool(await house.facts(RecordingStarted))

    await _until(started)
    row = await house.recording(call.id)
    assert row is not None
    assert (row.state, row.node_id, row.interrupted) == (RecordingState.CAPTURING, NODE_ID, False)
    assert abs(row.started_at.timestamp() - zero_ns / 1e9) < 1e-5
    await house.recorder.stop(call.id)
    row = await house.recording(call.id)
    assert row is not None
    assert (row.state, row.gaps) == (RecordingState.CAPTURED, [])
    assert row.stopped_at is not None
    data_key = unwrap_key(MASTER_KEY, row.wrapped_key, row.id)
    for path in journals_in(house.folder / call.id):
        reader = JournalReader(path, journal_cipher(data_key))
        assert [data for _, _, data in reader if data[0] == 0x90] == [p.data for p in packets if p.report is None]
        assert reader.ended == "call ended"
    facts = await house.facts()
    assert [fact.type for fact in facts] == ["RecordingStarted", "RecordingStopped"]
    assert await house.alarms() == []
    await house.recorder.stop(call.id)  # idempotent
    assert len(await house.facts()) == 2


async def test_a_shared_screen_has_its_own_journal_and_one_never_shared_leaves_nothing(house: CaptureHouse) -> None:
    call = await house.call()
    zero_ns = zero_ns_ago(1)
    house.record(call.id, Seat.TELLER, Publisher(1.0).packets(zero_ns), zero_ns).close("reload")
    house.record(call.id, Seat.TELLER, [], zero_ns, track="screen").close("reload")
    house.record(call.id, Seat.TELLER, Publisher(1.0).packets(zero_ns), zero_ns, 2)
    screen = house.record(call.id, Seat.TELLER, [], zero_ns, 2, track="screen")
    house.recorder.pause(call.id, [Seat.TELLER], "pin", "staff:1", 30.0)
    for packet in Publisher(1.0, audio=False, first_sequence=1).packets(zero_ns):
        feed(screen, packet, time.time_ns())
    house.recorder.resume(call.id, "staff:1")
    shown = Publisher(1.0, audio=False, first_sequence=9000, ssrc=7).packets(zero_ns)
    for packet in shown:
        feed(screen, packet, time.time_ns())
    await house.recorder.stop(call.id)
    found = _records(house, call.id)
    assert set(found) == {"teller-1.journal", "teller-2.journal", "teller-screen-2.journal"}
    (path,) = (path for path in journals_in(house.folder / call.id) if path.name == "teller-screen-2.journal")
    reader = JournalReader(path, journal_cipher(read_meta(house.folder / call.id).data_key(MASTER_KEY)))
    kept = [data for _, _, data in reader if data[0] == 0x90]
    assert kept == [packet.data for packet in shown if packet.report is None], "the pause holds for the screen too"
    assert (reader.header.track, reader.header.seat, reader.ended) == ("screen", "teller", "call ended")
    row = await house.recording(call.id)
    assert row is not None
    assert row.gaps == []
    assert await house.alarms() == []


async def test_no_packet_waits_for_the_database(house: CaptureHouse) -> None:
    """The row cannot be written (no such call): the journal is kept all the same, and a person is told."""
    zero_ns = zero_ns_ago(2)
    house.record("call_unknown", Seat.CUSTOMER, Publisher(1.0).packets(zero_ns), zero_ns)

    async def told() -> bool:
        return "recording.failed" in await house.alarms()

    await _until(told)
    assert _records(house, "call_unknown")["customer-1.journal"] > 50


async def test_rejoin_marks_the_gap(house: CaptureHouse) -> None:
    call = await house.call()
    zero_ns = zero_ns_ago(10)
    first = house.record(call.id, Seat.CUSTOMER, Publisher(2.0).packets(zero_ns), zero_ns)
    first.close("transport lost")
    house.record(call.id, Seat.CUSTOMER, Publisher(2.0, start_s=5.0).packets(zero_ns), zero_ns, segment=2)
    await house.recorder.stop(call.id)
    row = await house.recording(call.id)
    assert row is not None
    (gap,) = row.gaps
    assert (gap["party"], gap["reason"]) == ("customer", "reconnect")
    assert gap["from_s"] == pytest.approx(2.03, abs=0.1)
    assert gap["to_s"] == pytest.approx(5.03, abs=0.1)
    assert set(_records(house, call.id)) == {"customer-1.journal", "customer-2.journal"}


async def test_silence_is_reported_within_3_s_and_its_end_too(house: CaptureHouse) -> None:
    call = await house.call()
    zero_ns = zero_ns_ago(1)
    sink = house.record(call.id, Seat.TELLER, Publisher(1.0).packets(zero_ns), zero_ns)

    async def stalled() -> bool:
        return "recording.stalled" in await house.alarms()

    assert await _until(stalled) < 3.0 + BUSY_S
    (failed,) = await house.facts(RecordingFailed)
    assert isinstance(failed, RecordingFailed)
    assert (failed.stage, failed.reason) == ("capture", "no packets from the teller")
    for packet in Publisher(1.0).packets(zero_ns):
        feed(sink, packet, time.time_ns())

    async def resumed() -> bool:
        return bool(await house.facts(RecordingResumed))

    await _until(resumed)
    assert (await house.alarms()).count("recording.stalled") == 1
    assert "recording.stalled" not in await house.alarms(open_only=True)


async def test_a_recording_is_whole_again_only_when_both_seats_are(house: CaptureHouse) -> None:
    call = await house.call()
    zero_ns = zero_ns_ago(1)
    packets = Publisher(1.0).packets(zero_ns)
    first, second = (house.record(call.id, seat, packets, zero_ns) for seat in (Seat.CUSTOMER, Seat.TELLER))

    async def both_stalled() -> bool:
        return (await house.alarms()).count("recording.stalled") == 2

    await _until(both_stalled)
    first.close("transport lost")
    rejoined = house.record(call.id, Seat.CUSTOMER, packets, zero_ns, segment=2)
    feed(rejoined, packets[0], time.time_ns())
    await asyncio.sleep(0.6)
    assert await house.facts(RecordingResumed) == []
    for packet in packets[:20]:
        feed(second, packet, time.time_ns())

    async def resumed() -> bool:
        return bool(await house.facts(RecordingResumed))

    await _until(resumed)


async def test_a_seat_that_left_is_not_stalled(house: CaptureHouse) -> None:
    call = await house.call()
    zero_ns = zero_ns_ago(1)
    house.record(call.id, Seat.TELLER, Publisher(1.0).packets(zero_ns), zero_ns).close("transport lost")
    await asyncio.sleep(3.0)
    assert await house.alarms() == []


async def test_a_disk_that_refuses_is_reported_and_nothing_is_lost_once_it_works(
    house: CaptureHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = await house.call()
    zero_ns = zero_ns_ago(2)
    packets = Publisher(1.0).packets(zero_ns)
    full = True
    write = JournalFile._append

    def refuse(self: JournalFile, data: bytes) -> None:
        if full:
            raise OSError(28, "No space left on device")
        write(self, data)

    monkeypatch.setattr(JournalFile, "_append", refuse)
    house.record(call.id, Seat.CUSTOMER, packets, zero_ns)

    async def told() -> bool:
        return "recording.failed" in await house.alarms()

    assert await _until(told) < 3.0 + BUSY_S
    assert await house.recording(call.id) is None
    full = False

    async def resumed() -> bool:
        return bool(await house.facts(RecordingResumed))

    await _until(resumed)
    await house.recorder.stop(call.id)
    assert _records(house, call.id) == {"customer-1.journal": len(packets)}
    assert [fact.type for fact in await house.facts()].count("RecordingFailed") == 1


async def test_a_recording_that_could_never_be_written_is_visible(
    house: CaptureHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recording.capture.recorder.STOP_DEADLINE_S", 1.0)
    house.folder.parent.mkdir(parents=True, exist_ok=True)
    house.folder.write_text("a file where the folder should be")
    call = await house.call()
    zero_ns = zero_ns_ago(2)
    house.record(call.id, Seat.CUSTOMER, Publisher(1.0).packets(zero_ns), zero_ns)
    await house.recorder.stop(call.id)

    async def failed() -> bool:
        row = await house.recording(call.id)
        return row is not None and row.state == RecordingState.FAILED

    await _until(failed)
    row = await house.recording(call.id)
    assert row is not None
    assert row.error == "nothing could be written to the journal"
    assert "recording.failed" in await house.alarms()


async def test_a_hanging_disk_is_reported_within_3_s(house: CaptureHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    call = await house.call()
    zero_ns = zero_ns_ago(2)
    write = JournalFile._append

    def hang(self: JournalFile, data: bytes) -> None:
        time.sleep(4)  # in the writing thread
        write(self, data)

    monkeypatch.setattr(JournalFile, "_append", hang)
    sink = house.record(call.id, Seat.CUSTOMER, Publisher(1.0).packets(zero_ns), zero_ns)

    async def told() -> bool:
        feed(sink, Publisher(1.0).packets(zero_ns)[0], time.time_ns())  # packets go on, the loop is not blocked
        return "recording.failed" in await house.alarms()

    assert await _until(told) < 3.3 + BUSY_S  # 0.4 s until the flush, then 2.5 s
    monkeypatch.setattr(JournalFile, "_append", write)


async def test_no_journal_is_closed_under_its_last_write(house: CaptureHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    call = await house.call()
    zero_ns = zero_ns_ago(2)
    packets = Publisher(2.0).packets(zero_ns)
    write = JournalFile.write

    def slowly(file: JournalFile, records: Iterable[Record]) -> None:
        time.sleep(SYNC_S + 0.2)  # the syncing thread comes by meanwhile
        write(file, records)

    sink = house.record(call.id, Seat.CUSTOMER, packets[:50], zero_ns)

    async def on_disk() -> bool:
        return (house.folder / call.id / "customer-1.journal").exists()

    await _until(on_disk)
    monkeypatch.setattr(JournalFile, "write", slowly)
    for packet in packets[50:]:
        feed(sink, packet, time.time_ns())
    await house.recorder.stop(call.id)
    (path,) = journals_in(house.folder / call.id)
    reader = JournalReader(path, journal_cipher(read_meta(house.folder / call.id).data_key(MASTER_KEY)))
    assert [data for _, _, data in reader if data[0] == 0x90] == [p.data for p in packets if p.report is None]
    assert reader.ended == "call ended"
    assert await house.alarms() == []


async def test_a_detached_sink_is_reported(house: CaptureHouse) -> None:
    call = await house.call()
    zero_ns = zero_ns_ago(2)
    house.record(call.id, Seat.CUSTOMER, Publisher(1.0).packets(zero_ns), zero_ns)
    house.recorder.report_sink_failure(SinkFailure(call.id, Seat.CUSTOMER, 1, "SegmentSink", "TypeError: x"))

    async def told() -> bool:
        return "recording.failed" in await house.alarms()

    await _until(told)
    assert (await house.facts(RecordingFailed))[0].reason.startswith("the customer's packets are no longer taken")


async def test_close_completes_running_recordings_as_interrupted(house: CaptureHouse) -> None:
    call = await house.call()
    zero_ns = zero_ns_ago(2)
    house.record(call.id, Seat.CUSTOMER, Publisher(1.0).packets(zero_ns), zero_ns)
    await house.recorder.close()
    row = await house.recording(call.id)
    assert row is not None
    assert (row.state, row.interrupted) == (RecordingState.CAPTURED, True)


async def test_recover_completes_what_a_killed_process_left(house: CaptureHouse, database: Database) -> None:
    with_row, without_row, gone = await house.call(), await house.call(), await house.call()
    zero_ns = zero_ns_ago(3)
    for call in (with_row, without_row, gone):
        house.record(call.id, Seat.CUSTOMER, Publisher(1.0).packets(zero_ns), zero_ns)

    async def started() -> bool:
        return len(await house.facts(RecordingStarted)) == 3

    await _until(started)
    await house.die()
    async with database.unit_of_work(system_actor("test")) as work:
        row = await house.recording(without_row.id)
        assert row is not None
        await work.session.delete(await work.session.get_one(Recording, row.id))  # died before its row was committed
    for path in sorted((house.folder / gone.id).iterdir()):
        path.unlink()
    (house.folder / gone.id).rmdir()

    successor = CaptureHouse(database, house.folder)
    assert await successor.recorder.recover() == 2
    for call in (with_row, without_row):
        row = await successor.recording(call.id)
        assert row is not None
        assert (row.state, row.interrupted) == (RecordingState.CAPTURED, True)
        assert row.id == read_meta(house.folder / call.id).recording_id
    lost = await successor.recording(gone.id)
    assert lost is not None
    assert (lost.state, lost.error) == (RecordingState.FAILED, "the journals are gone")
    stopped = await successor.facts(RecordingStopped)
    assert {(fact.call_id, fact.interrupted) for fact in stopped} == {(with_row.id, True), (without_row.id, True)}
    assert await successor.recorder.recover() == 0, "recovering twice changes nothing"

    # The customer comes back to a call that survived: the same recording goes on beside what there is.
    (sink,) = successor.recorder.sinks_for(stream(with_row.id, Seat.CUSTOMER, 1, zero_ns))
    for packet in Publisher(1.0, start_s=2.0).packets(zero_ns):
        feed(sink, packet, zero_ns + round(packet.at_s * 1e9))
    await successor.recorder.stop(with_row.id)
    assert set(_records(successor, with_row.id)) == {"customer-1.journal", "customer-2.journal"}
    row = await successor.recording(with_row.id)
    assert row is not None
    assert (row.state, row.interrupted) == (RecordingState.CAPTURED, True)
    await successor.recorder.close()


async def test_recover_makes_up_for_a_damaged_sidecar_from_the_row(house: CaptureHouse, database: Database) -> None:
    call = await house.call()
    zero_ns = zero_ns_ago(3)
    house.record(call.id, Seat.CUSTOMER, Publisher(1.0).packets(zero_ns), zero_ns)

    async def started() -> bool:
        return bool(await house.facts(RecordingStarted))

    await _until(started)
    await house.die()
    (house.folder / call.id / META_NAME).write_text("{")
    assert await CaptureHouse(database, house.folder).recorder.recover() == 1
    row = await house.recording(call.id)
    assert row is not None
    assert row.state == RecordingState.CAPTURED


async def test_recover_leaves_other_nodes_alone_and_reports_journals_of_nobody(
    house: CaptureHouse, database: Database
) -> None:
    call = await house.call()
    zero_ns = zero_ns_ago(3)
    house.record(call.id, Seat.CUSTOMER, Publisher(1.0).packets(zero_ns), zero_ns)

    async def started() -> bool:
        return bool(await house.facts(RecordingStarted))

    await _until(started)
    await house.die()
    nobodys, empty = house.folder / "call_nobody", house.folder / "call_empty"
    for folder in (nobodys, empty):
        folder.mkdir()
    (nobodys / "customer-1.journal").write_bytes(b"ACJ1")
    other_node = Recorder(database, house.folder, MASTER_KEY, "another-node")
    for _ in range(2):
        assert await other_node.recover() == 0
    assert (await house.recording(call.id)).state == RecordingState.CAPTURING  # type: ignore[union-attr]
    assert (nobodys.exists(), empty.exists()) == (True, False)
    assert await house.alarms() == ["recording.failed"], "one alarm, not one per start"
