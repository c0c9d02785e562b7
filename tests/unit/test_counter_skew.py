"""How far the lines of a photographed card slant."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from server.counter.ocr.engine import skew_of


def box(width: float, height: float, radians: float) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=float)
    cos, sin = np.cos(radians), np.sin(radians)
    return corners @ np.array([[cos, sin], [-sin, cos]])


@given(st.floats(-40, 40), st.sampled_from([0, 90, 180, 270]))
def test_a_slant_is_what_quarter_turns_leave(degrees: float, quarter: int) -> None:
    lines = [box(length, 20, np.radians(degrees + quarter)) for length in (300, 180, 260)]
    assert abs(np.degrees(skew_of(lines)) - degrees) < 0.01


def test_a_stray_mark_says_nothing() -> None:
    lines = [box(300, 20, np.radians(12)), box(15, 10, np.radians(-30)), box(200, 20, np.radians(12))]
    assert round(np.degrees(skew_of(lines))) == 12
    assert skew_of([]) == 0.0
