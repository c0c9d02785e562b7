"""The journal on a real disk: readable up to the last whole chunk, and nothing can be changed unnoticed."""

import errno
import itertools
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journals import DATA_KEY, header

from recording.capture.journal import (
    JournalError,
    JournalFile,
    JournalReader,
    Record,
    RecordKind,
    journal_cipher,
    pack_report,
    unpack_report,
)

CIPHER = journal_cipher(DATA_KEY)
CHUNKS: list[list[Record]] = [
    [(RecordKind.AUDIO, number * 10 + part, bytes([number, part]) * 20) for part in range(4)] for number in range(6)
]
ALL = [record for chunk in CHUNKS for record in chunk]


def _write(path: Path, *, end: bool = False, seat: str = "customer") -> list[int]:
    """Write the chunks; returns the file's size after the head and after each chunk."""
    file = JournalFile(path, header(seat), CIPHER)
    sizes = [path.stat().st_size]
    for chunk in CHUNKS:
        file.write(chunk)
        sizes.append(path.stat().st_size)
    if end:
        file.write([(RecordKind.END, 99, b"hung up")])
    file.close()
    return sizes


def test_what_was_written_is_read(tmp_path: Path) -> None:
    _write(tmp_path / "a.journal", end=True)
    reader = JournalReader(tmp_path / "a.journal", CIPHER)
    assert list(reader) == ALL
    assert list(reader) == ALL, "reading again gives the same"
    assert (reader.ended, reader.chunks, reader.torn_b, reader.damage) == ("hung up", 7, 0, [])
    assert reader.header == header()
    assert unpack_report(pack_report(2**64 - 1, 2**32 - 1)) == (2**64 - 1, 2**32 - 1)


def test_nothing_readable_is_on_the_disk(tmp_path: Path) -> None:
    file = JournalFile(tmp_path / "a.journal", header(), CIPHER)
    file.write([(RecordKind.AUDIO, 1, b"a secret that was spoken")])
    file.close()
    assert b"secret" not in (tmp_path / "a.journal").read_bytes()
    assert (tmp_path / "a.journal").stat().st_mode & 0o077 == 0


def test_a_closed_journal_takes_nothing_and_leaves_other_files_alone(tmp_path: Path) -> None:
    file = JournalFile(tmp_path / "a.journal", header(), CIPHER)
    file.close()
    # The other file gets the number the journal had.
    with (tmp_path / "other").open("wb"), pytest.raises(OSError, match="Bad file descriptor"):
        file.write([(RecordKind.AUDIO, 1, b"late")])
    assert (tmp_path / "other").read_bytes() == b""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(cut=st.integers(0, 2000))
def test_cut_off_anywhere_everything_before_is_readable(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "cut.journal"
    path.unlink(missing_ok=True)
    sizes = _write(path)
    cut = sizes[0] + cut % (sizes[-1] - sizes[0] + 1)
    os.truncate(path, cut)
    reader = JournalReader(path, CIPHER)
    whole = max(number for number, size in enumerate(sizes) if size <= cut)
    assert list(reader) == [record for chunk in CHUNKS[:whole] for record in chunk]
    assert reader.torn_b == cut - sizes[whole]
    assert (reader.ended, reader.damage) == (None, [])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(at=st.integers(0, 5000), change=st.integers(1, 255))
def test_a_changed_byte_is_reported_and_costs_only_its_chunk(tmp_path: Path, at: int, change: int) -> None:
    path = tmp_path / "changed.journal"
    path.unlink(missing_ok=True)
    sizes = _write(path, end=True)
    data = bytearray(path.read_bytes())
    at = sizes[0] + at % (sizes[-1] - sizes[0])
    hit = max(number for number, size in enumerate(sizes) if size <= at)
    data[at] ^= change
    path.write_bytes(data)
    reader = JournalReader(path, CIPHER)
    records = list(reader)
    assert reader.damage or reader.torn_b, "a change goes unnoticed"
    assert all(record in ALL for record in records)
    if at >= sizes[hit] + 4:  # the length itself is intact: the rest can be found
        assert records == [record for n, chunk in enumerate(CHUNKS) for record in chunk if n != hit]


def test_moved_repeated_left_out_and_foreign_chunks_are_reported(tmp_path: Path) -> None:
    sizes = _write(tmp_path / "a.journal")
    data = (tmp_path / "a.journal").read_bytes()
    head, chunks = data[: sizes[0]], [data[a:b] for a, b in itertools.pairwise(sizes)]
    _write(tmp_path / "b.journal", seat="teller")
    foreign = (tmp_path / "b.journal").read_bytes()[-len(chunks[5]) :]
    variants = {
        "moved": [*chunks[:2], chunks[3], chunks[2], *chunks[4:]],
        "repeated": [*chunks[:3], chunks[2], *chunks[3:]],
        "left out": [*chunks[:2], *chunks[3:]],
        "foreign": [*chunks[:5], foreign],
    }
    for name, variant in variants.items():
        (tmp_path / "v.journal").write_bytes(head + b"".join(variant))
        reader = JournalReader(tmp_path / "v.journal", CIPHER)
        records = list(reader)
        assert reader.damage, name
        assert all(record in ALL for record in records), name


def test_another_head_fits_no_chunk(tmp_path: Path) -> None:
    _write(tmp_path / "a.journal")
    data = (tmp_path / "a.journal").read_bytes()
    (tmp_path / "a.journal").write_bytes(data.replace(b'"segment": 1', b'"segment": 2'))
    reader = JournalReader(tmp_path / "a.journal", CIPHER)
    assert list(reader) == []
    assert len(reader.damage) >= len(CHUNKS)


def test_a_journal_is_never_overwritten(tmp_path: Path) -> None:
    _write(tmp_path / "a.journal")
    with pytest.raises(FileExistsError):
        JournalFile(tmp_path / "a.journal", header(), CIPHER)


@pytest.mark.parametrize("content", [b"", b"ACJ", b"ACJ1\x00\x00\x00\x10{", b"ACJ1\x00\x00\x00\x02{}", b"\x00" * 100])
def test_what_is_no_journal_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.journal").write_bytes(content)
    with pytest.raises(JournalError):
        JournalReader(tmp_path / "x.journal", CIPHER)


@contextmanager
def _file_size_limit(limit_b: int) -> Iterator[None]:
    """The kernel refuses longer files (EFBIG), as a full disk would (ENOSPC)."""
    old_limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    old_handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_b, old_limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old_limits)
        signal.signal(signal.SIGXFSZ, old_handler)


def test_a_refused_write_leaves_no_trace_and_can_be_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    file = JournalFile(path, header(), CIPHER)
    file.write(CHUNKS[0])
    size_b = path.stat().st_size
    # Half a chunk fits: a short write, then the error.
    with _file_size_limit(size_b + 50), pytest.raises(OSError, match=os.strerror(errno.EFBIG)):
        file.write(CHUNKS[1])
    assert path.stat().st_size == size_b
    for chunk in CHUNKS[1:]:
        file.write(chunk)
    file.close()
    reader = JournalReader(path, CIPHER)
    assert list(reader) == ALL
    assert (reader.torn_b, reader.damage) == (0, [])
