"""The journal of one seat segment: encrypted chunks, appended, chained.

File: ``ACJ1`` · u32 length · JSON header · chunks.
Chunk: u32 length · u32 index · 32 B link · 12 B nonce · ciphertext and tag.

The first link is the SHA-256 of the file's head, each further one that of the link before it and the chunk before it,
so a chunk cannot be changed, left out, repeated or moved unnoticed; the AES-256-GCM additional data bind recording,
seat, segment, index and link, so a chunk of another journal does not even open. A file that ends inside a chunk (the
process was killed) is readable up to that chunk. A chunk that does not open is reported and stepped over: what follows
is not lost with it.
"""

import hashlib
import json
import os
import secrets
import struct
import threading
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.errors import CounterError
from core.ports.media import track_name

MAGIC = b"ACJ1"
SUFFIX = ".journal"
MAX_CHUNK_B = 64 << 20
"""A larger length is damage, not data: one flush holds at most `recorder.BUFFER_B` and a little."""

_CLOSED = -1
"""No descriptor: every use of it fails."""

_LENGTH = struct.Struct(">I")
_CHUNK = struct.Struct(">II32s12s")
_RECORD = struct.Struct("<BqI")
_REPORT = struct.Struct("<QI")


class JournalError(CounterError):
    """A file is not a journal."""

    code = "recording.bad_journal"


class RecordKind(IntEnum):
    """What a record holds."""

    AUDIO = 0
    VIDEO = 1
    AUDIO_REPORT = 2
    VIDEO_REPORT = 3
    END = 4
    MARK = 5


Record = tuple[int, int, bytes]
"""``(RecordKind, arrival ns since the epoch, RTP packet | Sender Report | reason | mark as JSON)``."""


@dataclass(frozen=True, slots=True)
class JournalHeader:
    """What a journal is of. Readable without the key; holds no personal data.

    Attributes:
        segment: Transport of the seat, 1 for the first.
        track: ``main``, or ``screen`` for what the seat shared.
        started_ns: Time zero of the call's time line. opened_ns: When this segment began. Both ns since the epoch.
    """

    recording_id: str
    call_id: str
    seat: str
    segment: int
    audio_codec: str
    audio_payload_type: int
    video_codec: str
    video_payload_type: int
    started_ns: int
    opened_ns: int
    track: str = "main"

    @property
    def name(self) -> str:
        """Whose journal this is: ``teller``, ``teller-screen``."""
        return track_name(self.seat, self.track)

    def binding(self, index: int, link: bytes) -> bytes:
        """Additional authenticated data of a chunk."""
        return f"{self.recording_id}|{self.name}|{self.segment}|{index}|".encode() + link


def journal_cipher(data_key: bytes) -> AESGCM:
    """Cipher of a recording's journals: a key derived from the data key for this use alone (RFC 5869)."""
    return AESGCM(HKDF(hashes.SHA256(), 32, salt=None, info=b"aircounter journal").derive(data_key))


def pack_report(ntp: int, rtp_timestamp: int) -> bytes:
    """A Sender Report as a record's content."""
    return _REPORT.pack(ntp, rtp_timestamp)


def unpack_report(data: bytes) -> tuple[int, int]:
    """``(64-bit NTP time, RTP timestamp)``."""
    ntp, rtp_timestamp = _REPORT.unpack(data)
    return ntp, rtp_timestamp


class JournalFile:
    """The writing end. Every method blocks on the disk.

    One thread writes, another one may sync and close meanwhile: closing waits for a write that runs, because its number
    may be given to another file or socket at once, which would then get the packets.
    """

    def __init__(self, path: Path, header: JournalHeader, cipher: AESGCM) -> None:
        """Create the file and write its header.

        Raises:
            FileExistsError: Journals are never overwritten. OSError: the disk refuses.
        """
        self.path = path
        self._header = header
        self._cipher = cipher
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._lock = threading.Lock()
        self._size_b = 0
        self._index = 0
        text = json.dumps(asdict(header)).encode()
        head = MAGIC + _LENGTH.pack(len(text)) + text
        self._link = hashlib.sha256(head).digest()
        try:
            self._append(head)
        except OSError:
            os.close(self._file)
            path.unlink(missing_ok=True)
            raise

    def write(self, records: Iterable[Record]) -> None:
        """Append records as one chunk with one ``write()``.

        Raises:
            OSError: Nothing was kept of the chunk; the same records may be tried again.
        """
        pack = _RECORD.pack
        parts: list[bytes] = []
        for kind, arrival_ns, data in records:
            parts += (pack(kind, arrival_ns, len(data)), data)
        nonce = secrets.token_bytes(12)
        with self._lock:
            sealed = self._cipher.encrypt(nonce, b"".join(parts), self._header.binding(self._index, self._link))
            chunk = _CHUNK.pack(len(sealed), self._index, self._link, nonce) + sealed
            self._append(chunk)
            self._link = hashlib.sha256(self._link + chunk).digest()
            self._index += 1

    def sync(self) -> None:
        """Make what was written survive a power failure."""
        os.fdatasync(self._file)

    def close(self) -> None:
        """Sync and close. Writing afterwards raises OSError."""
        with self._lock:
            file, self._file = self._file, _CLOSED
            try:
                os.fdatasync(file)
            finally:
                os.close(file)

    def _append(self, data: bytes) -> None:
        written = 0
        try:
            while written < len(data):  # a short write happens when the disk fills up; the next one then raises
                written += os.write(self._file, data[written:])
        except OSError:
            os.ftruncate(self._file, self._size_b)
            os.lseek(self._file, self._size_b, os.SEEK_SET)
            raise
        self._size_b += len(data)


