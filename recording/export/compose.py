"""All faces beside each other in one MP4 (H.264 and AAC), what was shared below them, the watermark in every picture.
Runs in a process of its own: this is the only place where video is encoded."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
from numpy.typing import NDArray

from recording.export.text import burn

RATE_HZ = 15
WIDTH, HEIGHT = 640, 480
"""Of one face."""

SCREEN_HEIGHT = 720
"""Of the row below the faces, in calls in which a screen was shared."""

SAMPLE_RATE_HZ = 48_000
STALE_S = 1.5
"""A picture older than this is not shown any more: there was none."""

Plane = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Source:
    """One party's plain file, and what is to be known of it.

    Attributes:
        path: None when there is no file. offset_s: Where it begins in the call.
        track: ``main`` or ``screen``. spans: When a screen was shared, call seconds.
        titles: Who is to be seen, and from which second on: tellers change during a call.
        is_seen: Whether the party has a place of its own; who was only heard needs none.
    """

    party: str
    path: Path | None
    offset_s: float
    track: str = "main"
    spans: tuple[tuple[float, float], ...] = ()
    titles: tuple[tuple[float, str], ...] = ()
    is_seen: bool = True


def _frames(source: Source, kind: str) -> Iterator[Any]:
    """Decoded frames of one kind; none when there is no such file or stream."""
    if source.path is None:
        return
    with av.open(str(source.path)) as container:
        stream: Any = container.streams.best(kind)  # type: ignore[arg-type]
        if stream is not None:
            yield from container.decode(stream)


class PictureTrack:
    """Gives the picture that was to be seen at a time; times must not go back."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._offset_s = source.offset_s
        self._frames = _frames(source, "video")
        self._next: Any = next(self._frames, None)
        self._shown: Any = None

    def at(self, time_s: float) -> Any | None:
        """The frame, None when there was none."""
        while self._next is not None and self._next.time + self._offset_s <= time_s:
            self._shown, self._next = self._next, next(self._frames, None)
        return self._shown if self._shown is not None and self._lasts(time_s) else None

    def title(self, time_s: float) -> str:
        """Who is to be seen then."""
        return next((text for from_s, text in reversed(self._source.titles) if from_s <= time_s), "")

    def _lasts(self, time_s: float) -> bool:
        if self._source.track == "screen":  # it may well stand still
            return any(from_s <= time_s <= to_s for from_s, to_s in self._source.spans)
        return bool(time_s - self._shown.time - self._offset_s <= STALE_S)


class SoundTrack:
    """Gives the samples of consecutive stretches of the call; silence where there is nothing."""

    def __init__(self, source: Source) -> None:
        self._offset_s = source.offset_s
        self._frames = _frames(source, "audio")
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ)
        self._waiting: list[tuple[int, NDArray[np.int16]]] = []
        self._ended = False

    def take(self, start: int, count: int) -> NDArray[np.int32]:
        """Samples ``start`` up to ``start + count``, counted from the call's beginning."""
        while not self._ended and (not self._waiting or self._waiting[-1][0] < start + count):
            self._read()
        out = np.zeros(count, dtype=np.int32)
        for at, samples in self._waiting:
            first, last = max(at, start), min(at + len(samples), start + count)
            if first < last:
                out[first - start : last - start] = samples[first - at : last - at]
        self._waiting = [(at, samples) for at, samples in self._waiting if at + len(samples) > start + count]
        return out

    def _read(self) -> None:
        frame = next(self._frames, None)
        if frame is None:
            self._ended = True
            return
        at = round((frame.time + self._offset_s) * SAMPLE_RATE_HZ)
        frame.pts = None
        for piece in self._resampler.resample(frame):
            samples: NDArray[np.int16] = piece.to_ndarray().reshape(-1).astype(np.int16)
            self._waiting.append((at, samples))
            at += len(samples)


