"""One journal read as media: units in order, with what is needed to place them in time.

A journal is read twice with the same result: once to learn (reports, arrivals, losses), once to write. So an hour of
video needs no memory to speak of.
"""

import json
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from recording.capture.journal import JournalHeader, JournalReader, RecordKind, unpack_report
from recording.finalize.depacketize import (
    AUDIO_RATE_HZ,
    VIDEO_RATE_HZ,
    Depacketizer,
    Vp8,
    opus_duration_s,
)
from recording.finalize.h264 import H264
from recording.finalize.rtp import Numbering, Reorder, RtpPacket
from recording.finalize.timeline import StreamClock, StreamKey, clocks

VIDEO_CODECS: dict[str, Callable[[], Depacketizer]] = {"VP8": Vp8, "H264": H264}
"""Video codecs that can be finalized, by their name in SDP."""

RATES_HZ = {"audio": AUDIO_RATE_HZ, "video": VIDEO_RATE_HZ}
VIDEO_UNIT_S = 1 / 30
"""Taken for the length of a picture whose successor is not known."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One Opus packet or one picture.

    Attributes:
        length_s: Playing time. size: Of a key frame.
    """

    key: StreamKey
    timestamp: int
    arrival_ns: int
    data: bytes
    length_s: float
    size: tuple[int, int] | None = None


@dataclass(slots=True)
class StreamStats:
    """Counts of one kind of one segment."""

    packets: int = 0
    missing: int = 0
    surplus: int = 0
    malformed: int = 0
    units: int = 0
    dropped_frames: int = 0
    reports: int = 0


class _Kind:
    """The packets of one kind on their way through numbering, ordering and depacketising."""

    def __init__(self, kind: str, depacketizer: Depacketizer | None) -> None:
        self.kind = kind
        self.numbering = Numbering()
        self.reorder = Reorder()
        self.depacketizer = depacketizer
        self.malformed = 0
        self.reports: dict[StreamKey, list[tuple[int, int]]] = {}
        self._early: list[tuple[int, int]] = []
        self._seen = False

    def packet(self, raw: bytes, arrival_ns: int) -> Iterator[Unit]:
        packet = self.numbering.packet(raw, arrival_ns)
        if packet is None:
            self.malformed += 1
            return
        self._seen = True
        for ntp, timestamp in self._early:
            self.report(ntp, timestamp)
        self._early.clear()
        for ordered in self.reorder.push(packet):
            yield from self._units(ordered)

    def flush(self) -> Iterator[Unit]:
        for ordered in self.reorder.flush():
            yield from self._units(ordered)

    def skip(self) -> Iterator[Unit]:
        """A secure pause is over: what was before it is complete, what comes is not its direct successor."""
        yield from self.flush()
        self.numbering.skip()

    def report(self, ntp: int, timestamp: int) -> None:
        if not ntp:
            return  # the sender has no clock (RFC 3550 section 6.4.1)
        if not self._seen:
            self._early.append((ntp, timestamp))
            return
        key = (self.kind, self.numbering.epoch)
        self.reports.setdefault(key, []).append((ntp, self.numbering.timestamp(timestamp)))

    def _units(self, packet: RtpPacket) -> Iterator[Unit]:
        if self.kind == "audio":
            length_s = opus_duration_s(packet.payload)
            if length_s:
                key = (self.kind, packet.epoch)
                yield Unit(key, packet.timestamp, packet.arrival_ns, packet.payload, length_s)
        elif self.depacketizer is not None:
            for frame in self.depacketizer.push(packet):
                key = (self.kind, frame.epoch)
                yield Unit(key, frame.timestamp, frame.arrival_ns, frame.data, VIDEO_UNIT_S, frame.size)

    def stats(self, units: int) -> StreamStats:
        dropped = self.depacketizer.dropped if self.depacketizer else 0
        reports = sum(len(pairs) for pairs in self.reports.values())
        order = self.reorder
        return StreamStats(order.received, order.missing, order.surplus, self.malformed, units, dropped, reports)


@dataclass(slots=True)
class Span:
    """Units of one stream as ``(timestamp, arrival ns)``, kept compactly."""

    timestamps: "array[int]" = field(default_factory=lambda: array("q"))
    arrivals_ns: "array[int]" = field(default_factory=lambda: array("q"))


