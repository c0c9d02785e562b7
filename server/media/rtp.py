"""RTP packets as bytes (RFC 3550): the header fields a forwarder needs, without parsing the rest.

All functions expect a packet that `payload_start` has accepted.
"""

HEADER_B = 12
"""Length of the fixed header."""

_ONE_BYTE_PROFILE = 0xBEDE
"""RFC 8285 section 4.2: one-byte header extensions."""


def payload_start(packet: bytes) -> int:
    """Offset of the payload behind header, CSRC list and extension; -1 when this is no well-formed RTP packet."""
    size = len(packet)
    if size < HEADER_B or packet[0] >> 6 != 2:
        return -1
    start = HEADER_B + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10:
        if size < start + 4:
            return -1
        start += 4 + 4 * (packet[start + 2] << 8 | packet[start + 3])
    if start > size or (packet[0] & 0x20 and not 0 < packet[-1] <= size - start):
        return -1
    return start


def payload_end(packet: bytes) -> int:
    """Offset of the first padding byte, or the packet's length."""
    return len(packet) - (packet[-1] if packet[0] & 0x20 else 0)


def sequence_of(packet: bytes) -> int:
    """The 16-bit sequence number."""
    return packet[2] << 8 | packet[3]


def timestamp_of(packet: bytes) -> int:
    """The 32-bit RTP timestamp."""
    return int.from_bytes(packet[4:8], "big")


def ssrc_of(packet: bytes) -> int:
    """The 32-bit synchronisation source."""
    return int.from_bytes(packet[8:12], "big")


def payload_type_of(packet: bytes) -> int:
    """The 7-bit payload type."""
    return packet[1] & 0x7F


def sequence_delta(later: int, earlier: int) -> int:
    """How far `later` is ahead of `earlier` on the 16-bit circle: -32768 … 32767."""
    return ((later - earlier + 0x8000) & 0xFFFF) - 0x8000


def rewritten(packet: bytes, ssrc: bytes, sequence_offset: int, timestamp_offset: int) -> bytes:
    """The packet under another SSRC (4 bytes), sequence number and timestamp moved by the offsets."""
    if not (sequence_offset or timestamp_offset):
        return packet[:8] + ssrc + packet[12:]
    sequence = (packet[2] << 8 | packet[3]) + sequence_offset & 0xFFFF
    timestamp = int.from_bytes(packet[4:8], "big") + timestamp_offset & 0xFFFFFFFF
    return packet[:2] + sequence.to_bytes(2, "big") + timestamp.to_bytes(4, "big") + ssrc + packet[12:]


def to_rtx(packet: bytes, payload_type: int, ssrc: bytes, sequence: int) -> bytes:
    """Wrap a packet for retransmission (RFC 4588 section 4): own header fields, original sequence number first."""
    start = payload_start(packet)
    return b"".join(
        (
            packet[:1],
            bytes((packet[1] & 0x80 | payload_type,)),
            sequence.to_bytes(2, "big"),
            packet[4:8],
            ssrc,
            packet[HEADER_B:start],
            packet[2:4],
            packet[start:],
        )
    )


def from_rtx(packet: bytes, payload_type: int, ssrc: bytes) -> bytes | None:
    """Rebuild the original of a retransmission; None for a probe that carries only padding."""
    start, end = payload_start(packet), payload_end(packet)
    if end - start < 2:
        return None
    return b"".join(
        (
            bytes((packet[0] & 0xDF, packet[1] & 0x80 | payload_type)),  # padding bit cleared: padding is cut off
            packet[start : start + 2],
            packet[4:8],
            ssrc,
            packet[HEADER_B:start],
            packet[start + 2 : end],
        )
    )


_USUAL = b"\xbe\xde\x00\x01"
"""One word of one-byte extensions: the transport-wide number alone, as browsers send it with most packets."""


def look(packet: bytes, extension_id: int) -> tuple[int, int | None]:
    """`payload_start` and `transport_sequence` at once; quick for what most packets look like."""
    if packet[12:16] == _USUAL and packet[0] == 0x90 and len(packet) >= 20 and packet[16] == extension_id << 4 | 1:
        return 20, packet[17] << 8 | packet[18]
    start = payload_start(packet)
    return (start, None) if start < 0 else (start, transport_sequence(packet, start, extension_id))


def transport_sequence(packet: bytes, start: int, extension_id: int) -> int | None:
    """The transport-wide sequence number in the header extension, if the packet carries it.

    Args:
        start: Result of `payload_start`.
        extension_id: Id agreed in the SDP for transport-wide congestion control.
    """
    if not packet[0] & 0x10:
        return None
    at = HEADER_B + 4 * (packet[0] & 0x0F)
    if packet[at] << 8 | packet[at + 1] != _ONE_BYTE_PROFILE:
        return None
    at += 4
    while at < start:
        element = packet[at]
        if element == 0:  # padding between elements
            at += 1
        elif element >> 4 == extension_id:
            return packet[at + 1] << 8 | packet[at + 2] if element & 0x0F == 1 and at + 2 < start else None
        elif element >> 4 == 15:  # RFC 8285: stop here
            return None
        else:
            at += 2 + (element & 0x0F)
    return None