def compose(sources: list[Source], duration_s: float, watermark: str, target: BinaryIO, progress: Path) -> None:
    """Write the MP4. Blocks for a fraction of the call's length; `progress` holds how far it is, 0 to 1.

    Raises:
        av.error.FFmpegError: A file cannot be decoded.
    """
    people = [source for source in sources if source.track == "main"]
    faces, sounds = [PictureTrack(one) for one in people if one.is_seen], [SoundTrack(one) for one in people]
    screen = next((PictureTrack(source) for source in sources if source.track == "screen"), None)
    with av.open(target, "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        video, audio = _streams(container, WIDTH * len(faces), HEIGHT + (SCREEN_HEIGHT if screen else 0))
        step = SAMPLE_RATE_HZ // RATE_HZ
        ticks = max(1, round(duration_s * RATE_HZ))
        for tick in range(ticks):
            frame = _picture(faces, screen, watermark, tick / RATE_HZ)
            frame.pts, frame.time_base = tick, Fraction(1, RATE_HZ)
            container.mux(video.encode(frame))
            mixed = sum(track.take(tick * step, step) for track in sounds)
            sound = av.AudioFrame.from_ndarray(
                np.clip(mixed, -32768, 32767).astype(np.int16).reshape(1, -1), format="s16", layout="mono"
            )
            sound.sample_rate, sound.pts, sound.time_base = SAMPLE_RATE_HZ, tick * step, Fraction(1, SAMPLE_RATE_HZ)
            container.mux(audio.encode(sound))
            if tick % RATE_HZ == 0:
                progress.write_text(f"{tick / ticks:.3f}")
        for stream in (video, audio):
            container.mux(stream.encode(None))


def _streams(container: Any, width: int, height: int) -> tuple[Any, Any]:
    video = container.add_stream("libx264", rate=RATE_HZ, options={"preset": "veryfast", "crf": "26", "threads": "1"})
    video.width, video.height, video.pix_fmt = width, height, "yuv420p"
    audio = container.add_stream("aac", rate=SAMPLE_RATE_HZ)
    audio.layout, audio.bit_rate = "mono", 64_000
    return video, audio


def _picture(faces: list[PictureTrack], screen: PictureTrack | None, watermark: str, time_s: float) -> Any:
    width, height = WIDTH * len(faces), HEIGHT + (SCREEN_HEIGHT if screen else 0)
    luma: Plane = np.full((height, width), 16, dtype=np.uint8)
    chroma: list[Plane] = [np.full((height // 2, width // 2), 128, dtype=np.uint8) for _ in range(2)]
    for number, track in enumerate(faces):
        _paste(track.at(time_s), luma, chroma, (number * WIDTH, 0, WIDTH, HEIGHT))
        if title := track.title(time_s):
            burn(luma, f" {title} ", number * WIDTH + 8, 28)
    if screen is not None:
        _paste(screen.at(time_s), luma, chroma, (0, HEIGHT, width, SCREEN_HEIGHT))
        burn(luma, f" {watermark} ", width // 2, HEIGHT + SCREEN_HEIGHT // 2)
    minutes, seconds = divmod(int(time_s), 60)
    burn(luma, f" {minutes:02}:{seconds:02} ", 8, 8)
    # In the middle, where it cannot be cut off without cutting off a face, and at the lower edge to be read.
    burn(luma, f" {watermark} ", 8, HEIGHT - 24)
    burn(luma, f" {watermark} ", max(8, width // 2 + 8 - 6 * len(watermark)), HEIGHT // 2)
    planes = [luma, *(plane.reshape(-1, width) for plane in chroma)]
    return av.VideoFrame.from_ndarray(np.concatenate(planes), format="yuv420p")


def _paste(frame: Any | None, luma: Plane, chroma: list[Plane], box: tuple[int, int, int, int]) -> None:
    """Fit a picture, if there is one, into its place (left, top, width, height), keeping its shape."""
    if frame is None:
        return
    left, top, box_width, box_height = box
    scale = min(box_width / frame.width, box_height / frame.height)
    width, height = int(frame.width * scale) // 4 * 4, int(frame.height * scale) // 4 * 4
    small = frame.reformat(width=width, height=height, format="yuv420p").to_ndarray()
    x, y = left + (box_width - width) // 4 * 2, top + (box_height - height) // 4 * 2
    luma[y : y + height, x : x + width] = small[:height]
    planes = small[height:].reshape(2, height // 2, width // 2)
    for target, plane in zip(chroma, planes, strict=True):
        target[y // 2 : (y + height) // 2, x // 2 : (x + width) // 2] = plane
