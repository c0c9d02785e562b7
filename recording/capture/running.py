"""A running recording: its state in memory, and the blocking work that the recorder's threads do for it."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.errors import CounterError
from core.ports.media import Seat
from core.security.keys import MasterKey
from recording.capture.journal import Record, journal_cipher
from recording.capture.ledger import Gap
from recording.capture.meta import Meta, open_folder
from recording.capture.pause import Gated, GatedSink, Pause
from recording.capture.sink import SegmentSink

GAP_S = 0.5
"""Shorter pauses between two transports of a seat are not marked."""


@dataclass(slots=True)
class Capture:
    """The running recording of one call. Satisfies `sink.Opened` once `cipher` is set.

    Attributes:
        meta: Provisional until the folder is open: an earlier process may have left one.
        on_disk: Set when the first chunk is written.
        lock: Serialises the call's row: started comes before stopped.
        troubles: What is wrong now. telling: Serialises what people are told of it.
        pause: The secure pause that runs. others: Further subscribers that it holds for.
    """

    folder: Path
    meta: Meta
    sinks: list[SegmentSink] = field(default_factory=list)
    opened_cipher: AESGCM | None = None
    on_disk: asyncio.Event = field(default_factory=asyncio.Event)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    stopped: bool = False
    troubles: set[str] = field(default_factory=set)
    telling: asyncio.Lock = field(default_factory=asyncio.Lock)
    pause: Pause | None = None
    others: list[tuple[Seat, GatedSink]] = field(default_factory=list)

    @property
    def cipher(self) -> AESGCM:
        """Cipher of the journals; the folder has been opened."""
        assert self.opened_cipher is not None
        return self.opened_cipher

    def sinks_of(self, seats: Collection[Seat]) -> list[Gated]:
        """Everything that takes these seats' packets."""
        own: list[Gated] = [sink for sink in self.sinks if sink.stream.seat in seats]
        return own + [sink for seat, sink in self.others if seat in seats]

    def open(self, master_key: MasterKey) -> None:
        """Make or take up the folder. Blocks; runs in the writing thread."""
        if self.opened_cipher is None:
            self.meta = open_folder(self.folder, self.meta)
            self.opened_cipher = journal_cipher(self.meta.data_key(master_key))


Batch = list[tuple[SegmentSink, Capture, list[Record]]]
Outcome = tuple[SegmentSink, Capture, list[Record], Exception | None]


def write_batch(master_key: MasterKey, batch: Batch) -> list[Outcome]:
    """Append the records to their journals. Blocks; runs in the writing thread."""
    outcomes: list[Outcome] = []
    for sink, capture, records in batch:
        error: Exception | None = None
        try:
            capture.open(master_key)
            sink.write(capture, records)
        except (OSError, CounterError) as caught:
            error = caught
        outcomes.append((sink, capture, records, error))
    return outcomes


def sync_batch(dirty: list[SegmentSink], finished: list[SegmentSink]) -> list[tuple[SegmentSink, OSError]]:
    """Make written journals survive a power failure; close the finished ones. Blocks; runs in the syncing thread."""
    failed: list[tuple[SegmentSink, OSError]] = []
    for sink in [*dirty, *finished]:
        if sink.file is None:
            continue
        try:
            if sink in finished:
                sink.file.close()
            else:
                sink.file.sync()
        except OSError as error:
            failed.append((sink, error))
    return failed


def gaps_between(capture: Capture) -> list[Gap]:
    """Time between two transports of a seat, in call seconds. Finalize measures again, packet by packet."""
    gaps: list[Gap] = []
    last_ns: dict[str, int] = {}
    for sink in sorted(capture.sinks, key=lambda sink: sink.first_ns):
        if not sink.first_ns or sink.may_be_empty:
            continue
        party = str(sink.stream.seat)
        before_ns = last_ns.get(party)
        if before_ns is not None and sink.first_ns - before_ns > GAP_S * 1e9:
            zero_ns = capture.meta.started_ns
            gaps.append(
                {
                    "party": party,
                    "from_s": round((before_ns - zero_ns) / 1e9, 3),
                    "to_s": round((sink.first_ns - zero_ns) / 1e9, 3),
                    "reason": "reconnect",
                }
            )
        last_ns[party] = max(sink.last_ns, before_ns or 0)
    return gaps
