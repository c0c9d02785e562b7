"""RTP packets of one audio stream to samples on a true time line.

Packets may come late or never. The RTP timestamp says where each belongs (48 kHz for Opus, RFC 7587 section 4.1), so
losses are concealed, pauses of transmission stay pauses, and minutes later a word still has its right second.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from core.ports.recognizer import SPEECH_RATE_HZ, Pcm
from qa.stt.opus import BadPacketError, OpusDecoder, packet_samples

RTP_RATE_HZ = 48_000
TICKS = RTP_RATE_HZ // SPEECH_RATE_HZ
REORDER_TICKS = RTP_RATE_HZ // 5  # a retransmission takes a round trip: wait 200 ms for it
CONCEAL_MAX = SPEECH_RATE_HZ // 10  # 100 ms: longer "bridges" are invented sound
JUMP_SAMPLES = 10 * 60 * SPEECH_RATE_HZ  # a step this large is a restarted clock, not a pause


@dataclass(frozen=True, slots=True)
class AudioPacket:
    """One RTP audio packet without its header."""

    seq: int
    rtp_timestamp: int
    arrival_ns: int
    payload: bytes


def unwrap(value: int, near: int, bits: int) -> int:
    """The number congruent to `value` modulo 2**bits that lies nearest to `near`."""
    span = 1 << bits
    return near + (value - near + span // 2) % span - span // 2


class AudioTimeline:
    """Puts packets in order, decodes them and tells where the samples belong.

    Position 0 is the packet `origin_ticks` if given (continuing another worker's work), else the first packet.

    Attributes:
        lost / late / bad: Packets never seen, seen too late, and refused by libopus.
    """

    def __init__(self, origin_ticks: int | None = None) -> None:
        self._decoder = OpusDecoder()
        self._heap: list[tuple[int, int, AudioPacket]] = []  # (extended seq, ticks, packet)
        self._near_seq: int | None = None
        self._near_ticks = 0
        self._next_seq: int | None = None
        self._next = 0  # position of the next sample
        self._last_arrival_ns = 0
        self.origin_ticks = origin_ticks
        self.lost = 0
        self.late = 0
        self.bad = 0

    @property
    def position(self) -> int:
        """Position after the last decoded sample."""
        return self._next

    def push(self, packet: AudioPacket) -> None:
        """Take a packet as it arrived."""
        if self._near_seq is None:
            self._near_seq = packet.seq
            self._near_ticks = packet.rtp_timestamp
            if self.origin_ticks is None:
                self.origin_ticks = packet.rtp_timestamp
            else:
                self._near_ticks = unwrap(packet.rtp_timestamp, self.origin_ticks, 32)
        seq = unwrap(packet.seq, self._near_seq, 16)
        ticks = unwrap(packet.rtp_timestamp, self._near_ticks, 32)
        self._near_seq = max(self._near_seq, seq)
        self._near_ticks = ticks
        if self._next_seq is not None and seq < self._next_seq:
            self.late += 1
            return
        heapq.heappush(self._heap, (seq, ticks, packet))

    def pop(self, *, flush: bool = False) -> Iterator[tuple[int, Pcm]]:
        """Samples that can be decoded now, as ``(position, samples)`` in rising order.

        Args:
            flush: Do not wait for missing packets any longer.
        """
        while self._heap:
            seq, ticks, packet = self._heap[0]
            in_order = seq == self._next_seq
            if not in_order and not flush and self._near_ticks - ticks < REORDER_TICKS:
                return
            heapq.heappop(self._heap)
            if self._next_seq is not None and seq < self._next_seq:
                continue  # a duplicate
            yield from self._emit(seq, ticks, packet)

    def _emit(self, seq: int, ticks: int, packet: AudioPacket) -> Iterator[tuple[int, Pcm]]:
        lost = 0 if self._next_seq is None else seq - self._next_seq
        position = self._place(ticks, packet)
        self._next_seq = seq + 1
        if lost:
            self.lost += lost
            yield from self._bridge(position, packet.payload)
        try:
            pcm = self._decoder.decode(packet.payload)
        except BadPacketError:
            self.bad += 1
            return
        self._last_arrival_ns = packet.arrival_ns
        self._next = position + len(pcm)
        yield position, pcm

    def _place(self, ticks: int, packet: AudioPacket) -> int:
        assert self.origin_ticks is not None  # set by the first push
        position = (ticks - self.origin_ticks) // TICKS
        step = position - self._next
        if self._last_arrival_ns and (step < -MAX_OVERLAP or step > JUMP_SAMPLES):
            # The sender's clock was restarted: the time between the arrivals is all that is known.
            waited_s = max(0, packet.arrival_ns - self._last_arrival_ns) / 1e9
            position = self._next + max(0, round(waited_s * SPEECH_RATE_HZ) - packet_samples(packet.payload))
            self.origin_ticks = ticks - position * TICKS
            self._decoder = OpusDecoder()  # whoever speaks now was encoded by another encoder
        return max(position, 0)

    def _bridge(self, position: int, next_payload: bytes) -> Iterator[tuple[int, Pcm]]:
        """Conceal the end of a loss; what lies further back stays a gap."""
        missing = (position - self._next) // 40 * 40
        if not 0 < missing <= CONCEAL_MAX:
            return
        length = packet_samples(next_payload)
        try:
            parts = []
            if missing > length > 0:
                parts.append(self._decoder.conceal(missing - length))
                missing = length
            parts.append(self._decoder.recover(next_payload, missing))
        except BadPacketError:
            return
        pcm = np.concatenate(parts)
        yield position - len(pcm), pcm


MAX_OVERLAP = SPEECH_RATE_HZ  # a timestamp going back by more than a second is a restarted clock
