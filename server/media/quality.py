"""How good a leg is: one sample per second from counters that are there anyway, and their sum over a call."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from core.ports.media import QualitySample, QualitySummary, Seat
from server.media.streams import CLOCK_RATE_HZ, Downlink, Uplink

SMOOTH = 0.3
"""Weight of the newest second in the bars: a single lost packet does not move them, three bad seconds do."""

FROZEN_AFTER = 2
"""Seconds without a packet of a picture that had begun until it counts as standing still. A camera that is switched
off sends black about once a second."""

_LIMITS = ((4, 0.02, 250.0, 40.0), (3, 0.05, 400.0, 80.0), (2, 0.12, 800.0, 150.0))
"""Bars with the loss, round trip and jitter (ms) they allow: Opus conceals 5 % well (RFC 7587), talk suffers from
150 ms one way and breaks at 400 (ITU-T G.114)."""


def bars_for(loss: float, rtt_ms: float, jitter_ms: float, *, frozen: bool, silent: bool) -> int:
    """0 (nothing comes) to 4 (very good)."""
    if silent:
        return 0
    found = next(
        (
            bars
            for bars, most_loss, most_rtt, most_jitter in _LIMITS
            if loss <= most_loss and rtt_ms <= most_rtt and jitter_ms <= most_jitter
        ),
        1,
    )
    return min(found, 2) if frozen else found


@dataclass(slots=True)
class _UpMarks:
    """Counters of an uplink at the last sample."""

    expected: int
    originals: int
    packets: int
    given_up: int


class LegMeter:
    """Makes a transport's samples. Reads counters only; nothing here runs per packet."""

    def __init__(self, call_id: str, seat: Seat, peer_id: str) -> None:
        self._identity = (call_id, seat, peer_id)
        self._up: dict[Uplink, _UpMarks] = {}
        self._sent_b: dict[Downlink, int] = {}
        self._at_ns: int | None = None
        self._still_s = 0
        self._smooth: tuple[float, float, float] | None = None  # loss, round trip, jitter

    def sample(
        self, uplinks: Iterable[Uplink], downlinks: Iterable[Downlink], now_ns: int, *, silent: bool
    ) -> QualitySample | None:
        """The second since the last call; None the first time, when there is nothing to compare with.

        Args:
            silent: The watchdog says that nothing comes any more.
        """
        passed_s = 0.0 if self._at_ns is None else (now_ns - self._at_ns) / 1e9
        self._at_ns = now_ns
        loss_up, bitrate_up, jitter_up, frozen = self._upwards(uplinks)
        loss_down, sent_b, jitter_down, rtt_ms = self._downwards(downlinks)
        if passed_s <= 0:
            return None
        smooth = (max(loss_up, loss_down), rtt_ms or 0.0, max(jitter_up, jitter_down))
        if self._smooth is not None:
            smooth = (
                SMOOTH * smooth[0] + (1 - SMOOTH) * self._smooth[0],
                SMOOTH * smooth[1] + (1 - SMOOTH) * self._smooth[1],
                SMOOTH * smooth[2] + (1 - SMOOTH) * self._smooth[2],
            )
        self._smooth = smooth
        call_id, seat, peer_id = self._identity
        return QualitySample(
            call_id=call_id,
            seat=seat,
            peer_id=peer_id,
            loss_up=round(loss_up, 4),
            loss_down=round(loss_down, 4),
            jitter_up_ms=round(jitter_up, 1),
            jitter_down_ms=round(jitter_down, 1),
            rtt_ms=None if rtt_ms is None else round(rtt_ms, 1),
            bitrate_up_bps=0 if silent else bitrate_up,
            bitrate_down_bps=int(sent_b * 8 / passed_s),
            frozen=frozen,
            bars=bars_for(*smooth, frozen=frozen, silent=silent),
        )

    def _upwards(self, uplinks: Iterable[Uplink]) -> tuple[float, int, float, bool]:
        """Loss, bit rate and jitter (ms) of what the browser sends, and whether its picture stands still."""
        expected = lost = bitrate_bps = 0
        jitter_ms, frozen = 0.0, False
        for uplink in uplinks:
            now = _UpMarks(uplink.expected, uplink.originals, uplink.packets, uplink.given_up)
            before = self._up.get(uplink, _UpMarks(0, now.originals - now.expected, 0, now.given_up))
            self._up[uplink] = now
            came = now.packets - before.packets
            if came > 0:  # less than before after a restart of the stream: nothing to compare
                expected += max(0, now.expected - before.expected)
                # Those that are only late make up for it when they come: jitter is not loss.
                lost += now.expected - before.expected - (now.originals - before.originals)
                bitrate_bps += uplink.bitrate_bps
            if uplink.kind == "audio":
                jitter_ms = uplink.jitter * 1000 / CLOCK_RATE_HZ["audio"]
            elif uplink.name == "video" and now.packets:  # a shared screen may well stand still
                self._still_s = 0 if came else self._still_s + 1
                frozen = self._still_s >= FROZEN_AFTER or now.given_up > before.given_up
        return min(1.0, max(0, lost) / expected) if expected else 0.0, bitrate_bps, jitter_ms, frozen

    def _downwards(self, downlinks: Iterable[Downlink]) -> tuple[float, int, float, float | None]:
        """Loss, bytes, jitter (ms) and round trip (ms) of what the browser gets; the worst stream speaks for all."""
        loss, sent_b, jitter_ms, rtt_ms = 0.0, 0, 0.0, None
        for downlink in downlinks:
            sent_b += downlink.octets - self._sent_b.get(downlink, 0)
            self._sent_b[downlink] = downlink.octets
            if downlink.source is None:
                continue
            if downlink.report is not None:
                loss = max(loss, downlink.report.fraction_lost / 256)
                if downlink.kind == "audio":
                    jitter_ms = max(jitter_ms, downlink.report.jitter * 1000 / CLOCK_RATE_HZ["audio"])
            if downlink.rtt_ms is not None:
                rtt_ms = max(rtt_ms or 0.0, downlink.rtt_ms)
        return loss, sent_b, jitter_ms, rtt_ms


