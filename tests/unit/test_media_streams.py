"""Forwarding one stream: numbering without breaks, retransmission, key frames, reports."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st
from media_fakes import packet

from server.media import rtcp, rtp
from server.media.gaps import Arrival
from server.media.streams import KEYFRAME_EVERY_NS, RTX_BURST, RTX_SHARE, Downlink, Uplink

MS = 1_000_000


def make_downlink(kind="video") -> tuple[Downlink, list[bytes], list[bytes]]:
    sent: list[bytes] = []
    reports: list[bytes] = []
    return (
        Downlink(
            kind, 7, 8 if kind == "video" else None, 101, "seat", lambda packet, _: sent.append(packet), reports.append
        ),
        sent,
        reports,
    )


def make_uplink(kind="video", asked: list[int] | None = None) -> Uplink:
    asks = asked if asked is not None else []
    return Uplink(kind, 1, 100, 2, lambda: asks.append(1))


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF), st.lists(st.integers(1, 5), max_size=30)),
        min_size=1,
        max_size=5,
    )
)
def test_numbering_continues_over_changes_of_source_and_keeps_each_sources_holes(sources) -> None:
    downlink, sent, _ = make_downlink()
    now_ns = 0
    expected: int | None = None
    for sequence, timestamp, steps in sources:
        downlink.switch(make_uplink())
        for step in [0, *steps]:
            sequence, timestamp, now_ns = sequence + step, timestamp + 3000 * step, now_ns + 33 * MS * step
            downlink.forward(packet(sequence, timestamp=timestamp), now_ns)
            out = sent[-1]
            if expected is not None:
                expected = (expected + (step or 1)) & 0xFFFF
                assert rtp.sequence_of(out) == expected
            expected = rtp.sequence_of(out)
    timestamps = [rtp.timestamp_of(out) for out in sent]
    assert all(0 < (later - earlier) & 0xFFFFFFFF < 0x80000000 for earlier, later in itertools.pairwise(timestamps))
    assert {rtp.ssrc_of(out) for out in sent} == {7}


def test_the_timestamp_moves_on_by_the_time_without_a_source() -> None:
    downlink, sent, _ = make_downlink()
    downlink.forward(packet(1, timestamp=1000), 0)
    downlink.switch(make_uplink())
    downlink.forward(packet(900, timestamp=77), 2_000 * MS)
    assert rtp.timestamp_of(sent[1]) - rtp.timestamp_of(sent[0]) == 2 * 90_000


def test_stragglers_from_before_the_change_of_source_are_kept_out() -> None:
    downlink, sent, _ = make_downlink()
    downlink.forward(packet(50), 0)
    downlink.switch(make_uplink())
    downlink.forward(packet(1000), 10 * MS)
    downlink.forward(packet(998), 11 * MS)
    downlink.forward(packet(1001), 12 * MS)
    assert [rtp.sequence_of(out) for out in sent] == [50, 51, 52]


def test_a_nack_is_answered_from_the_ring_under_the_listeners_numbers() -> None:
    downlink, sent, _ = make_downlink()
    for sequence in range(100, 2000):
        downlink.forward(packet(sequence, payload=sequence.to_bytes(2, "big")), 0)
    sent.clear()
    assert downlink.resend([1999, 500, 3000]) == 1, "500 has left the ring, 3000 was never sent"
    (out,) = sent
    assert (rtp.ssrc_of(out), rtp.payload_type_of(out)) == (8, 101)
    assert rtp.from_rtx(out, 100, (7).to_bytes(4, "big")) == packet(1999, ssrc=7, payload=(1999).to_bytes(2, "big"))


def test_nacks_cannot_multiply_traffic() -> None:
    downlink, _, _ = make_downlink()
    for sequence in range(500):
        downlink.forward(packet(sequence), 0)
    assert downlink.resend(list(range(500)) * 3) == RTX_BURST
    downlink.tick()
    assert downlink.resend(list(range(500))) == RTX_BURST, "earned by what was sent, but never more than this"
    for sequence in range(500, 520):
        downlink.forward(packet(sequence), 0)
    downlink.tick()
    assert downlink.resend(list(range(500))) == 20 * RTX_SHARE


def test_audio_is_not_retransmitted() -> None:
    downlink, _, _ = make_downlink("audio")
    downlink.forward(packet(1), 0)
    assert downlink.resend([1]) == 0


def test_a_sender_report_follows_the_streams_timestamps() -> None:
    downlink, sent, reports = make_downlink()
    downlink.forward_report(rtcp.SenderReport(1, 99, 5000), 0)
    assert reports == [], "nothing has been sent that it could describe"
    downlink.forward(packet(1, timestamp=1000), 0)
    downlink.switch(make_uplink())
    downlink.forward(packet(1, timestamp=5000), 1000 * MS)
    downlink.forward_report(rtcp.SenderReport(1, 99, 5000), 0)
    (event,) = rtcp.read(reports[0])
    assert event == rtcp.SenderReport(7, 99, rtp.timestamp_of(sent[1]), octets=downlink.octets)


def test_a_key_frame_request_that_comes_too_soon_waits() -> None:
    asked: list[int] = []
    uplink = make_uplink(asked=asked)
    uplink.want_keyframe()
    assert not uplink.keyframe_due(0), "a stream begins with one"
    uplink.accept(packet(1), 0)
    uplink.want_keyframe()
    assert asked == [1]
    assert uplink.keyframe_due(0)
    uplink.want_keyframe()
    assert not uplink.keyframe_due(KEYFRAME_EVERY_NS - 1)
    assert uplink.keyframe_due(KEYFRAME_EVERY_NS)
    assert not uplink.keyframe_due(2 * KEYFRAME_EVERY_NS), "it was asked for once"


def test_key_frames_that_do_not_get_through_are_asked_for_less_and_less_often() -> None:
    uplink = make_uplink()
    uplink.accept(packet(1), 0)
    asked = []
    for now_ns in range(0, 20_000 * MS, 100 * MS):
        uplink.want_keyframe()
        if uplink.keyframe_due(now_ns):
            asked.append(now_ns // MS)
    assert asked == [0, 500, 1500, 3500, 7500, 11500, 15500, 19500]
    uplink.want_keyframe()
    assert uplink.keyframe_due(40_000 * MS)
    uplink.want_keyframe()
    assert uplink.keyframe_due(40_500 * MS), "a while without: as at the beginning"


def test_doubles_are_not_to_be_forwarded() -> None:
    uplink = make_uplink()
    assert uplink.accept(packet(1), 0) is Arrival.NEXT
    assert uplink.accept(packet(1), 0) is Arrival.DUPLICATE
    assert (uplink.packets, uplink.duplicates) == (1, 1)


def test_the_receiver_report_counts_loss_and_delay_since_the_sender_report() -> None:
    uplink = make_uplink()
    assert uplink.receiver_report(0) is None
    for sequence in (65_530, 65_531, 65_535, 0, 1):
        uplink.accept(packet(sequence, timestamp=sequence * 3000, marker=True), 0)
    uplink.sender_report(rtcp.SenderReport(1, 0x0001_2345_6789_0000, 0), 1_000 * MS)
    report = uplink.receiver_report(1_500 * MS)
    assert report is not None
    assert (report.packets_lost, report.fraction_lost) == (3, 3 * 256 // 8)
    assert report.highest_sequence == 65_536 + 1
    assert (report.lsr, report.dlsr) == (0x2345_6789, 32_768)
    again = uplink.receiver_report(1_500 * MS)
    assert again is not None
    assert again.fraction_lost == 0


def test_jitter_of_an_even_stream_is_zero_and_of_an_uneven_one_is_not() -> None:
    even, uneven = make_uplink("audio"), make_uplink("audio")
    for index in range(200):
        even.accept(packet(index, timestamp=index * 960), index * 20 * MS)
        uneven.accept(packet(index, timestamp=index * 960), (index * 20 + (index % 2) * 10) * MS)
    assert even.jitter < 1
    assert 400 < uneven.jitter < 500  # 10 ms at 48 kHz are 480
