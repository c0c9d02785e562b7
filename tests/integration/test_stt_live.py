"""From RTP packets at the tap to live segments, over a real Redis-protocol server."""

import asyncio
import struct
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache

import pytest
from redis.asyncio import Redis
from speech_data import clip, opus_packets, pinyin_likeness, standin_model, turns

from core.ports.media import Seat, SeatStream
from core.ports.speech import Party, Segment
from core.tasks import TaskOwner
from qa.stt import tap as tapping
from qa.stt.leg import Leg, LegPipeline
from qa.stt.leg_reader import LiveConfig, LiveDegraded
from qa.stt.live import LiveTranscriber
from qa.stt.tap import LEGS, SpeechTap, leg_key
from qa.stt.timeline import AudioPacket
from qa.stt.vad import SileroVad
from qa.stt.vosk_engine import VoskRecognizer

CALL = "account_opening_compliant"
START_NS = 1_700_000_000_000_000_000
FAST = LiveConfig(claim_s=0.6, idle_s=30.0)


@pytest.fixture(scope="module")
def vosk() -> VoskRecognizer:
    return VoskRecognizer(standin_model())


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qa.stt.leg_reader.FLUSH_S", 0.02)


def stream(seat: Seat, segment: int = 1) -> SeatStream:
    return SeatStream("call_1", seat, segment, "opus", 111, "VP8", 96, lambda: None, started_ns=START_NS)


@cache
def spoken(party: str, start_s: float, end_s: float) -> list[bytes]:
    return opus_packets(clip(CALL, party, start_s, end_s, 48_000))


def rtp(party: str, start_s: float, end_s: float) -> Iterator[tuple[bytes, int]]:
    """RTP packets of a stretch of the call, with the arrival they would have had."""
    for number, payload in enumerate(spoken(party, start_s, end_s)):
        tick = round(start_s * 50) + number
        head = struct.pack(">BBHII", 0x80, 111, tick % 65_536, (tick * 960 + 4_000_000_000) % 2**32, 7)
        yield head + payload, START_NS + tick * 20_000_000


async def play(tap: SpeechTap, party: str, start_s: float, end_s: float, *, end: bool = True) -> None:
    """Play faster than real time, a flush per 200 ms of sound."""
    [sink] = tap.open(stream(Seat(party)))
    for number, (packet, arrival_ns) in enumerate(rtp(party, start_s, end_s)):
        sink.on_rtp("audio", packet, arrival_ns)
        sink.on_rtp("video", packet, arrival_ns)
        if number % 10 == 9:
            await tap.flush()
    if end:
        sink.close("left")
    await tap.flush()


@dataclass
class Heard:
    """What a live worker told."""

    finals: list[Segment] = field(default_factory=list)
    partials: list[Segment] = field(default_factory=list)
    degraded: list[LiveDegraded] = field(default_factory=list)
    legs: list[tuple[Party, bool]] = field(default_factory=list)

    async def hot_words(self, call_id: str, party: Party) -> list[str]:
        return []

    async def on_leg(self, call_id: str, party: Party, running: bool) -> None:
        self.legs.append((party, running))

    async def on_segment(self, call_id: str, party: Party, segment: Segment, is_final: bool) -> None:
        assert call_id == "call_1"
        assert segment.party is party
        (self.finals if is_final else self.partials).append(segment)

    async def on_degraded(self, what: LiveDegraded) -> None:
        self.degraded.append(what)


@asynccontextmanager
async def worker(
    redis: Redis, engine: VoskRecognizer, name: str = "w1", config: LiveConfig = FAST
) -> AsyncIterator[Heard]:
    heard = Heard()
    owner = TaskOwner("test")
    live = LiveTranscriber(redis, engine, heard, name=name, config=config)
    owner.start("live", live.run())
    try:
        yield heard
    finally:
        await owner.close()