@dataclass(slots=True)
class JournalReader:
    """The reading end: iterate for records, then look at what was found.

    Attributes:
        chunks: Chunks opened. link: SHA-256 link after the last chunk, hex.
        ended: Reason in the END record; None when the journal was cut off.
        torn_b: Bytes of an unfinished chunk at the end.
        damage: What is not as it was written, in words.
    """

    path: Path
    cipher: AESGCM
    header: JournalHeader = field(init=False)
    chunks: int = 0
    link: str = ""
    ended: str | None = None
    torn_b: int = 0
    damage: list[str] = field(default_factory=list)
    _start: int = field(init=False)
    _link: bytes = field(init=False)

    def __post_init__(self) -> None:
        with self.path.open("rb") as file:
            self.header, head = _read_head(file, self.path)
        self._start = len(head)
        self._link = hashlib.sha256(head).digest()

    def __iter__(self) -> Iterator[Record]:
        """Records in the order of arrival.

        Raises:
            OSError: The file cannot be read (try again); damage of the content does not raise.
        """
        self.chunks, self.ended, self.torn_b, self.damage = 0, None, 0, []
        link, expected = self._link, 0
        with self.path.open("rb") as file:
            file.seek(self._start)
            while head := file.read(_CHUNK.size):
                if len(head) < _CHUNK.size:
                    self.torn_b = len(head)
                    break
                length, index, stored_link, nonce = _CHUNK.unpack(head)
                sealed = file.read(length) if length <= MAX_CHUNK_B else b""
                if len(sealed) < length:
                    self.torn_b = len(head) + len(sealed)
                    break
                plain = self._open(index, stored_link, nonce, sealed)
                if index != expected or stored_link != link:
                    self.damage.append(f"chunk {index} does not follow the one before it (expected {expected})")
                if plain is not None:
                    self.chunks += 1
                    yield from self._records(plain)
                link, expected = hashlib.sha256(stored_link + head + sealed).digest(), index + 1
        self._at_end(link)

    def _at_end(self, link: bytes) -> None:
        if self.ended is not None and self.torn_b:
            self.damage.append(f"{self.torn_b} bytes after the end mark")
        self.link = link.hex()

    def _open(self, index: int, link: bytes, nonce: bytes, sealed: bytes) -> bytes | None:
        try:
            return self.cipher.decrypt(nonce, sealed, self.header.binding(index, link))
        except InvalidTag:
            self.damage.append(f"chunk {index} was changed after it was written")
            return None

    def _records(self, plain: bytes) -> Iterator[Record]:
        view, at = memoryview(plain), 0
        unpack, size = _RECORD.unpack_from, _RECORD.size
        while at < len(plain):
            kind, arrival_ns, length = unpack(plain, at)
            at += size
            data = bytes(view[at : at + length])
            at += length
            if kind == RecordKind.END:
                self.ended = data.decode()
            else:
                yield kind, arrival_ns, data


def _read_head(file: BinaryIO, path: Path) -> tuple[JournalHeader, bytes]:
    start = file.read(len(MAGIC) + _LENGTH.size)
    if len(start) < len(MAGIC) + _LENGTH.size or not start.startswith(MAGIC):
        raise JournalError(f"{path.name} is not a journal")
    text = file.read(_LENGTH.unpack(start[len(MAGIC) :])[0])
    try:
        return JournalHeader(**json.loads(text)), start + text
    except (ValueError, TypeError) as error:
        raise JournalError(f"the header of {path.name} cannot be read") from error


def journals_in(folder: Path) -> list[Path]:
    """All journals of a call, in no particular order."""
    return [path for path in folder.iterdir() if path.suffix == SUFFIX]
