"""Session descriptions: the offers the node makes and the answers it accepts.

The node is always the offerer, so payload types and extension ids are the same on every leg and forwarding needs no
translation. Offers and answers are complete: all candidates inside, no trickling, no renegotiation.
"""

import ipaddress
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from aiortc import RTCIceCandidate
from aiortc.rtcdtlstransport import RTCDtlsFingerprint
from aiortc.sdp import MediaDescription, SessionDescription

from core.errors import BadInputError
from core.ports.media import MediaKind
from server.media import twcc
from server.media.config import VideoCodec

OPUS = 111
VIDEO = 100
"""The house's one video codec, whichever it is."""

VIDEO_RTX = 101
_VIDEO_FORMAT: dict[VideoCodec, str] = {
    "VP8": "",
    "H264": "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f;",
}
"""Parameters beyond the bitrates; 42e01f is constrained baseline, level 3.1: 1280×720 at 30 Hz (RFC 6184)."""

TRANSPORT_SEQUENCE_ID = 4
AUDIO_LEVEL_ID = 2
START_BITRATE_KBPS = 1000
"""Chromium starts at 300 kbit/s and needs 20 s to reach 720p; with this hint and TWCC 5 s (measured)."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One section of every offer; its place is its ``mid``.

    Attributes:
        name: Of the stream in it.
        stream: Of the browser's MediaStream (``a=msid``) that goes with it.
        sends: Whether a browser may send here: in the main slots everybody, its screen who is allowed to.
    """

    name: str
    kind: MediaKind
    stream: str
    sends: Literal["always", "screen", "never"]


SLOTS = (
    Slot("audio", "audio", "main", "always"),
    Slot("video", "video", "main", "always"),
    Slot("screen", "video", "screen", "screen"),
    Slot("audio2", "audio", "third", "never"),
    Slot("video2", "video", "third", "never"),
    Slot("audio3", "audio", "fourth", "never"),
)
"""The other party, a shared screen, a third party and the voice of a fourth: all there from the start, because there is
no renegotiation. An unused slot is some lines of text, nothing else."""

MAX_BITRATE_KBPS = 2500
MAX_SDP_B = 64 * 1024
MAX_CANDIDATES = 32
_HASHES = {"sha-256", "sha-384", "sha-512"}


@dataclass(frozen=True, slots=True)
class LocalTransport:
    """Our end of a transport, as it stands in an offer."""

    ice_username: str
    ice_password: str
    fingerprint: str
    """Hash name and value, e.g. ``sha-256 AB:CD:…``."""

    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemoteTransport:
    """The browser's end of a transport, as it stood in its answer."""

    ice_username: str
    ice_password: str
    fingerprints: tuple[RTCDtlsFingerprint, ...]
    dtls_active: bool
    """Whether the browser begins the handshake (``a=setup:active``)."""

    candidates: tuple[RTCIceCandidate, ...]


@dataclass(frozen=True, slots=True)
class UplinkSpec:
    """One stream the browser said it will send. `ssrc` None: it did not say, learn it from the first packet."""

    kind: MediaKind
    codec: str
    payload_type: int
    ssrc: int | None
    rtx_ssrc: int | None
    name: str = ""
    """Which slot it comes through; empty: the main one of its kind."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A checked answer."""

    transport: RemoteTransport
    uplinks: tuple[UplinkSpec, ...] = field(default=())


def new_ssrc() -> int:
    """A random SSRC; 0 is left out because some stacks take it for "none"."""
    return random.randrange(1, 1 << 32)


