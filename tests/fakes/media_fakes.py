"""Stand-ins around the media room: sinks that remember, packets made by hand."""

from core.ports.media import SOUND_AND_PICTURE, MediaKind, MediaSink, PeerChange, SeatStream, SinkFailure


class RememberingSink:
    """Keeps what it gets. Raises once `fail_after` packets have come, when that is given."""

    kinds = SOUND_AND_PICTURE

    def __init__(self, stream: SeatStream, fail_after: int | None = None) -> None:
        self.stream = stream
        self.packets: list[tuple[MediaKind, bytes, int]] = []
        self.reports: list[tuple[MediaKind, int, int]] = []
        self.closed: str | None = None
        self._fail_after = fail_after

    def on_rtp(self, kind: MediaKind, packet: bytes, arrival_ns: int) -> None:
        if self._fail_after is not None and len(self.packets) >= self._fail_after:
            raise OSError("disk full")
        self.packets.append((kind, packet, arrival_ns))

    def on_sender_report(self, kind: MediaKind, ntp: int, rtp_timestamp: int) -> None:
        self.reports.append((kind, ntp, rtp_timestamp))

    def close(self, reason: str) -> None:
        self.closed = reason

    def sequences(self, kind: MediaKind) -> list[int]:
        """Sequence numbers of one kind in order of arrival."""
        return [packet[2] << 8 | packet[3] for got, packet, _ in self.packets if got == kind]


class Collector:
    """Sink factory and listener of a media node."""

    def __init__(self, fail_after: int | None = None) -> None:
        self.sinks: list[RememberingSink] = []
        self.changes: list[PeerChange] = []
        self.failures: list[SinkFailure] = []
        self.fail_after = fail_after

    def make_sinks(self, stream: SeatStream) -> list[MediaSink]:
        sink = RememberingSink(stream, self.fail_after)
        self.sinks.append(sink)
        return [sink]

    async def on_change(self, change: PeerChange) -> None:
        self.changes.append(change)

    async def on_failure(self, failure: SinkFailure) -> None:
        self.failures.append(failure)


def packet(
    sequence: int,
    *,
    timestamp: int = 0,
    ssrc: int = 1,
    payload_type: int = 100,
    marker: bool = False,
    payload: bytes = b"x",
    extension: bytes = b"",
) -> bytes:
    """An RTP packet. `extension` is the body of a one-byte header extension, a multiple of four bytes."""
    head = bytes((0x90 if extension else 0x80, payload_type | (0x80 if marker else 0)))
    head += (
        (sequence & 0xFFFF).to_bytes(2, "big") + (timestamp & 0xFFFFFFFF).to_bytes(4, "big") + ssrc.to_bytes(4, "big")
    )
    if extension:
        head += b"\xbe\xde" + (len(extension) // 4).to_bytes(2, "big") + extension
    return head + payload
