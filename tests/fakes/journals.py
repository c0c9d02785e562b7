"""Journals on the disk without a recorder, for tests of finalizing."""

from collections.abc import Iterable
from pathlib import Path

from rtp_streams import AUDIO_PT, VIDEO_PT, Packet

from recording.capture.journal import JournalFile, JournalHeader, Record, RecordKind, journal_cipher, pack_report

ZERO_NS = 1_790_000_000_000_000_000
DATA_KEY = bytes(range(32))
RECORDING_ID = "rec_0123456789abcdefghjkmnpqrs"


def header(
    seat: str = "customer", segment: int = 1, opened_s: float = 0.0, video_codec: str = "VP8", track: str = "main"
) -> JournalHeader:
    """A journal's header as the recorder writes it."""
    return JournalHeader(
        recording_id=RECORDING_ID,
        call_id="call_1",
        seat=seat,
        segment=segment,
        audio_codec="opus",
        audio_payload_type=AUDIO_PT,
        video_codec=video_codec,
        video_payload_type=VIDEO_PT,
        started_ns=ZERO_NS,
        opened_ns=ZERO_NS + round(opened_s * 1e9),
        track=track,
    )


def record(packet: Packet, zero_ns: int = ZERO_NS) -> Record:
    """A packet as the sink keeps it."""
    arrival_ns = zero_ns + round(packet.at_s * 1e9)
    if packet.report is not None:
        kind = RecordKind.AUDIO_REPORT if packet.kind == "audio" else RecordKind.VIDEO_REPORT
        return kind, arrival_ns, pack_report(*packet.report)
    return RecordKind.AUDIO if packet.kind == "audio" else RecordKind.VIDEO, arrival_ns, packet.data


def write_journal(
    folder: Path, packets: Iterable[Packet], head: JournalHeader | None = None, *, end: bool = True, per_chunk: int = 60
) -> Path:
    """Write a journal of the packets; returns its path."""
    head = head or header()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{head.name}-{head.segment}.journal"
    file = JournalFile(path, head, journal_cipher(DATA_KEY))
    records = [record(packet) for packet in packets]
    for at in range(0, len(records), per_chunk):
        file.write(records[at : at + per_chunk])
    if end:
        file.write([(RecordKind.END, ZERO_NS, b"call ended")])
    file.close()
    return path
