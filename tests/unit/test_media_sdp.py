"""Answers: a complete one is understood, anything else is refused with a code."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInputError
from server.media import sdp

FINGERPRINT = "sha-256 " + ":".join(["AB"] * 32)
HEAD = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
TRANSPORT = (
    "c=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
    f"a=fingerprint:{FINGERPRINT}\r\na=setup:active\r\na=rtcp-mux\r\na=sendrecv\r\n"
)
CANDIDATES = (
    "a=candidate:1 1 udp 2113937151 192.0.2.7 50000 typ host generation 0\r\n"
    "a=candidate:2 1 udp 2113937151 0a1b2c3d-0000-4000-8000-000000000000.local 50001 typ host generation 0\r\n"
    "a=candidate:3 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active generation 0\r\n"
)
AUDIO = f"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n{TRANSPORT}a=mid:0\r\na=rtpmap:111 opus/48000/2\r\na=ssrc:11 cname:x\r\n"
VIDEO = (
    f"m=video 9 UDP/TLS/RTP/SAVPF 100 101\r\n{TRANSPORT}a=mid:1\r\na=rtpmap:100 VP8/90000\r\na=rtpmap:101 rtx/90000\r\n"
    "a=fmtp:101 apt=100\r\na=ssrc-group:FID 21 22\r\na=ssrc:21 cname:x\r\na=ssrc:22 cname:x\r\n"
)
GOOD = HEAD + AUDIO + CANDIDATES + VIDEO


def test_a_complete_answer_is_understood() -> None:
    answer = sdp.parse_answer(GOOD)
    assert answer.uplinks == (
        sdp.UplinkSpec("audio", "opus", 111, 11, None),
        sdp.UplinkSpec("video", "VP8", 100, 21, 22),
    )
    assert (answer.transport.ice_username, answer.transport.dtls_active) == ("abcd", True)
    assert [candidate.ip for candidate in answer.transport.candidates] == ["192.0.2.7"], "no mDNS, no TCP"


def test_streams_without_a_name_are_expected_by_payload_type() -> None:
    text = GOOD.replace("a=ssrc:11 cname:x\r\n", "").replace("a=ssrc:21 cname:x\r\na=ssrc:22 cname:x\r\n", "")
    assert [spec.ssrc for spec in sdp.parse_answer(text).uplinks] == [None, None]


def test_a_listener_and_a_refused_section_send_nothing() -> None:
    text = HEAD + AUDIO.replace("sendrecv", "recvonly") + VIDEO.replace("video 9", "video 0")
    assert sdp.parse_answer(text).uplinks == ()


def test_a_passive_browser_makes_us_begin() -> None:
    assert not sdp.parse_answer(GOOD.replace("setup:active", "setup:passive")).transport.dtls_active


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        HEAD,
        "v=0\r\n" * 20_000,
        GOOD.replace("a=ice-ufrag:abcd\r\n", ""),
        GOOD.replace("0123456789012345678901", "short"),
        GOOD.replace("a=ice-ufrag:abcd", "a=ice-ufrag:钥匙钥匙"),
        GOOD.replace(f"a=fingerprint:{FINGERPRINT}\r\n", ""),
        GOOD.replace("sha-256", "md5"),
        GOOD.replace("a=setup:active\r\n", ""),
        GOOD.replace("SAVPF 111", "SAVPF 96"),
        GOOD.replace("SAVPF 100 101", "SAVPF 98"),
        GOOD.replace("a=ssrc:11 ", "a=ssrc:21 "),
        GOOD.replace("a=ssrc:11 ", "a=ssrc:99999999999 "),
        GOOD.replace("a=ssrc-group:FID 21 22", "a=ssrc-group:FID x y"),
        GOOD.replace("udp 2113937151", "udp many"),
        HEAD + AUDIO + AUDIO,
    ],
)
def test_nonsense_is_refused_with_a_code(text: str) -> None:
    with pytest.raises(BadInputError) as caught:
        sdp.parse_answer(text)
    assert caught.value.code == "media.bad_sdp"


lines = GOOD.split("\r\n")
words = st.text('abcmo=:/ 0123456789-+.\r\n\0"钥١', max_size=30)


@settings(max_examples=300)
@given(st.data())
def test_damaged_answers_never_raise_anything_else(data: st.DataObject) -> None:
    damaged = list(lines)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        kind = data.draw(st.sampled_from(["drop", "cut", "double", "swap", "noise", "words"]))
        if kind == "drop":
            del damaged[at]
        elif kind == "cut":
            damaged[at] = damaged[at][: data.draw(st.integers(0, len(damaged[at])))]
        elif kind == "double":
            damaged.insert(at, damaged[at])
        elif kind == "swap":
            other = data.draw(st.integers(0, len(damaged) - 1))
            damaged[at], damaged[other] = damaged[other], damaged[at]
        elif kind == "words":
            parts = damaged[at].split(" ")
            parts[data.draw(st.integers(0, len(parts) - 1))] = data.draw(words)
            damaged[at] = " ".join(parts)
        else:
            damaged[at] = damaged[at][:2] + data.draw(words)
        if not damaged:
            damaged = [""]
    with contextlib.suppress(BadInputError):
        sdp.parse_answer("\r\n".join(damaged))


@given(st.lists(words).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(BadInputError):
        sdp.parse_answer(text)


def test_an_offer_says_what_the_design_fixes() -> None:
    local = sdp.LocalTransport("ufrag", "password" * 3, FINGERPRINT, ("1 1 udp 1 127.0.0.1 5000 typ host",))
    ssrcs = {
        slot.name: (10 * at + 1, 10 * at + 2 if slot.kind == "video" else None) for at, slot in enumerate(sdp.SLOTS)
    }
    offer = sdp.build_offer(local, "peer_1", ssrcs, screen=False)
    for line in (
        "a=group:BUNDLE 0 1 2 3 4 5", "a=rtpmap:111 opus/48000/2", "a=rtpmap:100 VP8/90000", "a=rtpmap:101 rtx/90000",
        "a=fmtp:101 apt=100", "a=rtcp-fb:100 transport-cc", "a=rtcp-fb:100 nack pli", "a=ssrc-group:FID 11 12",
        "a=setup:actpass", "a=end-of-candidates",
    ):  # fmt: skip
        assert line in offer.split("\r\n")
    assert "goog-remb" not in offer, "a listener's estimate must not throttle the call"


def test_a_house_that_chose_h264_offers_nothing_else() -> None:
    local = sdp.LocalTransport("ufrag", "password" * 3, FINGERPRINT, ("1 1 udp 1 127.0.0.1 5000 typ host",))
    ssrcs: dict[str, tuple[int, int | None]] = {slot.name: (1, 2) for slot in sdp.SLOTS}
    offer = sdp.build_offer(local, "peer_1", ssrcs, screen=False, video_codec="H264")
    assert offer.count("a=rtpmap:100 H264/90000") == len([slot for slot in sdp.SLOTS if slot.kind == "video"])
    assert "packetization-mode=1;profile-level-id=42e01f" in offer
    assert "VP8" not in offer
    answer = sdp.parse_answer(GOOD.replace("VP8", "H264"), "H264")
    assert answer.uplinks[1] == sdp.UplinkSpec("video", "H264", 100, 21, 22)


def test_every_slot_is_offered_from_the_start_and_only_the_teller_may_send_a_screen() -> None:
    local = sdp.LocalTransport("ufrag", "password" * 3, FINGERPRINT, ("1 1 udp 1 127.0.0.1 5000 typ host",))
    ssrcs = {
        slot.name: (10 * at + 1, 10 * at + 2 if slot.kind == "video" else None) for at, slot in enumerate(sdp.SLOTS)
    }
    for screen, expected in ((False, "sendonly"), (True, "recvonly")):
        sections = sdp.build_offer(local, "peer_1", ssrcs, screen=screen).split("m=")[1:]
        directions = [
            next(word for word in ("sendrecv", "sendonly", "recvonly") if f"a={word}\r\n" in section)
            for section in sections
        ]
        assert directions == ["sendrecv", "sendrecv", expected, "sendonly", "sendonly", "sendonly"]
        assert ("a=ssrc" in sections[2]) != screen


SCREEN = VIDEO.replace("a=mid:1", "a=mid:2").replace("21", "31").replace("22", "32")


def test_a_screen_is_told_from_the_camera_and_nobody_sends_where_nobody_may() -> None:
    assert sdp.parse_answer(GOOD + SCREEN).uplinks[2:] == (sdp.UplinkSpec("video", "VP8", 100, 31, 32, "screen"),)
    unnamed = SCREEN.replace("a=ssrc:31 cname:x\r\n", "").replace("a=ssrc:32 cname:x\r\n", "")
    assert len(sdp.parse_answer(GOOD + unnamed).uplinks) == 2, "it could not be told from the camera"
    assert len(sdp.parse_answer(GOOD + SCREEN.replace("a=mid:2", "a=mid:4")).uplinks) == 2
    for odd in ("a=mid:6", "a=mid:x", "a=mid:0", "a=mid:-1", "a=mid:٣"):
        with pytest.raises(BadInputError):
            sdp.parse_answer(GOOD + SCREEN.replace("a=mid:2", odd))
