"""Speech tap: a media node's end of the way to the recognisers.

Audio payloads of each seat go, still encoded, into a Redis stream per transport ("leg"); legs are announced on one
stream that all workers share. Nothing is decoded here: about 5 small writes a second and leg.
"""

import asyncio
import contextlib
import struct
from collections import deque
from collections.abc import Iterable, Iterator

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.ports.media import MediaKind, MediaSink, SeatStream
from qa.stt.timeline import AudioPacket

log = structlog.get_logger(__name__)

LEGS = "tap:legs"
"""Stream of announcements: fields ``call``, ``party``, ``segment``, ``start_ns`` (the call's time zero)."""
AUDIO, END = b"a", b"end"
"""Fields of a leg's entries: packed packets, or the reason of its end."""

FLUSH_S = 0.2
TOGETHER = 32
"""Legs sent in one round trip: most of what a write costs here is the waiting for its answer."""

LEG_ENTRIES = 3_000  # 10 minutes of flushes; readers further behind have lost their purpose
LEG_TTL_S = 3_600
TTL_EVERY = 300
"""Flushes of a leg, a minute, after which its life is prolonged: with each one it would be half of what is sent."""

END_ATTEMPTS = 300  # a minute of flushes; afterwards readers find out by themselves that the leg is idle
QUEUE_PACKETS = 1_500  # 30 s of 20 ms packets survive an absent Redis
_HEAD = struct.Struct(">HIQH")  # sequence number, RTP timestamp, arrival in ns, payload length


def leg_key(call_id: str, party: str, segment: int) -> str:
    """Redis key of one leg's stream."""
    return f"tap:{call_id}:{party}:{segment}"


def pack(packets: Iterable[AudioPacket]) -> bytes:
    """Packets as they travel."""
    return b"".join(
        _HEAD.pack(packet.seq, packet.rtp_timestamp, packet.arrival_ns, len(packet.payload)) + packet.payload
        for packet in packets
    )


def unpack(data: bytes) -> Iterator[AudioPacket]:
    """The reverse of `pack`. Raises struct.error on broken data."""
    at = 0
    while at < len(data):
        seq, timestamp, arrival_ns, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size + length
        yield AudioPacket(seq, timestamp, arrival_ns, data[at - length : at])


def parse_rtp(packet: bytes, arrival_ns: int) -> AudioPacket | None:
    """Strip all but the payload (RFC 3550 section 5.1); None when malformed or empty."""
    if len(packet) < 12 or packet[0] >> 6 != 2:
        return None
    start = 12 + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10:
        if len(packet) < start + 4:
            return None
        start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4])
    end = len(packet) - (packet[-1] if packet[0] & 0x20 else 0)
    if start >= end:
        return None
    seq, timestamp = int.from_bytes(packet[2:4]), int.from_bytes(packet[4:8])
    return AudioPacket(seq, timestamp, arrival_ns, packet[start:end])


class SpeechTapSink:
    """Collects one seat's audio between flushes. Called on the packet path: a deque append, nothing more.

    Attributes:
        dropped: Packets thrown away because Redis could not be reached for too long (the oldest go first).
    """

    kinds: frozenset[MediaKind] = frozenset(("audio",))

    def __init__(self, stream: SeatStream) -> None:
        self.stream = stream
        self.key = leg_key(stream.call_id, stream.seat.value, stream.segment)
        self.queue: deque[AudioPacket] = deque()
        self.announced = False
        self.end_reason: str | None = None
        self.end_attempts = 0
        self.done = False
        self.dropped = 0
        self.sent = 0  # flushes

    def on_rtp(self, kind: MediaKind, packet: bytes, arrival_ns: int) -> None:
        if kind != "audio" or len(packet) < 2 or packet[1] & 0x7F != self.stream.audio_payload_type:
            return
        parsed = parse_rtp(packet, arrival_ns)
        if parsed is None:
            return
        if len(self.queue) >= QUEUE_PACKETS:
            self.queue.popleft()
            self.dropped += 1
        self.queue.append(parsed)

    def take(self) -> list[AudioPacket]:
        """Empty the queue."""
        batch = list(self.queue)
        self.queue.clear()
        return batch

    def put_back(self, batch: list[AudioPacket]) -> None:
        """A flush failed: its packets stay first in line as far as there is room."""
        room = max(0, QUEUE_PACKETS - len(self.queue))
        self.dropped += max(0, len(batch) - room)
        self.queue.extendleft(reversed(batch[len(batch) - room :] if room < len(batch) else batch))

    def on_sender_report(self, kind: MediaKind, ntp: int, rtp_timestamp: int) -> None:
        """Not needed: both parties are put on one time line by arrival, which is near enough for text."""

    def close(self, reason: str) -> None:
        self.end_reason = reason


