"""Vosk (Kaldi): streaming, small and cheap, with word times."""

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from core.errors import UnavailableError
from core.ports.recognizer import SPEECH_RATE_HZ, EngineInfo, Pcm, Utterance
from core.ports.speech import Word
from qa.stt.text import clean

_FEED = SPEECH_RATE_HZ // 5


class VoskRecognizer:
    """A loaded Vosk model, shared by all utterances of the process.

    Each utterance gets a recogniser of its own: a long-lived one grows without end, and on long silence its search
    can cost more than real time.
    """

    def __init__(self, folder: Path) -> None:
        """Load the model from its folder. Never by language: Vosk would download, or end the process.

        Raises:
            UnavailableError: ``speech.model_broken``.
        """
        import vosk  # loads libvosk: only in processes that recognise

        vosk.SetLogLevel(-1)
        self._vosk = vosk
        try:
            self._model = vosk.Model(model_path=str(folder))
        except Exception as error:  # Vosk raises nothing narrower
            raise UnavailableError(
                f"Vosk cannot load the model in {folder}; remove the folder or pull it again.",
                code="speech.model_broken",
            ) from error
        self._info = EngineInfo("vosk", folder.name, version("vosk"), streaming=True, word_times=True)

    @property
    def info(self) -> EngineInfo:
        return self._info

    def transcribe(self, pcm: Pcm, hot_words: Sequence[str] = ()) -> list[Utterance]:
        session = self.open_session(hot_words)
        for start in range(0, len(pcm), _FEED):
            session.accept(pcm[start : start + _FEED])
        return session.finish()

    def open_session(self, hot_words: Sequence[str] = ()) -> "VoskSession":
        """Begin an utterance. Hot words are ignored: models with a fixed graph cannot use them."""
        recognizer = self._vosk.KaldiRecognizer(self._model, SPEECH_RATE_HZ)
        recognizer.SetWords(True)
        return VoskSession(recognizer)


class VoskSession:
    """One utterance in Vosk. Vosk may end "its" utterance earlier than ours: all its results are joined."""

    def __init__(self, recognizer: Any) -> None:
        self._recognizer = recognizer
        self._words: list[Word] = []
        self._shown = ""

    def accept(self, pcm: Pcm) -> str | None:
        if self._take(pcm.tobytes()):
            self._collect(self._recognizer.Result())
            text = self._text()
        else:
            text = self._text() + clean(json.loads(self._recognizer.PartialResult())["partial"])
        if text == self._shown:
            return None
        self._shown = text
        return text

    def _take(self, data: bytes) -> bool:
        try:
            return bool(self._recognizer.AcceptWaveform(data))
        except Exception as error:  # Vosk raises nothing narrower
            raise RuntimeError("Vosk could not process the samples") from error

    def finish(self) -> list[Utterance]:
        self._collect(self._recognizer.FinalResult())
        self._recognizer = None  # frees its memory now
        text = self._text()
        if not text:
            return []
        return [Utterance(self._words[0].start_s, self._words[-1].end_s, text, tuple(self._words))]

    def _collect(self, result: str) -> None:
        for word in json.loads(result).get("result", ()):
            if not word["word"].startswith(("<", "[")):  # <UNK>, [SIL] and the like
                self._words.append(Word(word["start"], word["end"], word["word"]))

    def _text(self) -> str:
        return clean(" ".join(word.text for word in self._words))