def build_offer(
    local: LocalTransport,
    cname: str,
    ssrcs: Mapping[str, tuple[int, int | None]],
    *,
    screen: bool,
    video_codec: VideoCodec = "VP8",
) -> str:
    """The offer for one peer: all slots, bundled.

    Args:
        ssrcs: For each slot's name the SSRC of what we send in it, and of its retransmissions.
        screen: Whether this peer may share a screen; then that slot is for its own instead of another's.
    """
    lines = [
        "v=0",
        f"o=- {random.getrandbits(40)} 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE " + " ".join(str(mid) for mid in range(len(SLOTS))),
        "a=msid-semantic:WMS *",
    ]
    candidates = [*(f"a=candidate:{candidate}" for candidate in local.candidates), "a=end-of-candidates"]
    for mid, slot in enumerate(SLOTS):
        direction = "sendrecv" if slot.sends == "always" else "sendonly"
        if slot.sends == "screen" and screen:
            direction = "recvonly"
        codec = _audio_lines() if slot.kind == "audio" else _video_lines(video_codec)
        lines += [codec[0], *_transport_lines(local, direction), f"a=mid:{mid}", *codec[1:]]
        if direction != "recvonly":
            lines += _source_lines(slot, cname, *ssrcs[slot.name])
        lines += candidates
    return "\r\n".join(lines) + "\r\n"


def _transport_lines(local: LocalTransport, direction: str) -> list[str]:
    return [
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        f"a=ice-ufrag:{local.ice_username}",
        f"a=ice-pwd:{local.ice_password}",
        f"a=fingerprint:{local.fingerprint}",
        "a=setup:actpass",
        f"a={direction}",
        f"a=extmap:{TRANSPORT_SEQUENCE_ID} {twcc.EXTENSION_URI}",
    ]


def _audio_lines() -> list[str]:
    return [
        f"m=audio 9 UDP/TLS/RTP/SAVPF {OPUS}",
        f"a=extmap:{AUDIO_LEVEL_ID} urn:ietf:params:rtp-hdrext:ssrc-audio-level",
        f"a=rtpmap:{OPUS} opus/48000/2",
        f"a=fmtp:{OPUS} minptime=10;useinbandfec=1",
        f"a=rtcp-fb:{OPUS} transport-cc",
    ]


def _video_lines(codec: VideoCodec) -> list[str]:
    bitrates = f"x-google-start-bitrate={START_BITRATE_KBPS};x-google-max-bitrate={MAX_BITRATE_KBPS}"
    return [
        f"m=video 9 UDP/TLS/RTP/SAVPF {VIDEO} {VIDEO_RTX}",
        f"a=rtpmap:{VIDEO} {codec}/90000",
        f"a=fmtp:{VIDEO} {_VIDEO_FORMAT[codec]}{bitrates}",
        *(f"a=rtcp-fb:{VIDEO} {feedback}" for feedback in ("transport-cc", "ccm fir", "nack", "nack pli")),
        f"a=rtpmap:{VIDEO_RTX} rtx/90000",
        f"a=fmtp:{VIDEO_RTX} apt={VIDEO}",
    ]


def _source_lines(slot: Slot, cname: str, ssrc: int, rtx_ssrc: int | None) -> list[str]:
    lines = [f"a=msid:{slot.stream} {slot.stream}-{slot.kind}"]
    if rtx_ssrc is None:
        return [*lines, f"a=ssrc:{ssrc} cname:{cname}"]
    return [
        *lines,
        f"a=ssrc-group:FID {ssrc} {rtx_ssrc}",
        f"a=ssrc:{ssrc} cname:{cname}",
        f"a=ssrc:{rtx_ssrc} cname:{cname}",
    ]


