"""Head starts in the queue, in seconds of waiting: jump > booked > queue > customer class > first come, first served.

One point is one second. The steps are such that at the same moment a jump beats every queue's points, and a queue's
step beats every class; and as all of them are finite and waiting adds a point per second, nobody waits for ever.
"""

from typing import Literal

CustomerClass = Literal["standard", "vip", "elderly", "disabled", "appointment"]

BOOKED_POINTS = 2700
"""As long as anybody is let in to wait (45 min): at the booked time nobody is before those who booked it. How many they
can be is limited by the slots."""

CLASS_POINTS: dict[str, int] = {
    "standard": 0,
    "vip": 120,
    "elderly": 180,
    "disabled": 180,
    "appointment": BOOKED_POINTS,
}
QUEUE_STEP = 300
MAX_QUEUE_POINTS = 5 * QUEUE_STEP
JUMP_POINTS = 3600
"""Help asked for by a waiting customer, or moved ahead by a supervisor."""

MAX_POINTS = JUMP_POINTS + MAX_QUEUE_POINTS + max(CLASS_POINTS.values())
"""Nobody is overtaken by a customer who comes later than this many seconds after."""


def points(queue_points: int, customer_class: str, jumped: bool = False) -> int:
    """All points of a call. A queue's are cut off at `MAX_QUEUE_POINTS`; an unknown class has none."""
    capped = max(0, min(queue_points, MAX_QUEUE_POINTS))
    return capped + CLASS_POINTS.get(customer_class, 0) + (JUMP_POINTS if jumped else 0)


def placed(queue_points: int, declared: str | None, known: str | None) -> tuple[int, str, str]:
    """Points, class and where the class is from (``bank``, ``declared`` or empty): the better one of both."""
    best, source = max(
        (("standard", ""), (declared or "standard", "declared"), (known or "standard", "bank")),
        key=lambda each: CLASS_POINTS.get(each[0], 0),
    )
    return points(queue_points, best), best, source


def booked_points(queue_points: int, early_s: float) -> int:
    """Points of a booked customer, who comes `early_s` seconds before the time (0 when in time or late).

    Whoever comes early reaches the full head start at the booked time, and takes nobody's turn before.
    """
    return points(queue_points, "appointment") - min(BOOKED_POINTS, round(max(0.0, early_s)))
