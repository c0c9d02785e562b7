"""Kappas against published examples and their own laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.calibration.kappa import cohen_kappa, fleiss_kappa

MARKS = st.sampled_from(["full", "half", "zero", "na"])


def test_cohen_of_a_known_table() -> None:
    # 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: observed 0.7, chance 0.5.
    first = ["y"] * 25 + ["n"] * 25
    second = ["y"] * 20 + ["n"] * 5 + ["y"] * 10 + ["n"] * 15
    assert cohen_kappa(first, second) == pytest.approx(0.4)


def test_fleiss_of_the_example_with_fourteen_raters() -> None:
    counts = [
        (0, 0, 0, 0, 14),
        (0, 2, 6, 4, 2),
        (0, 0, 3, 5, 6),
        (0, 3, 9, 2, 0),
        (2, 2, 8, 1, 1),
        (7, 7, 0, 0, 0),
        (3, 2, 6, 3, 0),
        (2, 5, 3, 2, 2),
        (6, 5, 2, 1, 0),
        (0, 2, 2, 3, 7),
    ]
    subjects = [[category for category, count in enumerate(row) for _ in range(count)] for row in counts]
    assert fleiss_kappa(subjects) == pytest.approx(0.210, abs=0.001)


@given(st.lists(MARKS, min_size=1, max_size=30))
def test_who_agrees_with_himself_gets_one_or_nothing_to_tell(marks: list[str]) -> None:
    expected = None if len(set(marks)) == 1 else pytest.approx(1.0)
    assert cohen_kappa(marks, marks) == expected
    assert fleiss_kappa([[mark] * 3 for mark in marks]) == expected


@given(st.lists(st.tuples(MARKS, MARKS), min_size=1, max_size=30))
def test_kappa_is_symmetric_and_never_above_one(pairs: list[tuple[str, str]]) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    there, back = cohen_kappa(first, second), cohen_kappa(second, first)
    assert there == (None if back is None else pytest.approx(back))
    assert there is None or -1.0 <= there <= 1.0 + 1e-9


def test_raters_must_judge_the_same_subjects() -> None:
    with pytest.raises(ValueError, match="same subjects"):
        cohen_kappa(["a"], ["a", "b"])
    with pytest.raises(ValueError, match="same number"):
        fleiss_kappa([["a", "b"], ["a"]])
    assert cohen_kappa([], []) is None
    assert fleiss_kappa([]) is None