async def until_idle(redis: Redis, timeout_s: float = 60.0) -> None:
    """Wait until every announced leg was taken and acknowledged."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        groups = await redis.xinfo_groups(LEGS) if await redis.exists(LEGS) else []
        if groups and groups[0]["lag"] == 0 and groups[0]["pending"] == 0:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("legs were not finished in time")


async def test_both_parties_are_heard_on_one_time_line(redis: Redis, vosk: VoskRecognizer) -> None:
    tap = SpeechTap(redis)
    async with worker(redis, vosk) as heard:
        await asyncio.gather(play(tap, "teller", 9, 24), play(tap, "customer", 15, 29))
        await until_idle(redis)
    said = [turn for turn in turns(CALL) if 9 <= turn.start_s < 28]
    finals = sorted(heard.finals, key=lambda segment: segment.start_s)
    assert [segment.party for segment in finals] == [turn.party for turn in said]
    for segment, turn in zip(finals, said, strict=True):
        assert turn.start_s - 0.3 <= segment.start_s < segment.end_s <= turn.end_s + 0.3
    assert pinyin_likeness("".join(s.text for s in finals), "".join(t.text for t in said)) > 0.7
    assert heard.degraded == []
    assert sorted(heard.legs) == [(party, running) for party in Party for running in (False, True)]
    assert await redis.exists(leg_key("call_1", "teller", 1)) == 0
    assert tap.dropped == 0


def test_a_sentence_shows_while_it_is_spoken(vosk: VoskRecognizer) -> None:
    pipeline = LegPipeline(Leg("call_1", Party.TELLER, 1, START_NS), vosk, SileroVad())
    packets = (
        AudioPacket(*struct.unpack(">2xHI4x", packet[:12]), arrival_ns, packet[12:])
        for packet, arrival_ns in rtp("teller", 9, 16)
    )
    heard = [one for number, packet in enumerate(packets) for one in pipeline.hear([(f"{number}-0", [packet])])]
    first = next(index for index, one in enumerate(heard) if one.is_final)
    partials = heard[:first]
    assert len(partials) > 3
    assert [one.segment.end_s for one in partials] == sorted(one.segment.end_s for one in partials)
    assert pinyin_likeness(partials[-1].segment.text, heard[first].segment.text) > 0.8


async def test_a_dead_workers_leg_is_continued_by_another(redis: Redis, vosk: VoskRecognizer) -> None:
    tap = SpeechTap(redis)
    async with worker(redis, vosk, "first") as first:
        await play(tap, "teller", 9, 21.5, end=False)
        for _ in range(200):
            if first.finals:
                break
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)  # into the next sentence
    assert len(first.finals) == 1
    async with worker(redis, vosk, "second") as second:
        [sink] = tap.open(stream(Seat.TELLER))
        for packet, arrival_ns in rtp("teller", 21.5, 36):
            sink.on_rtp("audio", packet, arrival_ns)
        sink.close("left")
        await tap.flush()
        await until_idle(redis)
    said = [turn for turn in turns(CALL, "teller") if 19 <= turn.start_s < 35]
    assert len(second.finals) == len(said) == 2
    for segment, turn in zip(second.finals, said, strict=True):
        assert turn.start_s - 0.3 <= segment.start_s < segment.end_s <= turn.end_s + 0.3
        assert pinyin_likeness(segment.text, turn.text) > 0.7


async def test_workers_share_legs_and_hear_each_once(redis: Redis, vosk: VoskRecognizer) -> None:
    tap = SpeechTap(redis)
    one_leg = LiveConfig(max_legs=1, claim_s=5.0, idle_s=3.0)
    async with worker(redis, vosk, "a", one_leg) as a, worker(redis, vosk, "b", one_leg) as b:
        await asyncio.gather(play(tap, "teller", 19, 24), play(tap, "customer", 23, 29))
        await until_idle(redis)
    assert len(a.finals) + len(b.finals) == 2


async def test_a_backlog_is_dropped_visibly(
    redis: Redis, vosk: VoskRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tap = SpeechTap(redis)
    await play(tap, "teller", 9, 15, end=False)
    await asyncio.sleep(1.3)
    [sink] = tap.open(stream(Seat.TELLER))
    for packet, arrival_ns in rtp("teller", 19, 24):
        sink.on_rtp("audio", packet, arrival_ns)
    sink.close("left")
    await tap.flush()
    async with worker(redis, vosk, config=LiveConfig(max_lag_s=1.0)) as heard:
        await until_idle(redis)
    [dropped] = heard.degraded
    assert dropped.missed_s > 1.0
    assert not dropped.final_only
    assert len(heard.finals) == 1
    assert heard.finals[0].start_s == pytest.approx(19.6, abs=0.5)


async def test_a_leg_without_an_end_ends_by_itself(redis: Redis, vosk: VoskRecognizer) -> None:
    tap = SpeechTap(redis)
    async with worker(redis, vosk, config=LiveConfig(idle_s=0.5)) as heard:
        await play(tap, "teller", 19, 22.4, end=False)
        await until_idle(redis)
    assert len(heard.finals) == 1


async def test_broken_entries_give_up_one_leg_only(redis: Redis, vosk: VoskRecognizer) -> None:
    tap = SpeechTap(redis)
    async with worker(redis, vosk) as heard:
        await redis.xadd(leg_key("call_1", "customer", 1), {"a": b"\0" * 5})
        await redis.xadd(LEGS, {"call": "call_1", "party": "customer", "segment": 1, "start_ns": START_NS})
        await play(tap, "teller", 19, 24)
        await until_idle(redis)
    assert [what.final_only for what in heard.degraded] == [True]
    assert len(heard.finals) == 1


async def test_the_tap_drops_the_oldest_when_redis_is_away(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tapping, "QUEUE_PACKETS", 50)
    absent = Redis.from_url("redis://127.0.0.1:9")
    tap = SpeechTap(absent)
    [sink] = tap.open(stream(Seat.TELLER))
    packets = list(rtp("teller", 9, 15))
    for packet, arrival_ns in packets[:40]:
        sink.on_rtp("audio", packet, arrival_ns)
    await tap.flush()
    assert tap.dropped == 0
    for packet, arrival_ns in packets[40:120]:
        sink.on_rtp("audio", packet, arrival_ns)
    await tap.flush()
    assert tap.dropped == 70
    tap._redis = redis
    await tap.flush()
    [(_, fields)] = await redis.xrange(leg_key("call_1", "teller", 1))
    kept = list(tapping.unpack(fields[b"a"]))
    assert [packet.arrival_ns for packet in kept] == [arrival for _, arrival in packets[70:120]]
    await absent.aclose()


async def test_only_opus_is_tapped_and_an_unheard_seat_says_nothing(redis: Redis) -> None:
    tap = SpeechTap(redis)
    pcmu = SeatStream("call_1", Seat.TELLER, 1, "PCMU", 0, "VP8", 96, lambda: None)
    assert tap.open(pcmu) == []
    [sink] = tap.open(stream(Seat.CUSTOMER))
    sink.close("left")
    await tap.flush()
    assert await redis.exists(LEGS) == 0
