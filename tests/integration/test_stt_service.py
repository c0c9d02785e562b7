"""Transcripts as rows: live captions, final transcripts, and calls that ended without an engine."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from call_rows import CallRows
from redis.asyncio import Redis
from speech_data import pinyin_likeness, standin_model, turns, write_wav
from sqlmodel import col, select

from core.bus import LIVE, Bus
from core.db import Database
from core.errors import BadInputError
from core.events import RecordingFinalized
from core.ids import new_id
from core.models import Call, OutboxEvent, Recording, RecordingFile, Transcript, TranscriptSegment
from core.models.system import Alarm
from core.ports.recognizer import EngineInfo, Pcm, Utterance
from core.ports.speech import Party, Segment
from core.settings import Settings
from core.tasks import TaskOwner
from qa.stt.captions import LiveCaptions
from qa.stt.leg_reader import LiveDegraded
from qa.stt.service import TranscriptionService
from qa.stt.vosk_engine import VoskRecognizer
from qa.stt.worker import SpeechWorker

CALL = "account_opening_compliant"


@dataclass
class Files:
    """A recording reader that hands out prepared files by party."""

    database: Database
    paths: dict[str, Path]
    opened: int = 0

    @asynccontextmanager
    async def plain_file(self, file_id: str) -> AsyncIterator[Path]:
        self.opened += 1
        async with self.database.read() as session:
            row = await session.get_one(RecordingFile, file_id)
        yield self.paths[row.party]


class Parrot:
    """An engine that always hears the same."""

    info = EngineInfo("parrot", "none", "1", streaming=False, word_times=False)

    def transcribe(self, pcm: Pcm, hot_words: Any = ()) -> list[Utterance]:
        return [Utterance(0.0, len(pcm) / 16_000, "、".join(hot_words) or "喂")]

    def open_session(self, hot_words: Any = ()) -> Any:
        raise AssertionError("not live")


@pytest.fixture
async def finished(database: Database) -> tuple[Call, Recording]:
    rows = CallRows(database)
    call = await rows.call(None, "account_opening")
    return call, await rows.recording(call)


@pytest.fixture
def files(database: Database, tmp_path: Path) -> Files:
    paths = {
        "teller": write_wav(tmp_path / "t.wav", CALL, "teller", 9, 24),
        "customer": write_wav(tmp_path / "c.wav", CALL, "customer", 15, 29),
    }
    return Files(database, paths)


def fact(call: Call, recording: Recording) -> RecordingFinalized:
    return RecordingFinalized(at=call.queued_at, call_id=call.id, recording_id=recording.id)


async def expert_spoke(database: Database, recording: Recording) -> None:
    """A third party was in the call and is recorded: there is a file, and no side of the transcript."""
    async with database.transaction() as session:
        query = select(RecordingFile).where(col(RecordingFile.recording_id) == recording.id).limit(1)
        side = (await session.scalars(query)).one().model_dump()
        third = side | {"id": new_id("file"), "party": "expert", "object_key": "secret/expert"}
        session.add(RecordingFile(**third))


async def final_rows(database: Database, call: Call) -> tuple[list[Transcript], list[TranscriptSegment]]:
    async with database.read() as session:
        heads = select(Transcript).where(col(Transcript.call_id) == call.id).order_by(col(Transcript.party))
        rows = (
            select(TranscriptSegment)
            .where(col(TranscriptSegment.call_id) == call.id)
            .order_by(col(TranscriptSegment.start_s))
        )
        return list((await session.scalars(heads)).all()), list((await session.scalars(rows)).all())


async def ready_facts(database: Database) -> list[str]:
    async with database.read() as session:
        query = select(OutboxEvent.payload).where(col(OutboxEvent.type) == "TranscriptReady")
        return list((await session.scalars(query.order_by(col(OutboxEvent.seq)))).all())


async def test_a_finished_call_is_transcribed_once(
    database: Database, finished: tuple[Call, Recording], files: Files
) -> None:
    call, recording = finished
    await expert_spoke(database, recording)
    service = TranscriptionService(database, files, VoskRecognizer(standin_model()))
    await service.transcribe_recording(fact(call, recording))
    await service.transcribe_recording(fact(call, recording))
    heads, rows = await final_rows(database, call)
    assert [(head.party, head.kind, head.state) for head in heads] == [
        ("customer", "final", "ready"),
        ("teller", "final", "ready"),
    ]
    assert heads[0].engine == "vosk/standin-zh-kokoro"
    spoken = "".join(turn.text for turn in turns(CALL, "teller") if 9 <= turn.start_s < 24)
    assert pinyin_likeness("".join(row.text for row in rows if row.party == "teller"), spoken) > 0.7
    first = next(row for row in rows if row.party == "teller")
    assert first.start_s == pytest.approx(0.4 + 0.9, abs=0.4)  # the file's offset counts
    assert first.words[0][0] == first.start_s
    assert files.opened == 2
    [ready] = await ready_facts(database)
    assert '"transcribed":true' in ready.replace(" ", "")


async def test_without_an_engine_the_call_waits_for_one(
    database: Database, finished: tuple[Call, Recording], files: Files
) -> None:
    call, recording = finished
    service = TranscriptionService(database, files, None, lambda code: [code])
    await service.transcribe_recording(fact(call, recording))
    heads, rows = await final_rows(database, call)
    assert {head.state for head in heads} == {"not_transcribed"}
    assert rows == []
    assert await service.transcribe_pending() == 0
    service.engine = Parrot()
    assert await service.transcribe_pending() == 1
    assert await service.transcribe_pending() == 0
    heads, rows = await final_rows(database, call)
    assert {(head.state, head.engine, head.error) for head in heads} == {("ready", "parrot/none", None)}
    assert {row.text for row in rows} == {"account_opening"}
    facts = [ready.replace(" ", "") for ready in await ready_facts(database)]
    assert ['"transcribed":true' in ready for ready in facts] == [False, True]


async def test_a_broken_file_is_said_and_the_other_side_is_kept(
    database: Database, finished: tuple[Call, Recording], files: Files
) -> None:
    call, recording = finished
    files.paths["customer"].write_bytes(b"not a recording")
    service = TranscriptionService(database, files, Parrot())
    with pytest.raises(BadInputError):
        await service.transcribe_recording(fact(call, recording))
    heads, rows = await final_rows(database, call)
    assert [(head.party, head.state) for head in heads] == [("customer", "failed"), ("teller", "ready")]
    assert heads[0].error
    assert {row.party for row in rows} == {"teller"}


async def until(condition: Callable[[], bool], timeout_s: float = 15.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.05)


async def test_live_captions_are_shown_and_kept_once(database: Database, bus: Bus) -> None:
    call = await CallRows(database).call(None)
    captions = LiveCaptions(database, bus, "vosk/x", lambda code: [code])
    seen: list[dict[str, Any]] = []

    async def watch() -> None:
        async with bus.subscribe(LIVE) as messages:
            listening.set()
            async for _, message in messages:
                seen.append(message)

    listening = asyncio.Event()
    owner = TaskOwner("test")
    owner.start("watch", watch())
    await listening.wait()
    said = Segment(Party.TELLER, 1.0, 2.0, "您好")
    await captions.on_leg(call.id, Party.TELLER, True)
    await captions.on_segment(call.id, Party.TELLER, Segment(Party.TELLER, 1.0, 1.5, "您"), False)
    await captions.on_segment(call.id, Party.TELLER, said, True)
    await captions.on_segment(call.id, Party.TELLER, said, True)
    await captions.on_degraded(LiveDegraded(call.id, Party.TELLER, 30.0, True))
    await captions.on_leg(call.id, Party.TELLER, False)
    await until(lambda: len(seen) == 4)
    await owner.close()
    assert [message["kind"] for message in seen] == ["transcription", "caption", "caption", "transcription"]
    assert [message.get("mode") for message in seen if "mode" in message] == ["live", "final_only"]
    assert seen[2] == {
        "kind": "caption",
        "call_id": call.id,
        "party": "teller",
        "start_s": 1.0,
        "end_s": 2.0,
        "text": "您好",
        "final": True,
    }
    async with database.read() as session:
        alarms = (await session.scalars(select(Alarm.kind).where(col(Alarm.call_id) == call.id))).all()
    assert list(alarms) == ["speech.final_only"]
    [head], [row] = await final_rows(database, call)
    assert (head.kind, head.state, head.engine) == ("live", "ready", "vosk/x")
    assert (row.text, row.start_s, row.end_s) == ("您好", 1.0, 2.0)
    assert await captions.hot_words(call.id, Party.TELLER) == ["transfer"]
    await captions.on_segment("call_unknown", Party.TELLER, said, True)  # shown, not kept, nothing raised


async def test_the_worker_finds_a_model_that_comes_later(
    database: Database,
    bus: Bus,
    redis: Redis,
    finished: tuple[Call, Recording],
    files: Files,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("qa.stt.worker.LOOK_AGAIN_S", 0.1)
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = Settings(final_engine="vosk", speech_threads=1, models_dir=tmp_path / "models")
    worker = SpeechWorker(database, bus, redis, files, settings)
    [subscription] = worker.subscriptions
    owner = TaskOwner("test")
    owner.start("speech", worker.run())
    try:
        await subscription.handler(fact(*finished))
        heads, _ = await final_rows(database, finished[0])
        assert {head.state for head in heads} == {"not_transcribed"}
        assert worker.engines.reasons
        standin_model(tmp_path / "models")
        async with asyncio.timeout(20):
            while {head.state for head in heads} != {"ready"}:
                await asyncio.sleep(0.1)
                heads, _ = await final_rows(database, finished[0])
        assert worker.engines.live is not None
        assert worker.engines.reasons == []
    finally:
        await owner.close()
