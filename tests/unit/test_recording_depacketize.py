"""VP8 and Opus payloads become frames; what cannot be decoded is left out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rtp_streams import vp8_frames, vp8_payloads

from recording.finalize.depacketize import Frame, Vp8, opus_duration_s, vp8_descriptor_b, vp8_key_size
from recording.finalize.rtp import RtpPacket

FRAMES = vp8_frames(2.0)


def _packets(frames: tuple[bytes, ...] = FRAMES, *, markers: bool = True) -> list[RtpPacket]:
    packets: list[RtpPacket] = []
    for number, frame in enumerate(frames):
        payloads = vp8_payloads(frame, number, long_id=number % 2 == 0)
        for place, payload in enumerate(payloads):
            last = markers and place == len(payloads) - 1
            packets.append(RtpPacket(len(packets), 0, number * 3000, last, payload, number))
    return packets


def _run(packets: list[RtpPacket]) -> tuple[list[Frame], Vp8]:
    depacketizer = Vp8()
    return [frame for packet in packets for frame in depacketizer.push(packet)], depacketizer


def test_frames_come_out_as_they_went_in() -> None:
    frames, depacketizer = _run(_packets())
    assert tuple(frame.data for frame in frames) == FRAMES
    assert [frame.timestamp for frame in frames] == [number * 3000 for number in range(len(FRAMES))]
    assert [frame.size for frame in frames if frame.is_key] == [(320, 240)] * sum(
        vp8_key_size(frame) is not None for frame in FRAMES
    )
    assert depacketizer.dropped == 0


def test_without_marker_bits_the_next_frame_ends_the_last() -> None:
    frames, _ = _run(_packets(markers=False))
    assert tuple(frame.data for frame in frames) == FRAMES[:-1]


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_after_a_loss_nothing_until_the_next_key_frame(pick: int) -> None:
    packets = _packets()
    lost = packets[pick % len(packets)]
    frames, depacketizer = _run([packet for packet in packets if packet is not lost])
    hit = lost.timestamp // 3000
    keys = [number for number, frame in enumerate(FRAMES) if vp8_key_size(frame)]
    resumed = next((key for key in keys if key > hit), len(FRAMES))
    expected = [number for number in range(len(FRAMES)) if number < hit or number >= resumed]
    assert [frame.timestamp // 3000 for frame in frames] == expected
    assert all(frame.data == FRAMES[frame.timestamp // 3000] for frame in frames)
    if expected != list(range(hit)) and resumed - hit > 1:
        assert depacketizer.dropped > 0


def test_padding_only_packets_do_not_break_a_frame() -> None:
    packets: list[RtpPacket] = []
    for packet in _packets():
        packets.append(RtpPacket(packet.sequence * 2, 0, packet.timestamp, packet.marker, packet.payload, 0))
        packets.append(RtpPacket(packet.sequence * 2 + 1, 0, packet.timestamp, False, b"", 0))
    frames, _ = _run(packets)
    assert tuple(frame.data for frame in frames) == FRAMES


def test_a_restart_waits_for_a_key_frame() -> None:
    packets = _packets()
    other = [
        RtpPacket(p.sequence + 1000, 1, p.timestamp, p.marker, p.payload, 0) for p in packets if p.timestamp >= 9000
    ]
    frames, _ = _run([packet for packet in packets if packet.timestamp < 30_000] + other)
    first_after = next(frame for frame in frames if frame.epoch == 1)
    assert first_after.is_key


@pytest.mark.parametrize(
    ("descriptor", "length"),
    [
        ("10", 1),
        ("908005", 3),
        ("90808005", 4),
        ("9040aa", 3),
        ("9020aa", 3),
        ("90f0800711aa", 6),
        ("90f0071122", 5),
    ],
)
def test_descriptor_lengths_of_rfc_7741(descriptor: str, length: int) -> None:
    assert vp8_descriptor_b(bytes.fromhex(descriptor) + b"\x00") == length
    assert vp8_descriptor_b(bytes.fromhex(descriptor)[:length]) == 0


@settings(deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=12), st.booleans(), st.integers(0, 3)), max_size=30))
def test_garbage_never_raises(items: list[tuple[bytes, bool, int]]) -> None:
    depacketizer = Vp8()
    for sequence, (payload, marker, timestamp) in enumerate(items):
        for frame in depacketizer.push(RtpPacket(sequence, 0, timestamp, marker, payload, 0)):
            assert frame.data


@settings(deadline=None)
@given(st.binary(max_size=8))
def test_opus_durations_are_sane(payload: bytes) -> None:
    assert 0 <= opus_duration_s(payload) <= 0.12


def test_opus_durations() -> None:
    assert opus_duration_s(bytes([0b01111_0_00, 0])) == 0.02  # hybrid fullband, one frame
    assert opus_duration_s(bytes([0b00011_0_00, 0])) == 0.06  # SILK narrowband
    assert opus_duration_s(bytes([0b11111_1_01, 0])) == 0.04  # CELT fullband, two frames
    assert opus_duration_s(bytes([0b11100_0_11, 4])) == 0.01  # four of 2.5 ms
    assert opus_duration_s(b"") == 0.0
