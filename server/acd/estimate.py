"""How long a waiting customer will wait, as an honest range: a pure function."""

import math
from dataclasses import dataclass

# Mean handling time of a national bank's counters, 8.2 min (its own year-end figure); it counts like this many calls
# until enough of our own are known.
PRIOR_MEAN_S = 492.0
PRIOR_CALLS = 5
Z = 1.28  # of the normal distribution: the true wait lies in the range four times out of five


@dataclass(frozen=True, slots=True)
class QueueLoad:
    """What the estimate stands on.

    Attributes:
        ready: Tellers of the skill group who are free now. serving: All of the group who are on duty.
        handled_calls / handled_s: Number and total handling time of recent calls.
        ring_s: Time an offer may ring.
    """

    ready: int
    serving: int
    handled_calls: int
    handled_s: float
    ring_s: float


def estimate(position: int, load: QueueLoad) -> tuple[int, int] | None:
    """Range of the wait in whole seconds for the customer at a position (1 is next), or None when nobody serves.

    With `serving` tellers busy, the wait is that for the k-th end of a call, k = position beyond the free tellers:
    Erlang-k with rate serving/mean, relative spread 1/√k, widened by what the mean itself may be off.
    """
    if load.serving == 0:
        return None
    behind = position - load.ready
    if behind <= 0:
        return 0, math.ceil(load.ring_s)
    weight = PRIOR_CALLS + load.handled_calls
    mean_s = (PRIOR_CALLS * PRIOR_MEAN_S + load.handled_s) / weight
    expected_s = behind * mean_s / load.serving
    spread = Z * math.sqrt(1 / behind + 1 / weight)
    low_s = max(0.0, expected_s * (1 - spread))
    return math.floor(low_s), math.ceil(expected_s * (1 + spread) + load.ring_s)
