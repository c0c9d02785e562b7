"""H.264 payloads become pictures; what cannot be decoded is left out, and nothing a sender does raises."""

from hypothesis import given, settings
from hypothesis import strategies as st
from rtp_streams import h264_frames, h264_payloads

from recording.finalize.depacketize import Frame
from recording.finalize.h264 import H264, sps_size
from recording.finalize.rtp import RtpPacket

FRAMES = h264_frames(2.0, 322, 240)


def _packets() -> list[RtpPacket]:
    packets: list[RtpPacket] = []
    for number, frame in enumerate(FRAMES):
        payloads = h264_payloads(frame)
        for place, payload in enumerate(payloads):
            packets.append(RtpPacket(len(packets), 0, number * 3000, place == len(payloads) - 1, payload, number))
    return packets


def _run(packets: list[RtpPacket]) -> tuple[list[Frame], H264]:
    depacketizer = H264()
    return [frame for packet in packets for frame in depacketizer.push(packet)], depacketizer


def test_pictures_come_out_whole_with_their_parameter_sets() -> None:
    packets = _packets()
    kinds = {packet.payload[0] & 0x1F for packet in packets}
    assert kinds >= {24, 28}, "the test must use STAP-A and FU-A"
    frames, depacketizer = _run(packets)
    assert (len(frames), depacketizer.dropped) == (60, 0)
    assert [number for number, frame in enumerate(frames) if frame.is_key] == [0, 30]
    assert frames[0].size == (322, 240)
    for frame, original in zip(frames, FRAMES, strict=True):
        last_unit = original.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[-1]
        assert last_unit in frame.data


def test_a_lost_packet_costs_all_up_to_the_next_key_frame() -> None:
    packets = _packets()
    for lost in (0, 5, len(packets) // 4, len(packets) - 1):
        frames, _ = _run(packets[:lost] + packets[lost + 1 :])
        number = packets[lost].timestamp // 3000
        kept = [frame.timestamp // 3000 for frame in frames]
        assert number not in kept
        assert kept == [*range(number), *range(30 if number < 30 else 60, 60)]


def test_size_of_a_damaged_parameter_set_is_not_known() -> None:
    unit = h264_payloads(FRAMES[0])[0][3:]
    assert sps_size(unit) == (322, 240)
    for length in range(1, 9):
        assert sps_size(unit[:length]) is None


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=40), st.booleans(), st.integers(0, 3), st.integers(1, 3))))
def test_anything_may_arrive(stream: list[tuple[bytes, bool, int, int]]) -> None:
    depacketizer, sequence, timestamp = H264(), 0, 0
    for payload, marker, step, jump in stream:
        sequence += jump
        timestamp += step * 3000
        depacketizer.push(RtpPacket(sequence, 0, timestamp, marker, payload, 0))
