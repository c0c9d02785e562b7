"""Session descriptions: the offers the node makes and the answers it accepts.

The node is always the offerer, so payload types and extension ids are the same on every leg and forwarding needs no
translation. Offers and answers are complete: all candidates inside, no trickling, no renegotiation.
"""

import ipaddress
import random
from dataclasses import dataclass, field

from aiortc import RTCIceCandidate
from aiortc.rtcdtlstransport import RTCDtlsFingerprint
from aiortc.sdp import MediaDescription, SessionDescription

from core.errors import BadInputError
from core.ports.media import MediaKind
from server.media import twcc

OPUS = 111
VP8 = 100
VP8_RTX = 101
TRANSPORT_SEQUENCE_ID = 4
AUDIO_LEVEL_ID = 2
START_BITRATE_KBPS = 1000
"""Chromium starts at 300 kbit/s and needs 20 s to reach 720p; with this hint and TWCC 5 s (measured)."""

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


@dataclass(frozen=True, slots=True)
class Answer:
    """A checked answer."""

    transport: RemoteTransport
    uplinks: tuple[UplinkSpec, ...] = field(default=())


def new_ssrc() -> int:
    """A random SSRC; 0 is left out because some stacks take it for "none"."""
    return random.randrange(1, 1 << 32)


def build_offer(local: LocalTransport, cname: str, audio_ssrc: int, video_ssrc: int, rtx_ssrc: int) -> str:
    """The offer for one peer: one Opus and one VP8 section, bundled, sending and receiving."""
    transport = [
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        f"a=ice-ufrag:{local.ice_username}",
        f"a=ice-pwd:{local.ice_password}",
        f"a=fingerprint:{local.fingerprint}",
        "a=setup:actpass",
        "a=sendrecv",
        f"a=extmap:{TRANSPORT_SEQUENCE_ID} {twcc.EXTENSION_URI}",
    ]
    candidates = [*(f"a=candidate:{candidate}" for candidate in local.candidates), "a=end-of-candidates"]
    lines = [
        "v=0",
        f"o=- {random.getrandbits(40)} 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0 1",
        "a=msid-semantic:WMS *",
        f"m=audio 9 UDP/TLS/RTP/SAVPF {OPUS}",
        *transport,
        "a=mid:0",
        f"a=extmap:{AUDIO_LEVEL_ID} urn:ietf:params:rtp-hdrext:ssrc-audio-level",
        "a=msid:main main-audio",
        f"a=rtpmap:{OPUS} opus/48000/2",
        f"a=fmtp:{OPUS} minptime=10;useinbandfec=1",
        f"a=rtcp-fb:{OPUS} transport-cc",
        f"a=ssrc:{audio_ssrc} cname:{cname}",
        *candidates,
        f"m=video 9 UDP/TLS/RTP/SAVPF {VP8} {VP8_RTX}",
        *transport,
        "a=mid:1",
        "a=msid:main main-video",
        f"a=rtpmap:{VP8} VP8/90000",
        f"a=fmtp:{VP8} x-google-start-bitrate={START_BITRATE_KBPS};x-google-max-bitrate={MAX_BITRATE_KBPS}",
        *(f"a=rtcp-fb:{VP8} {feedback}" for feedback in ("transport-cc", "ccm fir", "nack", "nack pli")),
        f"a=rtpmap:{VP8_RTX} rtx/90000",
        f"a=fmtp:{VP8_RTX} apt={VP8}",
        f"a=ssrc-group:FID {video_ssrc} {rtx_ssrc}",
        f"a=ssrc:{video_ssrc} cname:{cname}",
        f"a=ssrc:{rtx_ssrc} cname:{cname}",
        *candidates,
    ]
    return "\r\n".join(lines) + "\r\n"


def parse_answer(text: str) -> Answer:
    """Read a browser's answer.

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
    uplinks = tuple(spec for section in sections if (spec := _uplink(section)) is not None)
    ssrcs = [ssrc for spec in uplinks for ssrc in (spec.ssrc, spec.rtx_ssrc) if ssrc is not None]
    if len(set(ssrcs)) != len(ssrcs) or len({spec.kind for spec in uplinks}) != len(uplinks):
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


def _uplink(section: MediaDescription) -> UplinkSpec | None:
    """What the section will send; None when it only receives."""
    audio = section.kind == "audio"
    wanted, codec = (OPUS, "opus") if audio else (VP8, "VP8")
    if wanted not in section.fmt:
        raise _bad(f"the answer does not take {codec}")
    if section.direction in ("recvonly", "inactive"):
        return None
    ssrcs = [item.ssrc for item in section.ssrc]
    if any(not 0 <= ssrc < 1 << 32 for ssrc in ssrcs):
        raise _bad("the answer's SSRC is out of range")
    pair = next((group.items for group in section.ssrc_group if group.semantic == "FID"), [])
    main = ssrcs[0] if ssrcs else None
    rtx = None
    if not audio and len(pair) == 2 and int(pair[0]) in ssrcs and int(pair[1]) in ssrcs:
        main, rtx = int(pair[0]), int(pair[1])
    return UplinkSpec(kind="audio" if audio else "video", codec=codec, payload_type=wanted, ssrc=main, rtx_ssrc=rtx)
