"""Final transcription of one party's recorded file."""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import av
import numpy as np

from core.errors import BadInputError
from core.ports.recognizer import SPEECH_RATE_HZ, Pcm, Recognizer
from core.ports.speech import Party, Segment
from qa.stt.leg import place
from qa.stt.vad import CutConfig, SileroVad, UtteranceCutter, Voiced, VoiceModel, gather

_GAP_S = 0.08  # container time stamps are rounded to ms; less is no gap
_PIECE = SPEECH_RATE_HZ  # samples handed on at a time
_LEVEL_PIECE = SPEECH_RATE_HZ // 20


def decode_file(source: Path | bytes) -> Iterator[tuple[int, Pcm]]:
    """Decode a file's audio to 16 kHz mono.

    Yields ``(position, samples)`` with positions by the file's own time stamps: what the file does not hold (muted
    microphone, lost transport) is a jump of the position, not silence.

    Raises:
        BadInputError: ``speech.bad_file`` when there is no audio to decode.
    """
    opened = io.BytesIO(source) if isinstance(source, bytes) else str(source)
    try:
        with av.open(opened, "r") as container:
            if not container.streams.audio:
                raise BadInputError("The file has no audio track.", code="speech.bad_file")
            yield from _decode(container.decode(container.streams.audio[0]))
    except av.FFmpegError as error:
        raise BadInputError(f"The file cannot be decoded: {error}", code="speech.bad_file") from error


def _decode(frames: Iterator[av.AudioFrame]) -> Iterator[tuple[int, Pcm]]:
    resampler = _resampler()
    position = 0  # of the next 16 kHz sample
    expected_s: float | None = None
    for frame in frames:
        at_s = frame.time if frame.time is not None else (expected_s or 0.0)
        if expected_s is None or abs(at_s - expected_s) > _GAP_S:
            yield from _number(resampler, None, position)
            resampler = _resampler()
            position = max(0, round(at_s * SPEECH_RATE_HZ))
            expected_s = at_s
        expected_s += frame.samples / frame.sample_rate
        frame.pts = None  # positions are ours; the resampler must not fill gaps its own way
        for start, pcm in _number(resampler, frame, position):
            position = start + len(pcm)
            yield start, pcm
    yield from _number(resampler, None, position)


def _resampler() -> av.AudioResampler:
    return av.AudioResampler(format="s16", layout="mono", rate=SPEECH_RATE_HZ)


def _number(resampler: av.AudioResampler, frame: av.AudioFrame | None, position: int) -> Iterator[tuple[int, Pcm]]:
    for piece in resampler.resample(frame):
        pcm = piece.to_ndarray().astype(np.int16, copy=False).reshape(-1)
        if len(pcm):
            yield position, pcm
            position += len(pcm)


def _in_pieces(decoded: Iterator[tuple[int, Pcm]]) -> Iterator[tuple[int, Pcm]]:
    """Join adjoining samples to pieces of about a second: fewer calls of the voice model."""
    start, size = 0, 0
    parts: list[Pcm] = []
    for position, pcm in decoded:
        if parts and (position != start + size or size >= _PIECE):
            yield start, np.concatenate(parts)
            parts = []
        if not parts:
            start, size = position, 0
        parts.append(pcm)
        size += len(pcm)
    if parts:
        yield start, np.concatenate(parts)


def level_db(pcm: Pcm) -> float | None:
    """Loudness in dBFS, to a tenth: of the louder half of its 50 ms pieces, so that pauses inside count little.

    None where there is nothing but digital silence, or less than 50 ms.
    """
    pieces = pcm[: len(pcm) // _LEVEL_PIECE * _LEVEL_PIECE].reshape(-1, _LEVEL_PIECE).astype(np.float64) / 32768
    power = np.sort((pieces**2).mean(axis=1))
    loud = power[len(power) // 2 :]
    return round(10 * float(np.log10(loud.mean())), 1) if loud.any() else None


def transcribe_file(
    source: Path | bytes,
    party: Party,
    engine: Recognizer,
    *,
    hot_words: Sequence[str] = (),
    offset_s: float = 0.0,
    progress: Callable[[float], None] | None = None,
    cut: CutConfig | None = None,
    voice_model: VoiceModel | None = None,
) -> list[Segment]:
    """Transcribe one party's file, utterance by utterance. Blocks: run it in a thread.

    Args:
        offset_s: Where the file's time zero lies on the call's time line.
        progress: Called with the second of the file that has been reached.

    Raises:
        BadInputError: ``speech.bad_file``.
    """
    cutter = UtteranceCutter(voice_model or SileroVad(), cut)

    def pieces() -> Iterator[Voiced]:
        for position, pcm in _in_pieces(decode_file(source)):
            yield from cutter.feed(position, pcm)
            if progress is not None:
                progress((position + len(pcm)) / SPEECH_RATE_HZ)
        yield from cutter.finish()

    segments = []
    for start, pcm in gather(pieces()):
        begin_s = offset_s + start / SPEECH_RATE_HZ
        for heard in engine.transcribe(pcm, hot_words):
            first, last = (round(at_s * SPEECH_RATE_HZ) for at_s in (heard.start_s, heard.end_s))
            segments.append(replace(place(heard, party, begin_s), level_db=level_db(pcm[first:last])))
    return segments
