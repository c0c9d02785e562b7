"""RTP packets to a true time line, with real Opus packets."""

import itertools
import random
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from speech_data import opus_packets

from qa.stt.opus import BadPacketError, OpusDecoder, packet_samples
from qa.stt.tap import pack, parse_rtp, unpack
from qa.stt.timeline import AudioPacket, AudioTimeline, unwrap

RATE = 16_000
TONE = (np.sin(np.arange(48_000 * 4) * 2 * np.pi * 440 / 48_000) * 8000).astype(np.int16)
PAYLOADS = opus_packets(TONE)


def packets(first_seq: int = 0, first_ticks: int = 0) -> list[AudioPacket]:
    return [
        AudioPacket((first_seq + i) % 65_536, (first_ticks + 960 * i) % 2**32, i * 20_000_000, payload)
        for i, payload in enumerate(PAYLOADS)
    ]


def decode(timeline: AudioTimeline, stream: list[AudioPacket]) -> list[tuple[int, int]]:
    """Spans (start, end) of decoded samples."""
    spans = []
    for packet in stream:
        timeline.push(packet)
        spans += [(at, at + len(pcm)) for at, pcm in timeline.pop()]
    return spans + [(at, at + len(pcm)) for at, pcm in timeline.pop(flush=True)]


def test_an_unbroken_stream_is_unbroken() -> None:
    spans = decode(AudioTimeline(), packets(first_seq=65_500, first_ticks=2**32 - 48_000))
    assert spans == [(i * 320, (i + 1) * 320) for i in range(len(PAYLOADS))]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_losses_and_disorder_never_move_what_was_said(data: st.DataObject) -> None:
    stream = packets(data.draw(st.integers(0, 65_535)), data.draw(st.integers(0, 2**32 - 1)))
    lost = data.draw(st.sets(st.integers(1, len(stream) - 2), max_size=60))
    order = sorted(
        (i for i in range(len(stream)) if i not in lost),
        key=lambda i: i + (data.draw(st.sampled_from([0, 0, 0, 4.5])) if i else 0),
    )
    timeline = AudioTimeline()
    spans = decode(timeline, [stream[i] for i in order])
    assert timeline.lost == len(lost)
    assert timeline.late == 0
    for (_, end), (start, _) in itertools.pairwise(spans):
        assert start >= end
    starts = {start for start, _ in spans}
    assert {i * 320 for i in order} <= starts
    assert spans[-1][1] == len(stream) * 320


def test_after_an_hour_with_a_lossy_network_a_beep_still_has_its_right_second() -> None:
    """A beep of 200 ms every 30 s, 5 % of the packets lost in bursts, the others up to 100 ms late and out of order."""
    chance = random.Random(1)
    silence, beep = opus_packets(np.zeros(4800, np.int16))[-1], PAYLOADS[50]
    arrivals, losing = [], 0
    for i in range(3600 * 50):
        losing = losing - 1 if losing else chance.choice([0] * 168 + [1, 3, 5])  # a burst of 3 on average
        if not losing:
            payload = beep if i % 1500 < 10 and i >= 3000 else silence
            sent = AudioPacket((60_000 + i) % 65_536, (2**32 - 960 * 9 + 960 * i) % 2**32, i * 20_000_000, payload)
            arrivals.append((i * 0.02 + chance.uniform(0, 0.1), i, sent))
    assert 0.045 < 1 - len(arrivals) / (3600 * 50) < 0.055
    timeline, heard = AudioTimeline(), []
    for _, _, packet in sorted(arrivals):
        timeline.push(packet)
        heard += [at / RATE for at, pcm in timeline.pop() if np.abs(pcm).max() > 1000]
    beeps = [at for before, at in itertools.pairwise([0.0, *heard]) if at - before > 1]
    assert len(beeps) == 118  # none is lost: a beep is ten packets long
    assert max(abs(at - round(at / 30) * 30) for at in beeps) < 0.1
    assert timeline.late == 0


def test_a_single_loss_is_bridged_and_a_long_one_is_a_gap() -> None:
    stream = packets()
    assert sum(end - start for start, end in decode(AudioTimeline(), stream[:50] + stream[51:])) == 200 * 320
    spans = decode(AudioTimeline(), stream[:50] + stream[100:])
    assert sum(end - start for start, end in spans) == 150 * 320
    assert (100 * 320, 101 * 320) in spans