def parse_answer(text: str, video_codec: VideoCodec = "VP8") -> Answer:
    """Read a browser's answer to an offer of this codec.

    Raises:
        BadInputError: ``media.bad_sdp`` for anything that is not a complete answer to `build_offer`.
    """
    if len(text) > MAX_SDP_B:
        raise _bad("the answer is too long")
    try:
        description = SessionDescription.parse(text)
    except (
        ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, StopIteration, TypeError,
        UnboundLocalError, ValueError,
    ) as error:  # fmt: skip
        # aiortc's parser asserts and indexes its way through hostile text; these are all it raises.
        raise _bad("the answer is not a session description") from error
    sections = [section for section in description.media if section.kind in ("audio", "video") and section.port]
    if not sections:
        raise _bad("the answer has no audio or video section")
    uplinks = tuple(spec for section in sections if (spec := _uplink(section, video_codec)) is not None)
    ssrcs = [ssrc for spec in uplinks for ssrc in (spec.ssrc, spec.rtx_ssrc) if ssrc is not None]
    if len(set(ssrcs)) != len(ssrcs) or len({(spec.kind, spec.name) for spec in uplinks}) != len(uplinks):
        raise _bad("the answer names a stream twice")
    return Answer(transport=_transport(sections[0]), uplinks=uplinks)


def _bad(message: str) -> BadInputError:
    return BadInputError(message, code="media.bad_sdp")


def _transport(section: MediaDescription) -> RemoteTransport:
    ice, dtls = section.ice, section.dtls
    if ice is None or not ice.usernameFragment or not ice.password:
        raise _bad("the answer has no ICE credentials")
    if not (4 <= len(ice.usernameFragment) <= 256 and 22 <= len(ice.password) <= 256):
        raise _bad("the answer's ICE credentials have a wrong length")
    if not (ice.usernameFragment.isascii() and ice.password.isascii()):
        raise _bad("the answer's ICE credentials are not ASCII")
    if dtls is None or not any(print_.algorithm.lower() in _HASHES for print_ in dtls.fingerprints):
        raise _bad("the answer has no usable fingerprint")
    return RemoteTransport(
        ice_username=ice.usernameFragment,
        ice_password=ice.password,
        fingerprints=tuple(dtls.fingerprints),
        dtls_active=dtls.role != "server",
        candidates=tuple(_usable(section.ice_candidates)),
    )


def _usable(candidates: list[RTCIceCandidate]) -> list[RTCIceCandidate]:
    """UDP candidates with a plain address. mDNS names are left out: the browser's own checks reveal its address."""
    usable = []
    for candidate in candidates[:MAX_CANDIDATES]:
        try:
            ipaddress.ip_address(candidate.ip)
        except ValueError:
            continue
        if candidate.protocol.lower() == "udp" and candidate.component == 1 and 0 < candidate.port < 0x10000:
            usable.append(candidate)
    return usable


def _slot_of(section: MediaDescription) -> Slot:
    mid = section.rtp.muxId or ("0" if section.kind == "audio" else "1")
    if not (mid.isascii() and mid.isdecimal() and len(mid) < 4 and int(mid) < len(SLOTS)):
        raise _bad("the answer has a section that was not offered")
    slot = SLOTS[int(mid)]
    if slot.kind != section.kind:
        raise _bad("the answer turns sound into picture")
    return slot


def _uplink(section: MediaDescription, video_codec: VideoCodec) -> UplinkSpec | None:
    """What the section will send; None when it only receives."""
    slot = _slot_of(section)
    audio = section.kind == "audio"
    wanted, codec = (OPUS, "opus") if audio else (VIDEO, video_codec)
    if wanted not in section.fmt:
        raise _bad(f"the answer does not take {codec}")
    if slot.sends == "never" or section.direction in ("recvonly", "inactive"):
        return None
    ssrcs = [item.ssrc for item in section.ssrc]
    if any(not 0 <= ssrc < 1 << 32 for ssrc in ssrcs):
        raise _bad("the answer's SSRC is out of range")
    pair = next((group.items for group in section.ssrc_group if group.semantic == "FID"), [])
    main = ssrcs[0] if ssrcs else None
    rtx = None
    if not audio and len(pair) == 2 and int(pair[0]) in ssrcs and int(pair[1]) in ssrcs:
        main, rtx = int(pair[0]), int(pair[1])
    name = slot.name if slot.sends == "screen" else ""
    if name and main is None:
        return None  # without its number it could not be told from the camera
    return UplinkSpec(slot.kind, codec, wanted, main, rtx, name)
