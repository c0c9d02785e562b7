"""Ranges and sealed chunks: any range of the sealed file equals that of the plain one."""

import hashlib
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recording.catalogue.ranges import ByteRange, UnsatisfiableRangeError, requested_range
from recording.seal import CHUNK_B, HEADER_B, SealedFile, SealError, seal

KEY = b"k" * 32
PLAIN = hashlib.shake_128(b"plain").digest(CHUNK_B * 3 + 777)


def _sealed(plain: bytes = PLAIN, file_id: str = "file_1") -> bytes:
    target = io.BytesIO()
    result = seal(io.BytesIO(plain), len(plain), target, KEY, file_id)
    data = target.getvalue()
    assert result.plain_sha256 == hashlib.sha256(plain).hexdigest()
    assert result.sealed_sha256 == hashlib.sha256(data).hexdigest()
    assert (result.plain_b, result.sealed_b) == (len(plain), len(data))
    return data


SEALED = _sealed()


@settings(deadline=None)
@given(st.integers(0, len(PLAIN) - 1), st.integers(1, len(PLAIN)))
def test_any_range_opens_from_its_chunks_alone(start: int, length: int) -> None:
    end = min(start + length, len(PLAIN))
    sealed = SealedFile(SEALED[:HEADER_B], KEY, "file_1")
    span = sealed.span(start, end)
    plain = sealed.open(span.first, SEALED[span.start_b : span.end_b])
    base = span.first * sealed.chunk_b
    assert plain[start - base : end - base] == PLAIN[start:end]
    assert span.end_b - span.start_b <= (end - start) + 2 * (CHUNK_B + 16) + (span.last - span.first + 1) * 16
    assert sealed.sealed_size_b == len(SEALED)


def test_exact_multiples_and_empty_files() -> None:
    for size in (0, 1, CHUNK_B, CHUNK_B * 2):
        data = _sealed(PLAIN[:size])
        sealed = SealedFile(data[:HEADER_B], KEY, "file_1")
        assert sealed.sealed_size_b == len(data)
        assert sealed.open(0, data[HEADER_B:]) == PLAIN[:size]


def test_the_same_plain_file_is_never_sealed_the_same_way() -> None:
    assert _sealed()[HEADER_B:] != SEALED[HEADER_B:]


@settings(deadline=None)
@given(st.integers(8, len(SEALED) - 1), st.integers(1, 255))
def test_every_changed_byte_is_noticed(at: int, change: int) -> None:
    data = bytearray(SEALED)
    data[at] ^= change
    with pytest.raises(SealError):
        SealedFile(bytes(data[:HEADER_B]), KEY, "file_1").open(0, bytes(data[HEADER_B:]))


def test_moved_cut_off_and_foreign_chunks_are_noticed() -> None:
    sealed, step = SealedFile(SEALED[:HEADER_B], KEY, "file_1"), CHUNK_B + 16
    chunks = [SEALED[at : at + step] for at in range(HEADER_B, len(SEALED), step)]
    with pytest.raises(SealError):
        sealed.open(0, chunks[1] + chunks[0])
    with pytest.raises(SealError):
        sealed.open(1, chunks[0])
    with pytest.raises(SealError):
        sealed.open(0, chunks[0][:-1])
    with pytest.raises(SealError):
        SealedFile(SEALED[:HEADER_B], KEY, "file_2").open(0, chunks[0])
    with pytest.raises(SealError):
        SealedFile(SEALED[:HEADER_B], b"x" * 32, "file_1").open(0, chunks[0])
    with pytest.raises(SealError):
        SealedFile(b"short", KEY, "file_1")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-0", ByteRange(0, 1)),
        ("bytes=0-", ByteRange(0, 100)),
        ("bytes=90-200", ByteRange(90, 100)),
        ("bytes=-10", ByteRange(90, 100)),
        ("bytes=-1000", ByteRange(0, 100)),
        ("bytes=5-4", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("bytes=a-b", None),
    ],
)
def test_range_headers(header: str | None, expected: ByteRange | None) -> None:
    assert requested_range(header, 100) == expected


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=" + "9" * 30 + "-"])
def test_unsatisfiable_ranges(header: str) -> None:
    with pytest.raises(UnsatisfiableRangeError):
        requested_range(header, 100)


@settings(deadline=None)
@given(st.text(max_size=30), st.integers(1, 1000))
def test_any_header_gives_a_range_inside_the_file(text: str, size_b: int) -> None:
    try:
        found = requested_range(text, size_b)
    except UnsatisfiableRangeError:
        return
    assert found is None or 0 <= found.start < found.end <= size_b