class SpeechTap:
    """All tapped seats of a media node and the one task that flushes them.

    Args:
        redis: Client without `decode_responses`.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._sinks: list[SpeechTapSink] = []
        self._failing = False

    @property
    def dropped(self) -> int:
        """Packets dropped on the seats that are live now."""
        return sum(sink.dropped for sink in self._sinks)

    def open(self, stream: SeatStream) -> list[MediaSink]:
        """A `MediaSinkFactory`: subscribe to a seat if its audio is Opus."""
        if stream.audio_codec.lower() != "opus":
            log.warning("seat not tapped", call_id=stream.call_id, codec=stream.audio_codec)
            return []
        sink = SpeechTapSink(stream)
        self._sinks.append(sink)
        return [sink]

    async def run(self) -> None:
        """Flush until cancelled; what is left then is flushed once more, within a second."""
        try:
            while True:
                await asyncio.sleep(FLUSH_S)
                await self.flush()
        finally:
            for sink in self._sinks:
                sink.close("node_stopped")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self.flush()

    async def flush(self) -> None:
        """Send what every seat has collected. Redis being away is logged once and tried again next time."""
        due = [sink for sink in self._sinks if _is_due(sink)]
        try:
            for at in range(0, len(due), TOGETHER):
                await self._flush_some(due[at : at + TOGETHER])
        except (RedisError, OSError) as error:  # a timeout is an OSError too
            if not self._failing:
                log.warning("speech tap cannot reach redis", error=str(error))
            self._failing = True
        else:
            self._failing = False
        self._sinks = [sink for sink in self._sinks if not sink.done]

    async def _flush_some(self, sinks: list[SpeechTapSink]) -> None:
        batches = [(sink, sink.take(), sink.end_reason) for sink in sinks]
        try:
            async with asyncio.timeout(2.0):
                await self._send(batches)
        except BaseException:
            for sink, batch, _ in batches:
                sink.put_back(batch)
            raise
        for sink, _, ended in batches:
            sink.announced = True
            sink.sent += 1
            sink.done = ended is not None

    async def _send(self, batches: list[tuple[SpeechTapSink, list[AudioPacket], str | None]]) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            for sink, batch, ended in batches:
                if batch:
                    pipe.xadd(sink.key, {AUDIO: pack(batch)}, maxlen=LEG_ENTRIES, approximate=True)
                if ended is not None:
                    pipe.xadd(sink.key, {END: ended})
                if ended is not None or sink.sent % TTL_EVERY == 0:
                    pipe.expire(sink.key, LEG_TTL_S)
                if not sink.announced:
                    pipe.xadd(LEGS, _announcement(sink.stream), maxlen=10_000, approximate=True)  # type: ignore[arg-type]
            await pipe.execute()


def _is_due(sink: SpeechTapSink) -> bool:
    """Whether there is something to send; counts the attempts to tell of an end."""
    if sink.end_reason is not None:
        sink.end_attempts += 1
        unheard = not sink.announced and not sink.queue
        sink.done = unheard or sink.end_attempts > END_ATTEMPTS
    return not sink.done and bool(sink.queue or sink.end_reason is not None)


def _announcement(stream: SeatStream) -> dict[str, str | int]:
    return {
        "call": stream.call_id,
        "party": stream.seat.value,
        "segment": stream.segment,
        "start_ns": stream.started_ns,
    }
