"""Transport-wide feedback, read back by a decoder written from the draft alone."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from server.media.twcc import ArrivalLog

TICK_NS = 250_000


def decode(message: bytes) -> tuple[int, dict[int, int | None], int]:
    """Returns feedback count, sequence -> arrival in 250 µs ticks (None: lost), and the message's length in bytes."""
    first, kind, words = struct.unpack_from("!BBH", message)
    assert (first & 0x1F, kind, len(message)) == (15, 205, 4 * (words + 1))
    end = len(message) - (message[-1] if first & 0x20 else 0)
    base, count, packed = struct.unpack_from("!HHI", message, 12)
    clock = (packed >> 8) * 256  # 64 ms in ticks of 250 µs
    symbols: list[int] = []
    at = 20
    while len(symbols) < count:
        (chunk,) = struct.unpack_from("!H", message, at)
        at += 2
        if not chunk & 0x8000:
            symbols += [chunk >> 13 & 3] * (chunk & 0x1FFF)
        elif chunk & 0x4000:
            symbols += [chunk >> shift & 3 for shift in range(12, -1, -2)]
        else:
            symbols += [chunk >> shift & 1 for shift in range(13, -1, -1)]
    arrivals: dict[int, int | None] = {}
    for index, symbol in enumerate(symbols[:count]):
        assert symbol in (0, 1, 2)
        if symbol == 0:
            arrivals[(base + index) & 0xFFFF] = None
            continue
        delta = message[at] if symbol == 1 else struct.unpack_from("!h", message, at)[0]
        at += symbol
        clock += delta
        arrivals[(base + index) & 0xFFFF] = clock
    assert at == end
    return packed & 0xFF, arrivals, len(message)


@given(
    st.integers(0, 0xFFFF),
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 20_000_000_000)), min_size=1, max_size=300),
)
def test_everything_that_arrived_is_reported_with_its_time(first: int, steps: list[tuple[int, int]]) -> None:
    log = ArrivalLog()
    expected: dict[int, int] = {}
    sequence, now_ns = first, 5_000_000_000
    for skip, pause_ns in steps:
        sequence += 1 + skip
        now_ns += pause_ns % (1_000_000 if skip < 250 else 20_000_000_000)
        if sequence - first > 30_000:
            break
        log.add(sequence & 0xFFFF, now_ns)
        expected[sequence & 0xFFFF] = now_ns // TICK_NS
    reported: dict[int, int] = {}
    for number, message in enumerate(log.feedback(1, 2)):
        count, arrivals, size = decode(message)
        assert count == number
        assert size <= 1400
        for key, ticks in arrivals.items():
            assert key not in reported
            if ticks is not None:
                reported[key] = ticks
            else:
                assert key not in expected
    wrap = 256 << 24
    assert reported.keys() == expected.keys()
    assert all((reported[key] - expected[key]) % wrap == 0 for key in expected)
    assert log.feedback(1, 2) == []


def test_disorder_within_one_report_is_kept_and_a_straggler_after_it_is_not() -> None:
    log = ArrivalLog()
    for sequence, at_ms in ((10, 100), (12, 110), (11, 115)):
        log.add(sequence, at_ms * 1_000_000)
    (message,) = log.feedback(1, 2)
    assert decode(message)[1] == {10: 400, 11: 460, 12: 440}
    log.add(9, 120_000_000)
    assert log.feedback(1, 2) == []
    log.add(13, 130_000_000)
    (message,) = log.feedback(1, 2)
    assert decode(message)[:2] == (1, {13: 520})
