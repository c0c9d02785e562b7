"""What can be seen in a recording: its key frames, decoded. Nothing else is, so this costs next to nothing."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np

EVERY_S = 0.9
"""Key frames closer than this to the one before are not looked at; those that come every second are."""

THUMB_WIDTH = 160
MOST_THUMBS = 24
_BLACK_MEAN, _BLACK_SPREAD = 32.0, 8.0
"""Video black is 16; a covered camera adds a little noise."""

_DECODERS = {"VP8": "vp8", "H264": "h264"}


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small JPEG. `at_s`: its place in the file."""

    at_s: float
    width: int
    height: int
    jpeg: bytes


class Pictures:
    """Looks at key frames: counts black ones, keeps at most `MOST_THUMBS` small pictures spread over the file.

    Attributes:
        seen / black: Key frames looked at, and those without anything to see.
    """

    def __init__(self, codec: str | None) -> None:
        """`codec`: Name as in SDP; None when there are no pictures."""
        self.seen = self.black = 0
        self._decoder: Any = av.CodecContext.create(_DECODERS[codec], "r") if codec else None
        if self._decoder is not None:
            self._decoder.thread_count = 1
        self._last_s = -EVERY_S
        self._step_s = 0.0
        self._thumbs: list[Thumbnail] = []

    def add(self, data: bytes, at_s: float) -> None:
        """Take one key frame that is shown at a time of the file."""
        if at_s - self._last_s < EVERY_S:
            return
        self._last_s = at_s
        packet = av.Packet(data)
        packet.pts, packet.time_base = round(at_s * 1000), Fraction(1, 1000)
        self._look(packet)

    def finish(self) -> list[Thumbnail]:
        """All small pictures, in order."""
        if self._decoder is not None:
            self._look(None)
        return self._thumbs

    def _look(self, packet: Any) -> None:
        try:
            frames = self._decoder.decode(packet)
        except av.error.FFmpegError:
            return  # counted by nobody: the player skips it as well
        for frame in frames:
            self.seen += 1
            luma = frame.to_ndarray(format="gray")[::8, ::8]
            self.black += bool(np.mean(luma) < _BLACK_MEAN and np.std(luma) < _BLACK_SPREAD)
            at_s = frame.pts / 1000 if frame.pts is not None else self._last_s
            if not self._thumbs or at_s - self._thumbs[-1].at_s >= self._step_s:
                self._thumbs.append(_thumbnail(frame, at_s))
                if len(self._thumbs) > MOST_THUMBS:
                    del self._thumbs[1::2]
                    self._step_s = max(2 * self._step_s, 2 * EVERY_S)


def _thumbnail(frame: Any, at_s: float) -> Thumbnail:
    width, height = THUMB_WIDTH, max(2, round(frame.height * THUMB_WIDTH / frame.width / 2) * 2)
    encoder: Any = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.options = {"qscale": "5", "flags": "+bitexact"}
    small = frame.reformat(width=width, height=height, format="yuvj420p")
    small.pts = 0
    jpeg = b"".join(bytes(packet) for packet in [*encoder.encode(small), *encoder.encode(None)])
    return Thumbnail(round(at_s, 3), width, height, jpeg)
