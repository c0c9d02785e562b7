"""Speech in a worker process: engines found, live legs served, finished calls transcribed, waiting ones later."""

import asyncio
from pathlib import Path
from typing import Literal, Protocol

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from core.bus import Bus
from core.db import Database
from core.events import RecordingFinalized
from core.ids import new_id
from core.jobs import Subscription
from core.ports.recognizer import Recognizer
from core.ports.recording import RecordingReader
from core.tasks import run_together
from qa.stt.captions import HotWords, LiveCaptions
from qa.stt.engines import Engines, SpeechSettings, choose_engines
from qa.stt.leg_reader import LiveConfig
from qa.stt.live import LiveTranscriber
from qa.stt.service import TranscriptionService
from qa.stt.vad import CutConfig
from qa.stt.vocabulary import script_words

log = structlog.get_logger(__name__)

LOOK_AGAIN_S = 60.0


class WorkerSettings(SpeechSettings, Protocol):
    """The part of the product's settings that concerns speech."""

    live_end_silence_s: float

    @property
    def models_path(self) -> Path:
        """Folder of models."""
        ...


class SpeechWorker:
    """Everything speech does in one process. Models are looked for at start and, when missing, every minute."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        redis: Redis,
        reader: RecordingReader,
        settings: WorkerSettings,
        hot_words: HotWords | None = script_words,
    ) -> None:
        self._database = database
        self._bus = bus
        self._redis = redis
        self._settings = settings
        self._hot_words = hot_words
        self._transcription = TranscriptionService(database, reader, None, hot_words)
        self._looked = asyncio.Event()
        self._live_found = asyncio.Event()
        self.engines = Engines()

    @property
    def subscriptions(self) -> list[Subscription]:
        """Handlers for the job engine."""
        return [Subscription(RecordingFinalized, "qa.transcribe", self._transcribe)]

    async def _transcribe(self, event: RecordingFinalized) -> None:
        await self._looked.wait()  # models are still being loaded
        await self._transcription.transcribe_recording(event)

    async def run(self) -> None:
        """Work until cancelled, or until a part of it crashes: the supervisor must see that."""
        await run_together("speech", look=self._keep_looking(), live=self._hear_live())

    async def _keep_looking(self) -> None:
        while True:
            await self._look()
            try:
                await self._transcription.transcribe_pending()
            except (SQLAlchemyError, RedisError, OSError) as error:
                log.warning("waiting calls not transcribed", error=str(error))
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _hear_live(self) -> None:
        """Serve running calls from the moment on that an engine for them is found."""
        await self._live_found.wait()
        if self.engines.live is not None:
            await self._live(self.engines.live).run()

    async def _look(self) -> None:
        """Load what is missing, as far as it is there now."""
        missing: list[Literal["live", "final"]] = []
        if self.engines.live is None and self._settings.live_engine != "none":
            missing.append("live")
        if self.engines.final is None and self._settings.final_engine != "none":
            missing.append("final")
        if missing:
            found = await asyncio.to_thread(
                choose_engines, self._settings.models_path, self._settings, roles=tuple(missing)
            )
            self.engines = Engines(self.engines.live or found.live, self.engines.final or found.final, found.reasons)
            self._transcription.engine = self.engines.final
            if found.live is not None:
                self._live_found.set()
        self._looked.set()

    def _live(self, engine: Recognizer) -> LiveTranscriber:
        listener = LiveCaptions(self._database, self._bus, engine.info.label, self._hot_words)
        cut = CutConfig(min_silence_s=self._settings.live_end_silence_s)
        config = LiveConfig(threads=self._settings.speech_threads, cut=cut)
        return LiveTranscriber(self._redis, engine, listener, name=new_id("speech"), config=config)
