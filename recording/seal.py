"""Sealed files: AES-256-GCM in chunks of equal size, so that a byte range needs only the chunks it touches.

Layout: 32 B header (``ACS1`` · u32 chunk size · u64 plain size · 16 B salt), then chunk *i* at byte
``32 + i · (chunk + 16)``. Every sealing has a key of its own, derived from the recording's data key with the salt
(HKDF, RFC 5869); the nonce is the chunk's index. Header, file id and index are authenticated, so chunks cannot be
moved, cut off or taken from another file.
"""

import hashlib
import secrets
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.errors import CounterError

CHUNK_B = 64 << 10
HEADER_B = 32
_TAG_B = 16
_HEADER = struct.Struct(">4sIQ16s")
_MAGIC = b"ACS1"


class SealError(CounterError):
    """A sealed file was changed, or is another one."""

    code = "recording.seal_broken"


@dataclass(frozen=True, slots=True)
class ChunkSpan:
    """The chunks that hold a range of plain bytes.

    Attributes:
        first / last: Indices of chunks, both included.
        start_b / end_b: Where they lie in the sealed file, end excluded.
    """

    first: int
    last: int
    start_b: int
    end_b: int


class SealedFile:
    """Opens chunks of one sealed file."""

    def __init__(self, header: bytes, data_key: bytes, file_id: str) -> None:
        """Read the first `HEADER_B` bytes.

        Raises:
            SealError: not a sealed file.
        """
        if len(header) != HEADER_B or not header.startswith(_MAGIC):
            raise SealError("this is not a sealed file")
        chunk_b, size_b, salt = _HEADER.unpack(header)[1:]
        self.chunk_b: int = chunk_b
        self.size_b: int = size_b
        if not 0 < self.chunk_b <= 16 << 20:
            raise SealError("the sealed file's header is damaged")
        self._cipher, self._binding = _cipher(data_key, salt), header + file_id.encode()

    @property
    def sealed_size_b(self) -> int:
        """Size of the whole sealed file."""
        return HEADER_B + self.size_b + self.chunk_count * _TAG_B

    @property
    def chunk_count(self) -> int:
        """Number of chunks; an empty file has none."""
        return -(-self.size_b // self.chunk_b)

    def span(self, start: int, end: int) -> ChunkSpan:
        """Chunks that hold the plain bytes ``start`` up to, not including, ``end``; ``0 <= start < end <= size_b``."""
        first, last = start // self.chunk_b, (end - 1) // self.chunk_b
        step = self.chunk_b + _TAG_B
        return ChunkSpan(first, last, HEADER_B + first * step, min(HEADER_B + (last + 1) * step, self.sealed_size_b))

    def open(self, first: int, sealed: bytes) -> bytes:
        """Plain bytes of consecutive chunks beginning with number `first`.

        Raises:
            SealError: changed, moved or cut off.
        """
        step = self.chunk_b + _TAG_B
        plain = []
        for number, at in enumerate(range(0, len(sealed), step), first):
            try:
                plain.append(
                    self._cipher.decrypt(_nonce(number), sealed[at : at + step], _bound(self._binding, number))
                )
            except InvalidTag as error:
                raise SealError(f"chunk {number} was changed", chunk=number) from error
        return b"".join(plain)


@dataclass(frozen=True, slots=True)
class Sealed:
    """What sealing has produced: digests are hex SHA-256."""

    plain_b: int
    plain_sha256: str
    sealed_b: int
    sealed_sha256: str


def seal(source: BinaryIO, size_b: int, target: BinaryIO, data_key: bytes, file_id: str) -> Sealed:
    """Encrypt a file of known size from its present position. Blocks."""
    salt = secrets.token_bytes(16)
    header = _HEADER.pack(_MAGIC, CHUNK_B, size_b, salt)
    cipher, binding = _cipher(data_key, salt), header + file_id.encode()
    plain_hash, sealed_hash = hashlib.sha256(), hashlib.sha256(header)
    target.write(header)
    sealed_b, plain_b = HEADER_B, 0
    for number, plain in enumerate(_pieces(source)):
        piece = cipher.encrypt(_nonce(number), plain, _bound(binding, number))
        plain_hash.update(plain)
        sealed_hash.update(piece)
        target.write(piece)
        plain_b += len(plain)
        sealed_b += len(piece)
    if plain_b != size_b:
        raise SealError("the file changed while it was sealed")
    return Sealed(plain_b, plain_hash.hexdigest(), sealed_b, sealed_hash.hexdigest())


def _pieces(source: BinaryIO) -> Iterator[bytes]:
    while piece := source.read(CHUNK_B):
        yield piece


def _cipher(data_key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(hashes.SHA256(), 32, salt=salt, info=b"aircounter sealed file").derive(data_key))


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _bound(binding: bytes, number: int) -> bytes:
    return binding + number.to_bytes(8, "big")
