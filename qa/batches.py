"""Long lists of ids in queries: PostgreSQL takes at most 32 767 values in one statement."""

from collections.abc import Iterator, Sequence

BATCH = 10_000


def batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """The ids in pieces that one statement can carry; nothing for no ids."""
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]
