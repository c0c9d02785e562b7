"""Handwritten signatures: strokes as they were drawn, checked, and their picture."""

import hashlib
import io
import json
from typing import Annotated

from PIL import Image, ImageDraw
from pydantic import AfterValidator, Field

MAX_STROKES, MAX_POINTS, MIN_POINTS = 100, 6000, 12
MIN_EXTENT = 0.08  # of the pad's width: a dot or a tick is no signature
WIDTH, HEIGHT = 900, 300

LONGEST_MS = 3_600_000


def _point(values: list[float]) -> list[float]:
    x, y, at_ms, pressure = values
    if not (0 <= x <= 1 and 0 <= y <= 1 and 0 <= at_ms <= LONGEST_MS and 0 <= pressure <= 1):
        raise ValueError("outside of the pad")
    return values


# x and y as shares of the pad, milliseconds since the first point, pressure.
_Number = Annotated[float, Field(allow_inf_nan=False)]
Point = Annotated[list[_Number], Field(min_length=4, max_length=4), AfterValidator(_point)]
Stroke = Annotated[list[Point], Field(min_length=1, max_length=MAX_POINTS)]
Strokes = Annotated[list[Stroke], Field(min_length=1, max_length=MAX_STROKES)]
Drawn = list[list[list[float]]]


def ink_problem(strokes: Drawn) -> str | None:
    """Why this is no signature: ``too_little``, ``too_much``; None when it is one."""
    points = [point for stroke in strokes for point in stroke]
    if len(points) > MAX_POINTS:
        return "too_much"
    xs, ys = [point[0] for point in points], [point[1] for point in points]
    if len(points) < MIN_POINTS or max(max(xs) - min(xs), max(ys) - min(ys)) < MIN_EXTENT:
        return "too_little"
    return None


def ink_digest(strokes: Drawn) -> str:
    """SHA-256 of the strokes' canonical JSON."""
    return hashlib.sha256(json.dumps(strokes, separators=(",", ":")).encode()).hexdigest()


def ink_picture(*signatures: Drawn) -> Image.Image:
    """The signatures side by side, blue-black on nothing."""
    picture = Image.new("RGBA", (WIDTH * len(signatures), HEIGHT), (255, 255, 255, 0))
    pen = ImageDraw.Draw(picture)
    for number, strokes in enumerate(signatures):
        for stroke in strokes:
            path = [(number * WIDTH + x * WIDTH, y * HEIGHT) for x, y, _, _ in stroke]
            if len(path) == 1:
                path.append((path[0][0] + 1, path[0][1] + 1))
            pen.line(path, fill=(20, 33, 90, 255), width=6, joint="curve")
    return picture


def ink_png(strokes: Drawn) -> bytes:
    """The picture as PNG, for pages."""
    target = io.BytesIO()
    ink_picture(strokes).save(target, "PNG")
    return target.getvalue()
