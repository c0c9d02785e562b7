"""Whisper through faster-whisper (CTranslate2): no partial text, but good Mandarin from a package registry."""

import copy
import itertools
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import UnavailableError
from core.ports.recognizer import SPEECH_RATE_HZ, EngineInfo, Pcm, Utterance
from core.ports.speech import Word
from qa.stt.text import clean, is_invention

_CHINESE = "zh"
_PROMPT = "以下是普通话的句子，使用简体中文。"
_WINDOW = 30 * SPEECH_RATE_HZ
_MIN_SAMPLES = SPEECH_RATE_HZ // 10
_FRAMES_PER_S = 100
# The encoder is most of the work and its window is 30 s, nearly all padding behind a sentence. Measured on the four
# sample calls: whole window CER 7.7 %, at least 15 s 8.2 % at half the CPU, 10 s 9.6 %, nothing but a second 15.8 %.
_PADDING_S = 3.0
# Alone in a window of 30 s, a syllable or two is no language to Whisper: it writes nothing, or a word of the prompt
# (不同意 → 普通意). Told that short answers come, as many no as yes, it hears them: measured on 18 answers of eight
# voices. What it is not sure of counts as unheard and is heard again the usual way.
_ANSWERS = (
    "愿意。不愿意。好。好的。嗯。嗯，好的。可以。行。同意。我同意。对。是的。"
    "不好。不可以。不行。不同意。我不同意。不对。不是。没有。"
)
_ANSWER_SAMPLES = SPEECH_RATE_HZ * 13 // 10  # two or three syllables with the padding around them
_ANSWER_MARGIN = np.zeros(SPEECH_RATE_HZ // 2, dtype=np.int16)
# avg_logprob of a result that counts. Measured: right answers -0.01 to -0.66, guesses at other words below -0.8; other
# short words that were heard right -0.05 to -0.25.
_ANSWER_SURE, _WORD_SURE = -0.6, -0.25
_HOT_WORD_CHARS = 120  # a longer prompt makes Whisper slower and fond of hearing the prompt
_MAX_CHARS_PER_S = 9.0  # fast Mandarin is 6–7 syllables a second; more is invented
# Real people and telephone sound stay above -0.75 (measured); what is written for silence and breath is below -1.4.
_HOPELESS = -1.1  # avg_logprob below which nothing was said
_SILENT, _UNSURE = 0.5, -0.8  # no_speech_prob above and avg_logprob below which nothing was said
_DOUBTFUL = -0.7  # avg_logprob below which a hot word may have been heard that was not said


class WhisperRecognizer:
    """A loaded Whisper model.

    Hot words help a lot, and could make it hear what was not said: a doubtful result is heard again without them,
    and what is then heard counts.
    """

    def __init__(
        self,
        folder: Path,
        *,
        threads: int = 2,
        beam: int = 5,
        word_times: bool = True,
        language: str = _CHINESE,
        window_s: int = 15,
    ) -> None:
        """Load the model (about 1 s, 340 MB for base).

        Args:
            window_s: Least length of the encoder's window, 5–30.

        Raises:
            UnavailableError: ``speech.model_broken``.
        """
        from faster_whisper import WhisperModel  # heavy import: only in processes that recognise

        try:
            self._model = WhisperModel(
                str(folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise UnavailableError(
                f"Whisper cannot load the model in {folder}; remove the folder or pull it again.",
                code="speech.model_broken",
            ) from error
        self._model.encode = shortened(self._model.encode, window_s)
        self._beam = beam
        self._word_times = word_times
        self._language = language
        self._info = EngineInfo(
            "whisper", folder.name, version("faster-whisper"), streaming=False, word_times=word_times
        )

    @property
    def info(self) -> EngineInfo:
        return self._info

    def tuned(self, *, beam: int, word_times: bool) -> "WhisperRecognizer":
        """The same loaded model for another use."""
        other = copy.copy(self)
        other._beam, other._word_times = beam, word_times
        other._info = replace(self._info, word_times=word_times)
        return other

    def transcribe(self, pcm: Pcm, hot_words: Sequence[str] = ()) -> list[Utterance]:
        if len(pcm) < _MIN_SAMPLES:
            return []
        chinese = self._language == _CHINESE
        if chinese and len(pcm) <= _ANSWER_SAMPLES and (answer := self._answer(pcm)) is not None:
            return [answer]
        prompt = _fit(hot_words)
        heard = self._hear(pcm, prompt)
        if prompt and any(doubtful(segment) for segment in heard):
            heard = self._hear(pcm, None)
        return [utterance for segment in heard if (utterance := self._utterance(segment)) is not None]

    def open_session(self, hot_words: Sequence[str] = ()) -> "WhisperSession":
        """Begin an utterance; everything is recognised when it ends."""
        return WhisperSession(self, hot_words)

    def _answer(self, pcm: Pcm) -> Utterance | None:
        """An utterance of two or three syllables, if it is surely heard."""
        alone = np.concatenate([_ANSWER_MARGIN, pcm, _ANSWER_MARGIN])
        for segment in self._hear(alone, None, _ANSWERS):
            text = clean(segment.text)
            needed = _ANSWER_SURE if _clauses(text) <= _KNOWN_ANSWERS else _WORD_SURE
            sure = segment.avg_logprob >= needed and segment.no_speech_prob <= _SILENT  # noises: 0.7 and more
            if text and sure and not is_invention(text) and not too_dense(segment):
                return Utterance(0.0, len(pcm) / SPEECH_RATE_HZ, text)
        return None

    def _hear(self, pcm: Pcm, hot_words: str | None, prompt: str = _PROMPT) -> list[Any]:
        segments, _info = self._model.transcribe(
            pcm.astype(np.float32) / 32768.0,
            language=self._language,
            beam_size=self._beam,
            temperature=0.0,  # sampling only makes the unclear eloquent, and differently each time
            condition_on_previous_text=False,
            initial_prompt=prompt if self._language == _CHINESE else None,
            hotwords=hot_words,
            without_timestamps=True,  # utterances are cut by voice activity: their times are better
            word_timestamps=self._word_times,
            vad_filter=False,
        )
        # Without time stamps each 30 s window is one segment. With word times the library goes on after the last
        # word and invents something for the breath that follows: one window is all there is to hear.
        return list(itertools.islice(segments, max(1, math.ceil(len(pcm) / _WINDOW))))

    def _utterance(self, segment: Any) -> Utterance | None:
        text = clean(segment.text)
        if not text or is_invention(text) or not was_said(segment):
            return None
        words = tuple(
            Word(float(word.start), float(word.end), written)
            for word in segment.words or ()
            if (written := clean(word.word))
        )
        return Utterance(float(segment.start), float(segment.end), text, words)


def shortened(encode: Callable[[Any], Any], least_s: int) -> Callable[[Any], Any]:
    """An encoder that is spared most of the silence with which every utterance is filled up to 30 s."""

    def encode_what_was_said(features: Any) -> Any:
        filled = np.flatnonzero(features.any(axis=0))
        said = int(filled[-1]) + 1 if len(filled) else 0
        frames = max(least_s * _FRAMES_PER_S, said + int(_PADDING_S * _FRAMES_PER_S))
        return encode(features[:, : frames + frames % 2])

    return encode_what_was_said


def _clauses(text: str) -> frozenset[str]:
    """What stands between the punctuation marks."""
    return frozenset(part for part in re.split(r"\W+", text) if part)


_KNOWN_ANSWERS = _clauses(_ANSWERS)


def was_said(segment: Any) -> bool:
    """Whether Whisper's own figures agree that somebody spoke."""
    silent = bool(segment.avg_logprob < (_UNSURE if segment.no_speech_prob > _SILENT else _HOPELESS))
    repeats = bool(segment.compression_ratio >= 2.4)
    return not silent and not repeats and not too_dense(segment)


def too_dense(segment: Any) -> bool:
    """More characters than a mouth can speak in this time."""
    return bool(len(str(segment.text)) > 6 + _MAX_CHARS_PER_S * (segment.end - segment.start))


def doubtful(segment: Any) -> bool:
    """Whether hot words may have led the model astray."""
    return segment.avg_logprob < _DOUBTFUL or segment.no_speech_prob > _SILENT or too_dense(segment)


def _fit(hot_words: Sequence[str]) -> str | None:
    """As many whole hot words as fit, most important first."""
    chosen: list[str] = []
    room = _HOT_WORD_CHARS
    for word in hot_words:
        if len(word) + 1 <= room:
            chosen.append(word)
            room -= len(word) + 1
    return "、".join(chosen) or None


class WhisperSession:
    """Collects an utterance's samples."""

    def __init__(self, engine: WhisperRecognizer, hot_words: Sequence[str]) -> None:
        self._engine = engine
        self._hot_words = hot_words
        self._parts: list[Pcm] = []

    def accept(self, pcm: Pcm) -> str | None:
        self._parts.append(pcm)
        return None

    def finish(self) -> list[Utterance]:
        if not self._parts:
            return []
        return self._engine.transcribe(np.concatenate(self._parts), self._hot_words)