def test_a_pause_of_transmission_is_a_jump_of_the_position() -> None:
    stream = packets()
    later = [AudioPacket(p.seq, p.rtp_timestamp + 48_000 * 60, p.arrival_ns, p.payload) for p in stream[100:]]
    timeline = AudioTimeline()
    spans = decode(timeline, stream[:100] + later)
    assert timeline.lost == 0
    assert spans[100][0] == 100 * 320 + 60 * RATE


def test_a_restarted_clock_is_bridged_by_arrival() -> None:
    stream = packets()
    restarted = [
        AudioPacket(p.seq, (p.rtp_timestamp + 3_000_000_000) % 2**32, p.arrival_ns + 5_000_000_000, p.payload)
        for p in stream[100:]
    ]
    spans = decode(AudioTimeline(), stream[:100] + restarted)
    assert spans[100][0] == pytest.approx(100 * 320 + 5 * RATE, abs=320)
    assert spans[-1][1] - spans[100][0] == 100 * 320


def test_another_worker_continues_on_the_same_time_line() -> None:
    stream = packets(first_ticks=2**32 - 1000)
    first = AudioTimeline()
    decode(first, stream[:10])
    assert decode(AudioTimeline(first.origin_ticks), stream[150:])[0] == (150 * 320, 151 * 320)


def test_garbage_is_counted_and_the_stream_goes_on() -> None:
    stream = packets()
    stream[20] = AudioPacket(stream[20].seq, stream[20].rtp_timestamp, 0, b"\xff" * 3)
    timeline = AudioTimeline()
    assert decode(timeline, stream)[-1][1] == 200 * 320
    assert timeline.bad == 1
    assert packet_samples(b"\xff\xff\xff") == 0
    with pytest.raises(BadPacketError):
        OpusDecoder().decode(b"\xff\xff\xff")


def test_sound_survives() -> None:
    decoder = OpusDecoder()
    heard = np.concatenate([decoder.decode(payload) for payload in PAYLOADS])[RATE:]
    spectrum = np.abs(np.fft.rfft(heard))
    assert np.argmax(spectrum) * RATE / len(heard) == pytest.approx(440, abs=2)


@given(st.integers(0, 65_535), st.integers(0, 2**20))
def test_unwrap_finds_the_nearest(value: int, near: int) -> None:
    found = unwrap(value, near, 16)
    assert found % 65_536 == value
    assert abs(found - near) <= 32_768


@given(st.lists(st.binary(min_size=1, max_size=200), max_size=20))
def test_packets_travel_unchanged(payloads: list[bytes]) -> None:
    sent = [AudioPacket(i, i * 960, 10**18 + i, payload) for i, payload in enumerate(payloads)]
    assert list(unpack(pack(sent))) == sent


def rtp(payload: bytes, *, csrc: int = 0, extension: bytes | None = None, padding: int = 0, version: int = 2) -> bytes:
    first = version << 6 | (0x20 if padding else 0) | (0x10 if extension is not None else 0) | csrc
    head = struct.pack(">BBHII", first, 0x80 | 111, 7, 960, 1) + b"\0" * 4 * csrc
    if extension is not None:
        head += struct.pack(">HH", 0xBEDE, len(extension) // 4) + extension
    return head + payload + (b"\0" * (padding - 1) + bytes([padding]) if padding else b"")


@pytest.mark.parametrize(
    "packet",
    [
        rtp(b"sound"),
        rtp(b"sound", csrc=2),
        rtp(b"sound", extension=b"\x10\x50\0\0"),
        rtp(b"sound", padding=4),
        rtp(b"sound", csrc=1, extension=b"", padding=8),
    ],
)
def test_everything_but_the_payload_is_stripped(packet: bytes) -> None:
    assert parse_rtp(packet, 5) == AudioPacket(7, 960, 5, b"sound")


@given(st.binary(max_size=40))
def test_malformed_packets_are_refused_not_raised(packet: bytes) -> None:
    parsed = parse_rtp(packet, 0)
    assert parsed is None or len(parsed.payload) > 0


def test_empty_and_foreign_packets_are_refused() -> None:
    assert parse_rtp(rtp(b""), 0) is None
    assert parse_rtp(rtp(b"", padding=4), 0) is None
    assert parse_rtp(rtp(b"sound", version=1), 0) is None
