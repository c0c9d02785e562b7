"""HTTP byte ranges (RFC 9110 section 14)."""

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"^bytes=(\d*)-(\d*)$")


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes ``start`` up to, not including, ``end``."""

    start: int
    end: int


class UnsatisfiableRangeError(ValueError):
    """The range begins behind the end: 416."""


def requested_range(header: str | None, size_b: int) -> ByteRange | None:
    """The range that a ``Range`` header asks for, None when the whole file is to be sent.

    Malformed headers and several ranges at once are ignored, as the RFC allows.

    Raises:
        UnsatisfiableRangeError: no byte of the range exists.
    """
    match = _ONE_RANGE.match(header.strip()) if header else None
    if match is None or match.group(0) == "bytes=-":
        return None
    first, last = match.groups()
    if len(first) > 18 or len(last) > 18:
        raise UnsatisfiableRangeError
    if not first:  # the last so many bytes
        start, end = max(0, size_b - int(last)), size_b
    else:
        start, end = int(first), min(int(last) + 1, size_b) if last else size_b
        if last and int(last) < start:
            return None  # malformed
    if start >= size_b:
        raise UnsatisfiableRangeError
    return ByteRange(start, end)
