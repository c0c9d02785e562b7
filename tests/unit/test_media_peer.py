"""The packet path of one transport, without a network."""

import random

import pytest
from aiortc import RTCCertificate
from hypothesis import given, settings
from hypothesis import strategies as st
from media_fakes import RememberingSink, packet

from core.ports.media import PeerState, Seat, SeatStream
from server.media import rtcp, rtp, sdp
from server.media.config import Binding
from server.media.peer import Peer
from server.media.sinks import SinkGroup
from server.media.streams import Downlink

CERTIFICATE = RTCCertificate.generateCertificate()
MS = 1_000_000
NAMED = (sdp.UplinkSpec("audio", "opus", 111, 11, None), sdp.UplinkSpec("video", "VP8", 100, 21, 22))
UNNAMED = (sdp.UplinkSpec("audio", "opus", 111, None, None), sdp.UplinkSpec("video", "VP8", 100, None, None))


class Bench:
    """A connected peer whose transport only notes what it is to send, with one listener and one sink."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch | None, uplinks: tuple[sdp.UplinkSpec, ...] = NAMED) -> None:
        self.uplinks_found = 0
        self.peer = Peer("call_1", Seat.CUSTOMER, CERTIFICATE, Binding(("127.0.0.1",)), lambda _: None, self._found)
        self.rtcp_out: list[bytes] = []
        self.peer.transport.send_rtcp = self.rtcp_out.append  # type: ignore[method-assign]
        self.forwarded: list[bytes] = []
        self.downlink = Downlink(
            "video", 77, 78, 101, "x", lambda packet, _: self.forwarded.append(packet), lambda _: None
        )
        stream = SeatStream("call_1", Seat.CUSTOMER, 1, "opus", 111, "VP8", 100, self.peer.request_keyframe)
        self.sink = RememberingSink(stream)
        self.peer.sinks = SinkGroup(stream, lambda _: [self.sink], lambda _: None)
        self.peer.connected = True
        for spec in uplinks:
            if spec.ssrc is None:
                self.peer._expected[spec.payload_type] = spec
            else:
                self.peer._add_uplink(spec, spec.ssrc)
        self._found()

    def _found(self) -> None:
        self.uplinks_found += 1
        video = self.peer.uplinks.get("video")
        if video is not None:
            video.downlinks = (self.downlink,)

    def nacks(self) -> list[int]:
        return [
            sequence
            for data in self.rtcp_out
            for event in rtcp.read(data)
            if isinstance(event, rtcp.Nack)
            for sequence in event.sequences
        ]

    def key_frame_requests(self) -> int:
        return sum(isinstance(event, rtcp.KeyframeRequest) for data in self.rtcp_out for event in rtcp.read(data))


def video(sequence: int, **fields) -> bytes:
    return packet(sequence, ssrc=21, payload_type=100, **fields)


async def test_packets_reach_listener_and_sink_once_and_in_order_of_arrival() -> None:
    bench = Bench(None)
    for sequence in (1, 2, 2, 4, 3, 3):
        bench.peer.on_rtp(video(sequence), 0)
    bench.peer.on_rtp(packet(9, ssrc=11, payload_type=111), 0)
    assert [rtp.sequence_of(data) for data in bench.forwarded] == [1, 2, 4, 3]
    assert bench.sink.sequences("video") == [1, 2, 4, 3]
    assert bench.sink.sequences("audio") == [9]
    assert bench.nacks() == [3]


async def test_a_lost_packet_is_rebuilt_from_its_retransmission_once() -> None:
    bench = Bench(None)
    lost = video(2, timestamp=9, marker=True, payload=b"second")
    for data in (video(1), video(3)):
        bench.peer.on_rtp(data, 0)
    wrapped = rtp.to_rtx(lost, sdp.VIDEO_RTX, (22).to_bytes(4, "big"), 500)
    bench.peer.on_rtp(wrapped, 0)
    bench.peer.on_rtp(rtp.to_rtx(lost, sdp.VIDEO_RTX, (22).to_bytes(4, "big"), 501), 0)
    assert bench.sink.sequences("video") == [1, 3, 2]
    assert bench.sink.packets[-1][1] == lost
    assert len(bench.forwarded) == 3


async def test_streams_the_answer_did_not_name_are_learned_by_payload_type_but_only_once() -> None:
    bench = Bench(None, UNNAMED)
    bench.peer.on_rtp(packet(1, ssrc=901, payload_type=100), 0)
    bench.peer.on_rtp(packet(3, ssrc=901, payload_type=100), 0)
    lost = packet(2, ssrc=901, payload_type=100)
    bench.peer.on_rtp(rtp.to_rtx(lost, sdp.VIDEO_RTX, (902).to_bytes(4, "big"), 1), 0)
    bench.peer.on_rtp(packet(1, ssrc=903, payload_type=100), 0)
    assert bench.sink.sequences("video") == [1, 3, 2]
    assert bench.peer.counters["unknown_ssrc"] == 1
    assert bench.uplinks_found == 2


async def test_wrong_packets_are_dropped_and_counted() -> None:
    bench = Bench(None)
    bench.peer.on_rtp(b"\x80" * 5, 0)
    bench.peer.on_rtp(packet(1, ssrc=5), 0)
    bench.peer.on_rtp(packet(1, ssrc=21, payload_type=96), 0)
    bench.peer.on_rtp(packet(1, ssrc=22, payload_type=101, payload=b""), 0)
    bench.peer.on_rtcp(b"\x80\xc8", 0)
    assert dict(bench.peer.counters) == {
        "malformed_rtp": 1, "unknown_ssrc": 1, "wrong_payload_type": 1, "unusable_rtx": 1, "malformed_rtcp": 1,
    }  # fmt: skip
    assert bench.forwarded == []
    assert bench.sink.packets == []


async def test_key_frames_are_asked_for_seek_points_and_for_listeners_but_seldom(monkeypatch) -> None:
    bench = Bench(monkeypatch)
    now_ns = 1_000 * MS
    monkeypatch.setattr("server.media.peer.time.monotonic_ns", lambda: now_ns)
    bench.peer.request_keyframe()
    assert bench.key_frame_requests() == 0, "a stream begins with one"
    bench.peer.on_rtp(video(1), now_ns)
    for _ in range(120):
        bench.peer.tick(now_ns)
        now_ns += 100 * MS
    assert bench.key_frame_requests() == 2, "at 5 and 10 s"
    for _ in range(10):
        bench.peer.request_keyframe()
        now_ns += 100 * MS
        bench.peer.tick(now_ns)
    assert bench.key_frame_requests() == 2 + 2, "at once and after half a second, the next one later"


async def test_a_hole_nobody_can_fill_needs_a_key_frame() -> None:
    bench = Bench(None)
    bench.peer.on_rtp(video(1), 0)
    bench.peer.on_rtp(video(1000), 0)
    assert bench.key_frame_requests() == 1
    assert bench.nacks() == []


async def test_arrivals_are_reported_to_the_browser() -> None:
    bench = Bench(None)
    for sequence in range(3):
        bench.peer.on_rtp(video(sequence, extension=bytes((0x41, 0, sequence, 0))), sequence * MS)
    bench.peer.tick(100 * MS)
    assert [data[1] for data in bench.rtcp_out if data[0] & 0x1F == 15] == [205]


async def test_a_sender_report_reaches_the_sink_untouched() -> None:
    bench = Bench(None)
    report = rtcp.sender_report(rtcp.SenderReport(21, 42, 43), 21, 0, 0, 0, "c")
    bench.peer.on_rtcp(report, 0)
    assert bench.sink.reports == [("video", 42, 43)]


async def test_any_packet_counts_as_a_sign_of_life() -> None:
    bench = Bench(None)
    bench.peer.start_watch(3, 8)
    assert bench.peer.watchdog is not None
    bench.peer.watchdog.heard_ns = 0
    assert bench.peer.watchdog.check(9_000 * MS) is PeerState.LOST
    bench.peer.on_rtp(video(1), 9_000 * MS)
    assert bench.peer.watchdog.check(9_001 * MS) is PeerState.CONNECTED


@settings(max_examples=150)
@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=60), st.integers(0, 7)), max_size=20), st.randoms())
async def test_no_bytes_make_the_packet_path_raise(inputs, source: random.Random) -> None:
    bench = Bench(None)
    for is_rtp, body, kind in inputs:
        ssrc = source.choice([11, 21, 22, 5])
        data = body
        if kind:
            data = packet(
                source.randrange(1 << 16), ssrc=ssrc, payload_type=source.choice([100, 101, 111]), payload=body
            )
        if kind > 3:
            damaged = bytearray(data)
            damaged[source.randrange(len(damaged))] = source.randrange(256)
            data = bytes(damaged)
        (bench.peer.on_rtp if is_rtp else bench.peer.on_rtcp)(data, source.randrange(1 << 34))
        bench.peer.tick(source.randrange(1 << 34))
        bench.peer.report(source.randrange(1 << 34))
