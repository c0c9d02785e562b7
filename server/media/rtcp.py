"""RTCP as a forwarder needs it (RFC 3550, 4585, 5104): a strict reader and the few packets we send ourselves."""

import struct
from dataclasses import dataclass

from aiortc.rtp import RtcpReceiverInfo, RtcpRrPacket, RtcpSdesPacket, RtcpSenderInfo, RtcpSourceInfo, RtcpSrPacket

_SENDER_REPORT, _RECEIVER_REPORT, _TRANSPORT_FEEDBACK, _PAYLOAD_FEEDBACK = 200, 201, 205, 206
_NACK, _PLI, _FIR = 1, 1, 4
_CNAME = 1
_REPORT_B = 24


@dataclass(frozen=True, slots=True)
class SenderReport:
    """A publisher's clock: NTP time (64 bit) and RTP timestamp of the same instant; payload bytes sent so far."""

    ssrc: int
    ntp: int
    rtp_timestamp: int
    octets: int = 0


@dataclass(frozen=True, slots=True)
class Nack:
    """A listener misses these sequence numbers of a stream."""

    ssrc: int
    sequences: list[int]


@dataclass(frozen=True, slots=True)
class KeyframeRequest:
    """A listener needs a key frame of a stream (PLI or FIR)."""

    ssrc: int


RtcpEvent = SenderReport | Nack | KeyframeRequest | RtcpReceiverInfo


def read(packet: bytes) -> list[RtcpEvent]:
    """What a compound packet says. Kinds we do not use (SDES, BYE, REMB, transport feedback) are skipped.

    Raises:
        ValueError: The packet is malformed; nothing of it may be used.
    """
    events: list[RtcpEvent] = []
    at = 0
    while at < len(packet):
        if len(packet) - at < 4 or packet[at] >> 6 != 2:
            raise ValueError("RTCP header is malformed")
        count, kind = packet[at] & 0x1F, packet[at + 1]
        end = at + 4 + 4 * (packet[at + 2] << 8 | packet[at + 3])
        if end > len(packet):
            raise ValueError("RTCP packet is truncated")
        body = packet[at + 4 : end]
        if packet[at] & 0x20:
            if not body or not 0 < body[-1] <= len(body):
                raise ValueError("RTCP padding is malformed")
            body = body[: -body[-1]]
        _read_one(kind, count, body, events)
        at = end
    return events


def _read_one(kind: int, count: int, body: bytes, events: list[RtcpEvent]) -> None:
    if kind == _SENDER_REPORT:
        if len(body) < 24 + _REPORT_B * count:
            raise ValueError("RTCP sender report is too short")
        ssrc, ntp, timestamp, octets = struct.unpack_from("!IQI4xI", body)
        events.append(SenderReport(ssrc, ntp, timestamp, octets))
        _read_reports(body[24:], count, events)
    elif kind == _RECEIVER_REPORT:
        if len(body) < 4 + _REPORT_B * count:
            raise ValueError("RTCP receiver report is too short")
        _read_reports(body[4:], count, events)
    elif kind == _TRANSPORT_FEEDBACK and count == _NACK:
        if len(body) < 12 or len(body) % 4:
            raise ValueError("RTCP NACK has a wrong length")
        sequences = []
        for first, mask in struct.iter_unpack("!HH", body[8:]):
            sequences.append(first)
            sequences += [(first + 1 + bit) & 0xFFFF for bit in range(16) if mask >> bit & 1]
        events.append(Nack(int.from_bytes(body[4:8], "big"), sequences))
    elif kind == _PAYLOAD_FEEDBACK and count in (_PLI, _FIR):
        if len(body) < 8:
            raise ValueError("RTCP key frame request is too short")
        if count == _PLI:
            events.append(KeyframeRequest(int.from_bytes(body[4:8], "big")))
        else:  # RFC 5104 section 4.3.1: the streams are named in entries of eight bytes
            events.extend(
                KeyframeRequest(int.from_bytes(body[at : at + 4], "big")) for at in range(8, len(body) - 7, 8)
            )


def _read_reports(blocks: bytes, count: int, events: list[RtcpEvent]) -> None:
    for index in range(count):
        events.append(RtcpReceiverInfo.parse(blocks[index * _REPORT_B : (index + 1) * _REPORT_B]))


def nack(sender_ssrc: int, media_ssrc: int, sequences: list[int]) -> bytes:
    """A NACK for sequence numbers in their order on the circle (RFC 4585 section 6.2.1)."""
    fields: list[tuple[int, int]] = []
    for sequence in sequences:
        if fields and 1 <= (distance := (sequence - fields[-1][0]) & 0xFFFF) <= 16:
            fields[-1] = (fields[-1][0], fields[-1][1] | 1 << (distance - 1))
        else:
            fields.append((sequence, 0))
    body = struct.pack("!II", sender_ssrc, media_ssrc) + b"".join(struct.pack("!HH", *field) for field in fields)
    return struct.pack("!BBH", 0x80 | _NACK, _TRANSPORT_FEEDBACK, len(body) // 4) + body


def picture_loss(sender_ssrc: int, media_ssrc: int) -> bytes:
    """A request for a key frame (PLI, RFC 4585 section 6.3.1)."""
    return struct.pack("!BBHII", 0x80 | _PLI, _PAYLOAD_FEEDBACK, 2, sender_ssrc, media_ssrc)


def receiver_report(sender_ssrc: int, reports: list[RtcpReceiverInfo]) -> bytes:
    """Our reception statistics for a publisher."""
    return bytes(RtcpRrPacket(ssrc=sender_ssrc, reports=reports))


def sender_report(
    report: SenderReport, ssrc: int, timestamp_offset: int, packets: int, octets: int, cname: str
) -> bytes:
    """A publisher's report under a listener's SSRC. NTP stays untouched, so lip-sync is the publisher's own."""
    info = RtcpSenderInfo(
        ntp_timestamp=report.ntp,
        rtp_timestamp=(report.rtp_timestamp + timestamp_offset) & 0xFFFFFFFF,
        packet_count=packets & 0xFFFFFFFF,
        octet_count=octets & 0xFFFFFFFF,
    )
    source = RtcpSourceInfo(ssrc=ssrc, items=[(_CNAME, cname.encode())])
    return bytes(RtcpSrPacket(ssrc=ssrc, sender_info=info)) + bytes(RtcpSdesPacket(chunks=[source]))
