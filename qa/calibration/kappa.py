"""Agreement beyond chance. Pure.

Cohen's kappa for two raters (Cohen 1960), Fleiss' kappa for more (Fleiss 1971). 1 is full agreement, 0 what chance
alone would give, below 0 less than that. With only one category in use nothing can be told from chance: None.
"""

from collections import Counter
from collections.abc import Hashable, Sequence

Category = Hashable


def cohen_kappa(first: Sequence[Category], second: Sequence[Category]) -> float | None:
    """Agreement of two raters over the same subjects. ValueError when the lengths differ."""
    if len(first) != len(second):
        raise ValueError("both raters judge the same subjects")
    if not first:
        return None
    n = len(first)
    observed = sum(a == b for a, b in zip(first, second, strict=True)) / n
    ours, theirs = Counter(first), Counter(second)
    chance = sum(ours[category] * theirs[category] for category in ours) / (n * n)
    return _beyond(observed, chance)


def fleiss_kappa(subjects: Sequence[Sequence[Category]]) -> float | None:
    """Agreement of any number of raters; each subject holds every rater's category.

    Raises:
        ValueError: subjects with different numbers of ratings, or fewer than two.
    """
    if not subjects:
        return None
    raters = len(subjects[0])
    if raters < 2 or any(len(ratings) != raters for ratings in subjects):
        raise ValueError("every subject needs the same number of ratings, at least two")
    totals: Counter[Category] = Counter()
    agreement = 0.0
    for ratings in subjects:
        counts = Counter(ratings)
        totals.update(counts)
        agreement += (sum(count * count for count in counts.values()) - raters) / (raters * (raters - 1))
    everything = raters * len(subjects)
    chance = sum((count / everything) ** 2 for count in totals.values())
    return _beyond(agreement / len(subjects), chance)


def _beyond(observed: float, chance: float) -> float | None:
    return None if chance >= 1.0 else (observed - chance) / (1.0 - chance)
