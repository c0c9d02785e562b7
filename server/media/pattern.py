"""The moving picture a headless client shows, encoded once for all."""

from fractions import Fraction
from functools import cache

import av
import numpy as np

from server.media.config import VideoCodec

FPS = 15
WIDTH, HEIGHT = 640, 480
LOOP_FRAMES = 4 * FPS
VIDEO_BITRATE_BPS = 500_000

_ENCODERS: dict[VideoCodec, tuple[str, dict[str, str]]] = {
    "VP8": ("libvpx", {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "auto-alt-ref": "0"}),
    # One slice a frame and no delay; baseline is what every browser decodes.
    "H264": ("libx264", {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "level": "31"}),
}


class Pattern:
    """A picture in which a bar and a square move. Frames are encoded when first needed, then kept for all tracks."""

    def __init__(self, codec: VideoCodec) -> None:
        name, options = _ENCODERS[codec]
        encoder = av.CodecContext.create(name, "w")
        if not isinstance(encoder, av.VideoCodecContext):
            raise RuntimeError(f"this PyAV has no {codec} encoder")
        encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        encoder.time_base, encoder.bit_rate, encoder.gop_size = Fraction(1, FPS), VIDEO_BITRATE_BPS, 10_000
        encoder.thread_count = 1
        encoder.options = options
        self._encoder = encoder
        self._frames: list[bytes] = []

    def frame(self, index: int) -> bytes:
        """Frame of the endless loop; the first of each round is a key frame."""
        index %= LOOP_FRAMES
        while len(self._frames) <= index:
            self._frames.append(self._encode(len(self._frames)))
        return self._frames[index]

    def _encode(self, index: int) -> bytes:
        picture = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        picture[:HEIGHT] = np.linspace(40, 200, WIDTH, dtype=np.uint8)
        x = index * (WIDTH - 80) // LOOP_FRAMES
        picture[:HEIGHT, x : x + 24] = 235
        picture[HEIGHT // 2 : HEIGHT // 2 + 64, WIDTH - 80 - x : WIDTH - 16 - x] = 16
        picture[HEIGHT:] += np.uint8(index % 32)
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts, frame.time_base = index, Fraction(1, FPS)
        return b"".join(bytes(packet) for packet in self._encoder.encode(frame))


@cache
def pattern(codec: VideoCodec) -> Pattern:
    """The picture in this codec."""
    return Pattern(codec)
