"""The recorder's end of the packet path: it only collects."""

import asyncio
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.ports.media import SOUND_AND_PICTURE, MediaKind, SeatStream
from recording.capture.journal import SUFFIX, JournalFile, JournalHeader, Record, RecordKind, pack_report
from recording.capture.meta import Meta
from recording.capture.pause import Gate

_AUDIO, _VIDEO = int(RecordKind.AUDIO), int(RecordKind.VIDEO)  # plain numbers: this runs for every packet

BUFFER_B = 16 << 20
"""Most that one seat keeps in memory while the disk does not take it: a minute of 2 Mbit/s. Then the oldest goes."""


class Opened(Protocol):
    """A call's folder on the disk, with the recording's identity and cipher."""

    @property
    def folder(self) -> Path:
        """Where the journals lie."""
        ...

    @property
    def meta(self) -> Meta:
        """The recording's identity."""
        ...

    @property
    def cipher(self) -> AESGCM:
        """Cipher of the recording's journals."""
        ...


class SegmentSink:
    """One transport's packets on their way to its journal. Implements `core.ports.media.MediaSink`.

    `on_rtp`, `on_sender_report` and `close` are called on the packet path. `take` and `give_back` belong to the
    flushing task, `write` to its thread.

    Attributes:
        ended: Why the transport ended, None while it lives.
        first_ns / last_ns: Arrival of the first and the newest packet taken; 0 before.
        closed: Set when the journal is complete on the disk, or given up.
        gate: Set while and shortly after the seat is paused.
        dropped: Packets lost because the disk did not take them in time.
        keyframe_due_s: When the next key frame is to be asked for.
    """

    kinds = SOUND_AND_PICTURE

    def __init__(self, stream: SeatStream, now_ns: int, now_s: float) -> None:
        self.stream = stream
        self.ended: str | None = None
        self.first_ns = self.last_ns = 0
        self.closed = asyncio.Event()
        self.file: JournalFile | None = None
        self.dirty = False
        self.heard_s = now_s
        self.keyframe_due_s = now_s + 1.0
        self.dropped = 0
        self.gate: Gate | None = None
        self._opened_ns = now_ns
        self._pending: list[Record] = []
        self._taken = 0
        self._seen = 0
        self._end_taken = False
        self._end_written = False

    def on_rtp(self, kind: MediaKind, packet: bytes, arrival_ns: int) -> None:
        """Keep one packet for the next flush."""
        if self.gate is not None and not self.gate.keeps(kind, packet):
            return
        self._pending.append((_AUDIO if kind == "audio" else _VIDEO, arrival_ns, packet))

    def on_sender_report(self, kind: MediaKind, ntp: int, rtp_timestamp: int) -> None:
        """Keep one Sender Report; it takes the place in time of the packet before it."""
        arrival_ns = self._pending[-1][1] if self._pending else self.last_ns or self._opened_ns
        of_kind = RecordKind.AUDIO_REPORT if kind == "audio" else RecordKind.VIDEO_REPORT
        self._pending.append((of_kind, arrival_ns, pack_report(ntp, rtp_timestamp)))

    def mark(self, at_ns: int, data: bytes) -> None:
        """Keep a mark among the packets."""
        self._pending.append((RecordKind.MARK, at_ns, data))

    @property
    def takes_marks(self) -> bool:
        """Whether a mark belongs here: not after the end, and not where there is nothing to mark."""
        return self.ended is None and (self.has_media or not self.may_be_empty)

    def close(self, reason: str) -> None:
        """No more packets come. Idempotent."""
        if self.ended is None:
            self.ended = reason

    def has_work(self) -> bool:
        """Whether the next flush has something to write: packets, or the end mark."""
        return bool(self._pending) or (self.ended is not None and not self._end_taken)

    def is_complete(self) -> bool:
        """Whether all has been written, the end mark included: the file may be closed."""
        return self._end_written and not self._pending

    def take(self) -> list[Record]:
        """Everything collected since the last time."""
        records, self._pending = self._pending, []
        self._taken += len(records)
        if records:
            self.first_ns = self.first_ns or records[0][1]
            self.last_ns = records[-1][1]
        if self.ended is not None and not self._end_taken:
            self._end_taken = True
            if self._taken or not self.may_be_empty:
                records.append((RecordKind.END, self.last_ns, self.ended.encode()))
        return records

    def written(self) -> None:
        """What was taken is in the journal."""
        self._end_written = self._end_taken

    def give_back(self, records: list[Record]) -> None:
        """Put records that were not written back in front."""
        if records and records[-1][0] == RecordKind.END:
            self._end_taken = False
            records = records[:-1]
        self._taken -= len(records)
        self._pending[:0] = records

    def trim(self) -> int:
        """Drop the oldest records above `BUFFER_B`. Returns how many were dropped."""
        size_b, keep = 0, 0
        for record in reversed(self._pending):
            size_b += len(record[2])
            if size_b > BUFFER_B:
                break
            keep += 1
        dropped = len(self._pending) - keep
        if dropped:
            del self._pending[:dropped]
            self._taken += dropped
            self.dropped += dropped
        return dropped

    @property
    def may_be_empty(self) -> bool:
        """Whether silence means nothing: most tellers never share a screen. Then there is no journal either."""
        return self.stream.track == "screen"

    @property
    def has_media(self) -> bool:
        """Whether any packet has come."""
        return bool(self._taken or self._pending)

    def silent_s(self, now_s: float) -> float:
        """How long no packet has come, as far as earlier questions can tell."""
        total = self._taken + len(self._pending) + (self.gate.dropped if self.gate else 0)
        if total != self._seen:
            self._seen, self.heard_s = total, now_s
        return now_s - self.heard_s

    def write(self, opened: Opened, records: list[Record]) -> None:
        """Append records to the journal, making it first if need be. Blocks; runs in the writing thread.

        Raises:
            OSError: The disk refuses; the records are not in the journal.
        """
        if not records:
            return
        if self.file is None:
            self.file = self._create(opened)
        self.file.write(records)

    def _create(self, opened: Opened) -> JournalFile:
        stream, segment = self.stream, self.stream.segment
        while (path := opened.folder / f"{stream.name}-{segment}{SUFFIX}").exists():
            segment += 1  # a media process that was restarted counts from 1 again
        header = JournalHeader(
            recording_id=opened.meta.recording_id,
            call_id=stream.call_id,
            seat=str(stream.seat),
            segment=segment,
            audio_codec=stream.audio_codec,
            audio_payload_type=stream.audio_payload_type,
            video_codec=stream.video_codec,
            video_payload_type=stream.video_payload_type,
            started_ns=opened.meta.started_ns,
            opened_ns=self._opened_ns,
            track=stream.track,
        )
        return JournalFile(path, header, opened.cipher)
