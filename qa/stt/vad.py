"""Voice activity: which stretches of one party's audio are speech.

`VoiceModel` gives a probability per frame (Silero, a small neural network), `Segmenter` turns probabilities into
utterances (pure), `UtteranceCutter` joins both over a stream of samples and hands out voiced samples only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from core.ports.recognizer import SPEECH_RATE_HZ, Pcm

FRAME = 512
"""Samples per frame: 32 ms, the only frame length Silero knows at 16 kHz."""
FRAME_S = FRAME / SPEECH_RATE_HZ


@dataclass(frozen=True, slots=True)
class CutConfig:
    """How utterances are cut. Times in seconds.

    Attributes:
        on / off: Probabilities at which speech begins and below which a frame is a pause (hysteresis).
        min_speech_s: Shorter noises do not open an utterance ("好" is about 0.2 s).
        min_silence_s: A pause this long ends the utterance.
        pad_s: Kept before and after, since soft consonants score low.
        long_s / long_silence_s: An utterance longer than `long_s` already ends at the shorter pause.
        max_s: Cut here even without a pause: an engine's window is 30 s, and readers want lines, not pages.
    """

    on: float = 0.5
    off: float = 0.35
    min_speech_s: float = 0.09
    min_silence_s: float = 0.55
    pad_s: float = 0.2
    long_s: float = 8.0
    long_silence_s: float = 0.2
    max_s: float = 14.0


@dataclass(frozen=True, slots=True)
class Opened:
    """Speech began in this frame (padding included)."""

    frame: int


@dataclass(frozen=True, slots=True)
class Closed:
    """Speech ended before this frame (padding included)."""

    frame: int


class Segmenter:
    """Probabilities in, utterance borders out. Pure; frames are counted from 0."""

    def __init__(self, config: CutConfig) -> None:
        self._config = config
        self._pad = round(config.pad_s / FRAME_S)
        self._min_speech = max(1, round(config.min_speech_s / FRAME_S))
        self._frame = 0
        self._run = 0  # voiced frames in a row while idle
        self._open_at: int | None = None
        self._last_voiced = 0
        self._floor = 0  # padding never reaches into what was handed out already

    @property
    def open_at(self) -> int | None:
        """First frame of the open utterance, None between utterances."""
        return self._open_at

    @property
    def keep_from(self) -> int:
        """Audio before this frame will never be asked for."""
        if self._open_at is not None:
            return self._open_at
        return max(self._floor, self._frame - self._run - self._pad)

    @property
    def voiced_until(self) -> int:
        """End (exclusive) of what certainly belongs to the open utterance: trailing silence is held back."""
        return min(self._frame, self._last_voiced + 1 + self._pad)

    def step(self, probability: float) -> Opened | Closed | None:
        """Take the next frame's probability."""
        frame = self._frame
        self._frame += 1
        if self._open_at is None:
            return self._step_idle(frame, probability)
        if probability >= self._config.off:
            self._last_voiced = frame
        length_s = (self._frame - self._open_at) * FRAME_S
        silence_s = (frame - self._last_voiced) * FRAME_S
        long = length_s >= self._config.long_s
        needed_s = self._config.long_silence_s if long else self._config.min_silence_s
        if length_s >= self._config.max_s or silence_s >= needed_s:
            return self._close(self.voiced_until)
        return None

    def _step_idle(self, frame: int, probability: float) -> Opened | None:
        self._run = self._run + 1 if probability >= self._config.on else 0
        if self._run < self._min_speech:
            return None
        self._open_at = max(self._floor, frame + 1 - self._run - self._pad)
        self._last_voiced = frame
        self._run = 0
        return Opened(self._open_at)

    def _close(self, frame: int) -> Closed:
        self._open_at = None
        self._floor = frame
        self._run = 0
        return Closed(frame)

    def finish(self) -> Closed | None:
        """No more frames come."""
        return None if self._open_at is None else self._close(self.voiced_until)


class VoiceModel(Protocol):
    """Gives the probability of speech per frame and remembers the stream it hears."""

    def probabilities(self, pcm: Pcm) -> NDArray[np.float32]:
        """One probability per `FRAME` samples; `pcm` holds whole frames."""
        ...

    def reset(self) -> None:
        """Forget the stream: the next samples do not follow the last ones."""
        ...


# After ten seconds of silence the network's memory leans so far towards silence that a lone 同意 scores 0.41 instead of
# 0.85 (measured): a second in which nobody spoke is forgotten.
_FRESH_FRAMES, _QUIET = 31, 0.1


