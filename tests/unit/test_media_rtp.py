"""RTP helpers: nothing that authenticates may make them raise, and rewriting changes only what it names."""

from hypothesis import given
from hypothesis import strategies as st
from media_fakes import packet

from server.media import rtp

raw = st.binary(max_size=64)
likely = st.builds(lambda first, rest: bytes((0x80 | first,)) + rest, st.integers(0, 0x3F), st.binary(max_size=80))
u16, u32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)


@given(st.binary(min_size=1, max_size=60), st.integers(0, 19))
def test_one_look_says_the_same_as_two(noise: bytes, cut: int) -> None:
    usual = packet(7, extension=b"\x41\x12\x34\x00")
    for data in (noise, bytes((0x90,)) + noise, usual[:-1] + noise, usual[:cut], usual[:cut] + noise):
        start = rtp.payload_start(data)
        sequence = None if start < 0 else rtp.transport_sequence(data, start, 4)
        assert rtp.look(data, 4) == (start, sequence)


@given(st.one_of(raw, likely), st.integers(1, 14))
def test_any_bytes_are_judged_and_an_accepted_packet_can_be_used(data: bytes, extension_id: int) -> None:
    start = rtp.payload_start(data)
    if start < 0:
        return
    assert 12 <= start <= rtp.payload_end(data) <= len(data)
    rtp.transport_sequence(data, start, extension_id)
    rtp.from_rtx(data, 100, b"abcd")
    wrapped = rtp.to_rtx(data, 101, b"efgh", 7)
    assert rtp.payload_start(wrapped) == start
    assert rtp.sequence_of(wrapped) == 7


@given(u16, u32, u32, u16, u32, u32, st.binary(max_size=40))
def test_rewriting_moves_numbers_on_the_circle_and_keeps_the_rest(
    sequence: int, timestamp: int, ssrc: int, sequence_offset: int, timestamp_offset: int, new_ssrc: int, payload: bytes
) -> None:
    before = packet(sequence, timestamp=timestamp, ssrc=ssrc, marker=True, payload=payload)
    after = rtp.rewritten(before, new_ssrc.to_bytes(4, "big"), sequence_offset, timestamp_offset)
    assert rtp.sequence_of(after) == (sequence + sequence_offset) % 65536
    assert rtp.timestamp_of(after) == (timestamp + timestamp_offset) % 2**32
    assert rtp.ssrc_of(after) == new_ssrc
    assert (after[:2], after[12:]) == (before[:2], before[12:])


@given(u16, u32, u16, st.booleans(), st.binary(min_size=1, max_size=40), st.booleans())
def test_a_retransmission_unwraps_to_the_original(
    sequence: int, timestamp: int, rtx_sequence: int, marker: bool, payload: bytes, extended: bool
) -> None:
    extension = b"\x31\x12\x34\x00" if extended else b""
    original = packet(sequence, timestamp=timestamp, ssrc=9, marker=marker, payload=payload, extension=extension)
    wrapped = rtp.to_rtx(original, 101, b"rtx!", rtx_sequence)
    assert rtp.payload_type_of(wrapped) == 101
    assert rtp.sequence_of(wrapped) == rtx_sequence
    assert rtp.from_rtx(wrapped, 100, (9).to_bytes(4, "big")) == original


def test_a_probe_of_padding_is_no_retransmission() -> None:
    probe = bytearray(packet(1, ssrc=2, payload_type=101, payload=b"\0" * 7 + b"\x08"))
    probe[0] |= 0x20
    assert rtp.from_rtx(bytes(probe), 100, b"abcd") is None


def test_padding_of_a_retransmission_is_cut_off() -> None:
    wrapped = bytearray(rtp.to_rtx(packet(5, payload=b"frame"), 101, b"rtx!", 1) + b"\0\0\0\x04")
    wrapped[0] |= 0x20
    assert rtp.from_rtx(bytes(wrapped), 100, (1).to_bytes(4, "big")) == packet(5, payload=b"frame")


def test_the_transport_number_is_found_among_other_extensions() -> None:
    data = packet(1, extension=b"\x20\x55\x00\x41\x12\x34\x00\x00")
    start = rtp.payload_start(data)
    assert rtp.transport_sequence(data, start, 4) == 0x1234
    assert rtp.transport_sequence(data, start, 3) is None
    assert rtp.transport_sequence(packet(1), 12, 4) is None


@given(u16, st.integers(-0x8000, 0x7FFF))
def test_distance_on_the_circle(earlier: int, distance: int) -> None:
    assert rtp.sequence_delta((earlier + distance) & 0xFFFF, earlier) == distance
