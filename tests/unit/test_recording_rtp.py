"""Packets of a journal are numbered without wrap-around and put in order, each once."""

import itertools
import random

from hypothesis import given, settings
from hypothesis import strategies as st
from rtp_streams import rtp

from recording.finalize.rtp import Numbering, Reorder, RtpPacket, payload_of


def _raw(sequence: int, timestamp: int = 0, payload: bytes = b"x") -> bytes:
    return rtp(96, sequence, timestamp, 1, payload, marker=False)


def _ordered(raws: list[tuple[bytes, int]]) -> tuple[list[RtpPacket], Reorder]:
    numbering, reorder, out = Numbering(), Reorder(), []
    for raw, arrival_ms in raws:
        packet = numbering.packet(raw, arrival_ms * 1_000_000)
        assert packet is not None
        out += list(reorder.push(packet))
    out += list(reorder.flush())
    return out, reorder


@settings(deadline=None)
@given(st.integers(0, 65535), st.integers(0, 2**32 - 1), st.integers(0, 2**31))
def test_numbers_grow_across_wraps(first: int, first_timestamp: int, seed: int) -> None:
    count = 500
    raws = [(_raw(first + n, first_timestamp + n * 30_000_000), n * 10) for n in range(count)]
    order = list(range(count))
    chance = random.Random(seed)
    for at in range(0, count - 8, 8):  # shuffle inside small windows, the first packets included
        part = order[at : at + 8]
        chance.shuffle(part)
        order[at : at + 8] = part
    out, reorder = _ordered([(raws[n][0], place * 10) for place, n in enumerate(order)])
    assert [packet.sequence - out[0].sequence for packet in out] == list(range(count))
    assert [packet.timestamp - out[0].timestamp for packet in out] == [n * 30_000_000 for n in range(count)]
    assert (reorder.received, reorder.missing, reorder.surplus) == (count, 0, 0)


def test_duplicates_are_dropped_and_losses_counted() -> None:
    numbers = [n for n in range(300) if n not in (50, 51, 200)]
    raws = [(_raw(n), n * 10) for n in numbers for _ in range(2 if n % 10 == 0 else 1)]
    out, reorder = _ordered(raws)
    assert [packet.sequence for packet in out] == numbers
    assert reorder.missing == 3
    assert reorder.surplus == len(raws) - len(numbers)


def test_a_hole_is_waited_for_until_the_repair_came_too_late() -> None:
    raws = [(_raw(n), n * 10) for n in range(100) if n != 40]
    in_time, _ = _ordered([*raws[:80], (_raw(40), 1500), *raws[80:]])
    assert [packet.sequence for packet in in_time] == list(range(100))
    streamed = [(_raw(n), n * 10) for n in range(400) if n != 40]
    too_late, reorder = _ordered([*streamed, (_raw(40), 4100)])
    assert 40 not in [packet.sequence for packet in too_late]
    assert (reorder.missing, reorder.surplus) == (1, 1)


def test_a_restarted_stream_is_a_new_epoch_and_no_loss() -> None:
    raws = [(_raw(60_000 + n, n * 960), n * 20) for n in range(100)]
    raws += [(_raw(20_000 + n, 3_000_000_000 + n * 960), 2000 + n * 20) for n in range(100)]
    out, reorder = _ordered(raws)
    assert [packet.epoch for packet in out] == [0] * 100 + [1] * 100
    assert reorder.missing == 0
    steps = {b.timestamp - a.timestamp for a, b in itertools.pairwise(out[100:])}
    assert steps == {960}
    assert all(b.sequence > a.sequence for a, b in itertools.pairwise(out))


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_payload_of_anything_does_not_raise(raw: bytes) -> None:
    payload = payload_of(raw)
    assert payload is None or payload in raw


def test_padding_csrc_and_extension_are_cut_off() -> None:
    packet = bytes((0xB1, 96, 0, 1)) + bytes(8) + b"CSRC" + bytes.fromhex("bede0001") + b"EXT!" + b"media" + b"\0\0\3"
    assert payload_of(packet) == b"media"