class SileroVad:
    """Silero VAD v6, as shipped inside faster-whisper's wheel (MIT). One object per stream, session shared."""

    _session: Any = None

    def __init__(self) -> None:
        if SileroVad._session is None:
            SileroVad._session = _silero_session()
        self.reset()

    def reset(self) -> None:
        self._h = np.zeros((1, 1, 128), dtype=np.float32)
        self._c = np.zeros((1, 1, 128), dtype=np.float32)
        self._context = np.zeros(64, dtype=np.float32)
        self._frames, self._loudest = 0, 0.0

    def probabilities(self, pcm: Pcm) -> NDArray[np.float32]:
        if len(pcm) == 0:
            return np.zeros(0, dtype=np.float32)
        samples = np.concatenate([self._context, pcm.astype(np.float32) / 32768.0])
        self._context = samples[-64:].copy()
        # Each frame is preceded by the last 64 samples of the one before it.
        frames = np.lib.stride_tricks.sliding_window_view(samples, 64 + FRAME)[::FRAME]
        heard, at = [], 0
        while at < len(frames):
            # Up to the next second of the stream, wherever the pieces it comes in are cut.
            stop = min(len(frames), at + _FRESH_FRAMES - self._frames % _FRESH_FRAMES)
            heard.append(self._listen(frames[at:stop]))
            at = stop
        return np.concatenate(heard)

    def _listen(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        output, self._h, self._c = SileroVad._session.run(
            None, {"input": np.ascontiguousarray(frames), "h": self._h, "c": self._c}
        )
        found = np.asarray(output, dtype=np.float32).reshape(-1)
        self._frames += len(frames)
        self._loudest = max(self._loudest, float(found.max()))
        if self._frames % _FRESH_FRAMES == 0:
            if self._loudest < _QUIET:
                self._h, self._c = np.zeros_like(self._h), np.zeros_like(self._c)
            self._loudest = 0.0
        return found


def _silero_session() -> Any:
    from faster_whisper.utils import get_assets_path  # heavy import: only where speech is heard

    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = 1
    options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    model = Path(get_assets_path()) / "silero_vad_v6.onnx"
    return onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"], sess_options=options)


@dataclass(frozen=True, slots=True)
class Voiced:
    """Voiced samples. An utterance is one piece that `opens`, any number more, and one that `closes`.

    Attributes:
        start: Position of the first sample on the stream's time line.
    """

    start: int
    pcm: Pcm
    opens: bool = False
    closes: bool = False


class UtteranceCutter:
    """Cuts a stream of samples into utterances.

    Samples come with their position; where positions jump (muted microphone, lost transport) an open utterance
    ends and the voice model starts afresh, so silence costs neither memory nor time.
    """

    def __init__(self, model: VoiceModel, config: CutConfig | None = None) -> None:
        self._model = model
        self._config = config or CutConfig()
        self._restart(0)

    def _restart(self, position: int) -> None:
        self._model.reset()
        self._segmenter = Segmenter(self._config)
        self._origin = position  # position of frame 0
        self._kept_from = 0  # sample offset (from origin) of _kept[0]
        self._kept: Pcm = np.zeros(0, dtype=np.int16)
        self._heard = 0  # samples (from origin) the model has heard
        self._sent = 0  # samples (from origin) of the open utterance handed out

    @property
    def position(self) -> int:
        """Where the next sample is expected."""
        return self._origin + self._kept_from + len(self._kept)

    @property
    def open_position(self) -> int | None:
        """Where the open utterance began, None between utterances."""
        frame = self._segmenter.open_at
        return None if frame is None else self._origin + frame * FRAME

    def feed(self, start: int, pcm: Pcm) -> Iterator[Voiced]:
        """Take the samples at position `start`; earlier, overlapping samples are ignored."""
        gap = start - self.position
        if gap > 0:
            if gap > SPEECH_RATE_HZ // 10:
                yield from self.finish()
                self._restart(start)
            else:  # a few lost milliseconds do not end a sentence
                pcm = np.concatenate([np.zeros(gap, dtype=np.int16), pcm])
        elif gap < 0:
            pcm = pcm[-gap:]
        self._kept = np.concatenate([self._kept, pcm])
        yield from self._hear()

    def _hear(self) -> Iterator[Voiced]:
        end = (self._kept_from + len(self._kept)) // FRAME * FRAME
        fresh = self._kept[self._heard - self._kept_from : end - self._kept_from]
        self._heard = max(self._heard, end)
        for probability in self._model.probabilities(fresh):
            border = self._segmenter.step(float(probability))
            if isinstance(border, Opened):
                self._sent = border.frame * FRAME
                yield self._piece(self._segmenter.voiced_until, opens=True)
            elif isinstance(border, Closed):
                yield self._piece(border.frame, closes=True)
        if self._segmenter.open_at is not None:
            piece = self._piece(self._segmenter.voiced_until)
            if len(piece.pcm):
                yield piece
        self._forget()

    def _piece(self, until_frame: int, *, opens: bool = False, closes: bool = False) -> Voiced:
        start, end = self._sent, max(self._sent, until_frame * FRAME)
        self._sent = end
        pcm = self._kept[start - self._kept_from : end - self._kept_from]
        return Voiced(self._origin + start, pcm, opens, closes)

    def _forget(self) -> None:
        keep = self._segmenter.keep_from * FRAME if self._segmenter.open_at is None else self._sent
        drop = min(keep, self._heard) - self._kept_from
        if drop > 0:
            self._kept = self._kept[drop:].copy()
            self._kept_from += drop

    def finish(self) -> Iterator[Voiced]:
        """End of the stream: close what is open. Positions may jump forward afterwards."""
        if self._segmenter.open_at is not None:
            border = self._segmenter.finish()
            if border is not None:
                yield self._piece(border.frame, closes=True)
            self._forget()


def cut(pcm: Pcm, model: VoiceModel, config: CutConfig | None = None) -> list[tuple[int, Pcm]]:
    """Cut a whole recording: ``(start sample, voiced samples)`` of each utterance."""
    cutter = UtteranceCutter(model, config)
    return list(gather(piece for part in (cutter.feed(0, pcm), cutter.finish()) for piece in part))


def gather(pieces: Iterator[Voiced]) -> Iterator[tuple[int, Pcm]]:
    """Join pieces to whole utterances: ``(start sample, voiced samples)``."""
    start = 0
    parts: list[Pcm] = []
    for piece in pieces:
        if piece.opens:
            start, parts = piece.start, []
        parts.append(piece.pcm)
        if piece.closes:
            yield start, np.concatenate(parts)
            parts = []
