"""WebM and MP4 through PyAV, without transcoding. The same units give the same bytes: a rerun changes nothing."""

import fractions
import functools
import io
from typing import Any, BinaryIO

import av
import numpy as np

TIME_BASE = fractions.Fraction(1, 1000)
OPUS_FRAME = 960


SILENCE = bytes.fromhex("f8fffe")
"""20 ms of silence: a CELT frame of nothing (RFC 6716 section 3.1 and 4.3)."""

SILENCE_MS = 20
PAUSE_MS = 200
"""A hole in the sound from which on the decoder begins anew; a lost packet or two are none."""

FORMATS = {"VP8": "webm", "H264": "mp4"}
"""Container by the video codec's name in SDP; browsers play Opus in both. Without video it is WebM."""

_CODECS = {"VP8": "vp8", "H264": "h264"}


class MediaWriter:
    """Writes pictures and Opus packets with times in ms; keeps times strictly increasing per stream.

    The index lies at the end of the file, where players that ask for byte ranges find it: cues through WebM's seek
    head, MP4's ``moov`` box. PyAV writes it and the duration in `close`. H.264 pictures are given in Annex B form.
    """

    def __init__(self, target: BinaryIO, codec: str | None, size: tuple[int, int] | None, has_audio: bool) -> None:
        """`codec`, `size`: Of the first picture; None for a file without video."""
        kind = FORMATS[codec] if codec else "webm"
        self._is_mp4 = kind == "mp4"
        options = {"fflags": "+bitexact"} | ({"cluster_time_limit": "5000"} if kind == "webm" else {})
        self._container: Any = av.open(target, "w", format=kind, options=options)
        self._video: Any = None
        self._audio: Any = None
        if codec is not None and size is not None:
            width, height = size
            self._video = self._container.add_mux_stream(
                _CODECS[codec], None, width=width, height=height, time_base=TIME_BASE
            )
        if has_audio:
            self._audio = self._container.add_stream_from_template(_opus_template().streams.audio[0])
            self._audio.time_base = TIME_BASE
        self._last_ms = {"audio": -1, "video": -1}
        self._sound_end_ms: int | None = None
        self._new_source = False

    def new_source(self) -> None:
        """What comes from now on was encoded by another encoder.

        A decoder gives out the end of what it was fed before with what comes next, a click minutes later; so silence
        is put behind the last packet where there is room for it.
        """
        self._new_source = True

    def last_ms(self, kind: str) -> int:
        """Time of the newest unit of a kind, -1 before the first."""
        return self._last_ms[kind]

    def write(self, kind: str, data: bytes, at_ms: int, length_ms: int, *, is_key: bool) -> None:
        """Add one unit. A time that does not increase is moved to 1 ms after the last one."""
        if kind == "audio":
            end_ms, self._sound_end_ms = self._sound_end_ms, at_ms + length_ms
            room_ms = SILENCE_MS if self._new_source else PAUSE_MS
            self._new_source = False
            if end_ms is not None and at_ms - end_ms >= room_ms:
                self._mux(kind, SILENCE, end_ms, SILENCE_MS, is_key=True)
        self._mux(kind, data, at_ms, length_ms, is_key=is_key)

    def _mux(self, kind: str, data: bytes, at_ms: int, length_ms: int, *, is_key: bool) -> None:
        at_ms = max(at_ms, self._last_ms[kind] + 1)
        self._last_ms[kind] = at_ms
        packet = av.Packet(data)
        packet.stream = self._video if kind == "video" else self._audio
        packet.pts = packet.dts = at_ms
        packet.time_base = TIME_BASE
        packet.is_keyframe = is_key
        if self._is_mp4:
            packet.duration = length_ms  # counts for the last one only: without it players leave that one out
        self._container.mux(packet)

    def close(self) -> None:
        """Write index and duration."""
        self._container.close()


@functools.cache
def _opus_template() -> Any:
    """A stream description with an OpusHead (RFC 7845 section 5.1), taken from 20 ms of silence."""
    file = io.BytesIO()
    with av.open(file, "w", format="webm") as container:
        stream: Any = container.add_stream("libopus", rate=48_000)
        stream.layout = "stereo"
        silence = np.zeros((1, OPUS_FRAME * 2), dtype=np.int16)
        frame = av.AudioFrame.from_ndarray(silence, format="s16", layout="stereo")
        frame.sample_rate, frame.pts = 48_000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    file.seek(0)
    return av.open(file)


class Peaks:
    """Loudness for a waveform: the largest sample, 0 to 1, in each tenth of a second of the file."""

    PER_S = 10
    SILENT = 0.006
    """About -44 dB: below this is the noise of a quiet room."""

    def __init__(self) -> None:
        self.values: list[float] = []
        self.undecodable = 0
        self.new_source()

    def new_source(self) -> None:
        """What comes from now on was encoded by another encoder."""
        self._decoder: Any = av.CodecContext.create("libopus", "r")
        self._decoder.sample_rate, self._decoder.layout = 48_000, "stereo"

    def fill(self, duration_s: float) -> None:
        """Lengthen the waveform to the whole file, if there is any: the pictures may go on after the sound."""
        if self.values:
            self.values += [0.0] * (int(duration_s * self.PER_S) - len(self.values))

    @property
    def silent_share(self) -> float:
        """Part of the file in which nothing is to be heard."""
        return round(sum(peak < self.SILENT for peak in self.values) / len(self.values), 3) if self.values else 0.0

    def add(self, payload: bytes, at_s: float) -> None:
        """Decode one Opus packet that begins at a time of the file."""
        slot = max(0, int(at_s * self.PER_S))
        try:
            frames = self._decoder.decode(av.Packet(payload))
        except av.error.FFmpegError:
            self.undecodable += 1
            return
        if slot >= len(self.values):
            self.values += [0.0] * (slot + 1 - len(self.values))
        for frame in frames:
            samples = frame.to_ndarray()
            full_scale = 32768.0 if samples.dtype.kind == "i" else 1.0
            loudest = float(np.abs(samples.astype(np.float32)).max(initial=0.0)) / full_scale
            self.values[slot] = max(self.values[slot], round(min(loudest, 1.0), 3))
