"""What a speech engine can do, whichever it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.ports.speech import Word

SPEECH_RATE_HZ = 16_000
"""Every engine hears 16 kHz mono."""

Pcm = NDArray[np.int16]
"""Samples of one channel at `SPEECH_RATE_HZ`."""


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """Name and capabilities of a loaded engine.

    Attributes:
        name: ``vosk`` or ``whisper``.
        model: Name of the model's folder.
        version: Version of the engine's package.
        streaming: Gives partial text while the utterance is still being spoken.
        word_times: Fills `Utterance.words`.
    """

    name: str
    model: str
    version: str
    streaming: bool
    word_times: bool

    @property
    def label(self) -> str:
        """As shown to people and stored with transcripts: ``whisper/whisper-base``."""
        return f"{self.name}/{self.model}"


@dataclass(frozen=True, slots=True)
class Utterance:
    """Recognised words of one voiced stretch; times in seconds from the stretch's first sample.

    `text` is Simplified Chinese without spaces between characters; empty when nothing was said.
    """

    start_s: float
    end_s: float
    text: str
    words: tuple[Word, ...] = ()


class UtteranceSession(Protocol):
    """Hears one voiced stretch piece by piece. Used by one thread at a time and thrown away after `finish`."""

    def accept(self, pcm: Pcm) -> str | None:
        """Hear the next samples; the text so far when it has changed, None otherwise or when not streaming."""
        ...

    def finish(self) -> list[Utterance]:
        """The stretch has ended: the final words, possibly none."""
        ...


class Recognizer(Protocol):
    """A loaded engine. Calls block and release the GIL: run them in threads, several at once if you like."""

    @property
    def info(self) -> EngineInfo:
        """Name and capabilities."""
        ...

    def transcribe(self, pcm: Pcm, hot_words: Sequence[str] = ()) -> list[Utterance]:
        """Recognise one voiced stretch (cut by voice activity, at most 30 s).

        Args:
            hot_words: Terms likely to be said; engines that cannot use them ignore them.
        """
        ...

    def open_session(self, hot_words: Sequence[str] = ()) -> UtteranceSession:
        """Begin a voiced stretch whose samples arrive little by little."""
        ...
