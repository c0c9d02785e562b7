"""Which engine hears live calls and which the recorded files, from what is on disk and what is wanted."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import structlog

from core.errors import CounterError
from core.ports.recognizer import Recognizer
from qa.stt.models import ModelFolder, find_models

log = structlog.get_logger(__name__)

Choice = Literal["auto", "vosk", "whisper", "none"]


class SpeechSettings(Protocol):
    """The part of the product's settings that concerns speech."""

    live_engine: Choice
    final_engine: Choice
    live_model: str
    final_model: str
    speech_threads: int
    speech_language: str
    speech_window_s: int
    live_beam: int
    final_beam: int


@dataclass
class Engines:
    """What can be used. One loaded model per engine and process.

    Attributes:
        reasons: One sentence for each engine that is missing or could not be loaded, for people.
    """

    live: Recognizer | None = None
    final: Recognizer | None = None
    reasons: list[str] = field(default_factory=list)


_PREFERENCE: dict[str, tuple[str, ...]] = {
    # Vosk speaks while one speaks; Whisper hears real people far better.
    "live": ("vosk", "whisper"),
    "final": ("whisper", "vosk"),
}


def choose_engines(
    folder: Path,
    settings: SpeechSettings,
    *,
    roles: tuple[Literal["live", "final"], ...] = ("live", "final"),
    load: Callable[[ModelFolder, SpeechSettings], Recognizer] | None = None,
) -> Engines:
    """Find and load engines for the roles this process has. Blocks for a second or two.

    A model that cannot be loaded is named in the reasons and the next one is tried.
    """
    found = find_models(folder)
    loaded: dict[Path, Recognizer | None] = {}
    engines = Engines()
    wanted: dict[str, Choice] = {"live": settings.live_engine, "final": settings.final_engine}

    def get(model: ModelFolder) -> Recognizer | None:
        if model.path not in loaded:
            try:
                loaded[model.path] = (load or load_engine)(model, settings)
            except CounterError as error:
                loaded[model.path] = None
                engines.reasons.append(str(error))
        return loaded[model.path]

    for role in roles:
        names = _names(role, wanted[role])
        title = settings.live_model if role == "live" else settings.final_model
        fitting = [model for model in found if not title or model.path.name == title]
        candidates = (get(model) for name in names for model in fitting if model.engine == name)
        engine = next((one for one in candidates if one is not None), None)
        setattr(engines, role, _for_role(engine, role, settings))
        if engine is None and names:
            called = f" named {title}" if title else ""
            engines.reasons.append(
                f"No {' or '.join(names)} speech model{called} for {role} transcription in {folder}; "
                "run `aircounter models pull`."
            )
    log.info(
        "speech engines chosen",
        live=engines.live and engines.live.info.label,
        final=engines.final and engines.final.info.label,
        reasons=engines.reasons,
    )
    return engines


def _for_role(engine: Recognizer | None, role: str, settings: SpeechSettings) -> Recognizer | None:
    """The loaded model as this role wants it. Live text needs no word times, which cost a tenth of the CPU."""
    from qa.stt.whisper_engine import WhisperRecognizer

    if isinstance(engine, WhisperRecognizer):
        live = role == "live"
        return engine.tuned(beam=settings.live_beam if live else settings.final_beam, word_times=not live)
    return engine


def _names(role: str, choice: Choice) -> tuple[str, ...]:
    if choice == "none":
        return ()
    return _PREFERENCE[role] if choice == "auto" else (choice,)


def load_engine(model: ModelFolder, settings: SpeechSettings) -> Recognizer:
    """Load one model.

    Raises:
        UnavailableError: ``speech.model_broken``.
    """
    if model.engine == "vosk":
        from qa.stt.vosk_engine import VoskRecognizer

        return VoskRecognizer(model.path)
    from qa.stt.whisper_engine import WhisperRecognizer

    return WhisperRecognizer(
        model.path,
        threads=settings.speech_threads,
        language=settings.speech_language,
        window_s=settings.speech_window_s,
    )