@dataclass(slots=True)
class Tally:
    """Adds a seat's samples up. Outlives the seat's transports."""

    seat: Seat
    seconds: int = 0
    rtt_seconds: int = 0
    rtt_max_ms: float | None = None
    freezes: int = 0
    frozen_s: int = 0
    bars_s: list[int] = field(default_factory=lambda: [0] * 5)
    _sums: dict[str, float] = field(default_factory=dict)
    _most: dict[str, float] = field(default_factory=dict)
    _frozen: bool = False

    def add(self, sample: QualitySample) -> None:
        """Count one second."""
        self.seconds += 1
        for name in _AVERAGED:
            value = getattr(sample, name)
            self._sums[name] = self._sums.get(name, 0.0) + value
            self._most[name] = max(self._most.get(name, 0.0), value)
        if sample.rtt_ms is not None:
            self.rtt_seconds += 1
            self._sums["rtt_ms"] = self._sums.get("rtt_ms", 0.0) + sample.rtt_ms
            self.rtt_max_ms = max(self.rtt_max_ms or 0.0, sample.rtt_ms)
        self.freezes += sample.frozen and not self._frozen
        self.frozen_s += sample.frozen
        self._frozen = sample.frozen
        self.bars_s[sample.bars] += 1

    def summary(self) -> QualitySummary | None:
        """What has been added up; None when nothing has."""
        if not self.seconds:
            return None
        mean: Mapping[str, float] = {name: self._sums[name] / self.seconds for name in _AVERAGED}
        one, two, three, four, five = self.bars_s
        return QualitySummary(
            seat=self.seat,
            seconds=self.seconds,
            loss_up=round(mean["loss_up"], 5),
            loss_up_max=self._most["loss_up"],
            loss_down=round(mean["loss_down"], 5),
            loss_down_max=self._most["loss_down"],
            jitter_up_ms=round(mean["jitter_up_ms"], 1),
            jitter_down_ms=round(mean["jitter_down_ms"], 1),
            rtt_ms=round(self._sums["rtt_ms"] / self.rtt_seconds, 1) if self.rtt_seconds else None,
            rtt_max_ms=self.rtt_max_ms,
            bitrate_up_bps=int(mean["bitrate_up_bps"]),
            bitrate_down_bps=int(mean["bitrate_down_bps"]),
            freezes=self.freezes,
            frozen_s=self.frozen_s,
            bars_s=(one, two, three, four, five),
        )


_AVERAGED = ("loss_up", "loss_down", "jitter_up_ms", "jitter_down_ms", "bitrate_up_bps", "bitrate_down_bps")