def paused_spans(marks: list[tuple[int, str]]) -> list[tuple[int, int | None]]:
    """Pauses by their marks; a pause that is cut off has no end."""
    spans: list[tuple[int, int | None]] = []
    for at_ns, event in marks:
        if event == "pause" and not (spans and spans[-1][1] is None):
            spans.append((at_ns, None))
        elif event == "resume" and spans and spans[-1][1] is None:
            spans[-1] = (spans[-1][0], at_ns)
    return spans


class Segment:
    """One journal: `learn` first, then `units` can be placed with `time_s`.

    Attributes:
        spans: What was learned of each stream. size: First picture's size.
        video_codec: None when it cannot be finalized.
        pauses: Secure pauses, ``(from, to)`` in ns since the epoch; to is None for one that never ended.
    """

    def __init__(self, path: Path, cipher: AESGCM) -> None:
        self.reader = JournalReader(path, cipher)
        self.stats: dict[str, StreamStats] = {}
        self.spans: dict[StreamKey, Span] = {}
        self.size: tuple[int, int] | None = None
        self.pauses: list[tuple[int, int | None]] = []
        self._clocks: dict[StreamKey, StreamClock] = {}
        self._reports: dict[StreamKey, list[tuple[int, int]]] = {}
        codec = self.header.video_codec
        self.video_codec = codec if codec in VIDEO_CODECS else None

    @property
    def header(self) -> JournalHeader:
        """What the journal is of."""
        return self.reader.header

    @property
    def has_clock(self) -> bool:
        """Whether every stream came with Sender Reports; known once learned."""
        return all(self._reports.get(key) for key in self.spans)

    def units(self) -> Iterator[Unit]:
        """All playable units; each kind in order, the kinds mixed roughly as they arrived."""
        make = VIDEO_CODECS.get(self.header.video_codec)
        audio, video = _Kind("audio", None), _Kind("video", make() if make else None)
        kinds = {
            RecordKind.AUDIO: audio,
            RecordKind.VIDEO: video,
            RecordKind.AUDIO_REPORT: audio,
            RecordKind.VIDEO_REPORT: video,
        }
        counted = {"audio": 0, "video": 0}
        marks: list[tuple[int, str]] = []
        for kind, arrival_ns, data in self.reader:
            if kind == RecordKind.MARK:
                marks.append((arrival_ns, json.loads(data)["mark"]))
                for stream in (audio, video) if marks[-1][1] == "resume" else ():
                    for unit in stream.skip():
                        counted[stream.kind] += 1
                        yield unit
                continue
            stream = kinds[RecordKind(kind)]
            if kind <= RecordKind.VIDEO:
                for unit in stream.packet(data, arrival_ns):
                    counted[stream.kind] += 1
                    yield unit
            else:
                stream.report(*unpack_report(data))
        self.pauses = paused_spans(marks)
        for stream in (audio, video):
            for unit in stream.flush():
                counted[stream.kind] += 1
                yield unit
        self.stats = {stream.kind: stream.stats(counted[stream.kind]) for stream in (audio, video)}
        self._reports = audio.reports | video.reports

    def learn(self, started_ns: int) -> None:
        """Read the journal once: spans, sizes, losses and the clocks of its streams."""
        for unit in self.units():
            span = self.spans.setdefault(unit.key, Span())
            span.timestamps.append(unit.timestamp)
            span.arrivals_ns.append(unit.arrival_ns)
            self.size = self.size or unit.size
        samples = {
            key: [
                (timestamp, (arrival_ns - started_ns) / 1e9)
                for timestamp, arrival_ns in zip(span.timestamps, span.arrivals_ns, strict=True)
            ]
            for key, span in self.spans.items()
        }
        self._clocks = clocks(self._reports, samples, RATES_HZ)

    def time_s(self, key: StreamKey, timestamp: int) -> float:
        """Seconds of the call."""
        return self._clocks[key](timestamp)

    def times_s(self, kind: str) -> Iterator[float]:
        """Times of all units of a kind, in order, from what was learned."""
        for key, span in self.spans.items():
            if key[0] == kind:
                clock = self._clocks[key]
                yield from (clock(timestamp) for timestamp in span.timestamps)
