"""RTCP: malformed packets are refused whole, what we write is read by aiortc."""

import pytest
from aiortc.rtp import RtcpPacket, RtcpPsfbPacket, RtcpReceiverInfo, RtcpRtpfbPacket, RtcpSrPacket
from hypothesis import given
from hypothesis import strategies as st

from server.media import rtcp

likely = st.builds(
    lambda count, kind, body: bytes((0x80 | count, kind)) + (len(body) // 4).to_bytes(2, "big") + body,
    st.integers(0, 0x3F),
    st.sampled_from([200, 201, 202, 203, 205, 206]),
    st.binary(max_size=80),
)


@given(st.one_of(st.binary(max_size=120), likely, st.lists(likely, max_size=3).map(b"".join)))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        rtcp.read(data)
    except ValueError:
        return


@given(st.integers(0, 0xFFFF), st.sets(st.integers(0, 400), min_size=1, max_size=60))
def test_a_nack_names_exactly_what_is_missing_across_the_wrap(first: int, holes: set[int]) -> None:
    missing = [(first + hole) & 0xFFFF for hole in sorted(holes)]
    (event,) = rtcp.read(rtcp.nack(1, 2, missing))
    assert event == rtcp.Nack(2, missing)


def test_a_nack_is_understood_by_aiortc() -> None:
    (packet,) = RtcpPacket.parse(rtcp.nack(1, 2, [5, 6, 30]))
    assert isinstance(packet, RtcpRtpfbPacket)
    assert (packet.media_ssrc, packet.lost) == (2, [5, 6, 30])


def test_a_key_frame_request_goes_both_ways() -> None:
    data = rtcp.picture_loss(1, 2)
    (packet,) = RtcpPacket.parse(data)
    assert isinstance(packet, RtcpPsfbPacket)
    assert (packet.fmt, packet.media_ssrc) == (1, 2)
    assert rtcp.read(data) == [rtcp.KeyframeRequest(2)]


def test_a_sender_report_keeps_ntp_and_moves_the_timestamp() -> None:
    report = rtcp.SenderReport(ssrc=7, ntp=0x1234567890ABCDEF, rtp_timestamp=0xFFFFFFF0)
    data = rtcp.sender_report(report, ssrc=9, timestamp_offset=0x20, packets=3, octets=99, cname="seat")
    first, _ = RtcpPacket.parse(data)
    assert isinstance(first, RtcpSrPacket)
    assert (first.ssrc, first.sender_info.ntp_timestamp, first.sender_info.rtp_timestamp) == (9, report.ntp, 0x10)
    assert rtcp.read(data) == [rtcp.SenderReport(9, report.ntp, 0x10, octets=99)]


def test_a_receiver_report_is_read_back() -> None:
    info = RtcpReceiverInfo(5, 3, -2, 70_000, 12, 34, 56)
    assert rtcp.read(rtcp.receiver_report(1, [info])) == [info]


@pytest.mark.parametrize(
    "data", [b"\x80", b"\x40\xc8\0\0", b"\x80\xc8\0\x09" + bytes(8), b"\xa0\xc9\0\x01\0\0\0\x09", b"\x81\xcd\0\0"]
)
def test_truncated_or_padded_nonsense_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="RTCP"):
        rtcp.read(data)
