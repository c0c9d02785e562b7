"""The seam to pylibsrtp: its sessions without what they spend on each call (a fifth to a third of it, measured).

Uses names pylibsrtp does not promise to keep; `tests/contract/test_aiortc_seam.py` guards them.
"""

from collections.abc import Callable
from typing import Any

import pylibsrtp
from pylibsrtp import _binding

MAX_PACKET_B = 1500
"""Longer ones come through no network we know."""

_TRAILER_B = 256
"""Room behind a packet for what libsrtp appends (`SRTP_MAX_TRAILER_LEN` and more)."""

_ffi: Any = _binding.ffi
_lib: Any = _binding.lib
_buffer: Any = _ffi.new("char[]", MAX_PACKET_B + _TRAILER_B)  # one for all: used within a call, by the loop's thread
_length: Any = _ffi.new("int *")

Transform = Callable[[bytes], bytes | None]
"""Gives None for a packet that is forged, replayed, malformed or too long."""


def _transform(session: pylibsrtp.Session, function: Callable[[Any, Any, Any], int]) -> Transform:
    context, buffer, length = session._srtp[0], _buffer, _length
    move, unpack = _ffi.memmove, _ffi.unpack

    def transform(packet: bytes) -> bytes | None:
        size_b = len(packet)
        if size_b > MAX_PACKET_B:
            return None
        length[0] = size_b
        move(buffer, packet, size_b)
        if function(context, buffer, length):
            return None
        result: bytes = unpack(buffer, length[0])
        return result

    return transform


class Outgoing:
    """Protects packets. `session` is kept alive with it.

    Attributes:
        rtp / rtcp: The transforms.
    """

    def __init__(self, session: pylibsrtp.Session) -> None:
        self._session = session
        self.rtp = _transform(session, _lib.srtp_protect)
        self.rtcp = _transform(session, _lib.srtp_protect_rtcp)


class Incoming:
    """Verifies and opens packets. `session` is kept alive with it.

    Attributes:
        rtp / rtcp: The transforms.
    """

    def __init__(self, session: pylibsrtp.Session) -> None:
        self._session = session
        self.rtp = _transform(session, _lib.srtp_unprotect)
        self.rtcp = _transform(session, _lib.srtp_unprotect_rtcp)
