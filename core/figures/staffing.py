"""How many tellers a load needs: Erlang C (everybody waits) and Erlang A (customers lose patience). Pure.

Sources: A. K. Erlang's waiting formula (1917); C. Palm's M/M/n+M (1957). Both take Poisson arrivals and exponential
handling times, and are checked against published values in the tests.
"""

from dataclasses import dataclass
from math import exp

MOST_TELLERS = 2_000
STEPS = 100


@dataclass(frozen=True, slots=True)
class Load:
    """What comes in one interval.

    Attributes:
        calls: How many in the interval. interval_s: Its length. aht_s: Mean handling time.
        patience_s: Mean time a customer waits before giving up; None: for ever (Erlang C).
    """

    calls: float
    interval_s: float
    aht_s: float
    patience_s: float | None = None

    @property
    def erlangs(self) -> float:
        """Offered load: tellers that would be busy all the time."""
        return self.calls * self.aht_s / self.interval_s


@dataclass(frozen=True, slots=True)
class Outcome:
    """What so many tellers make of a load. Shares are 0 to 1."""

    service_level: float
    abandoned: float
    occupancy: float


def erlang_c(tellers: int, erlangs: float) -> float:
    """Probability that a customer has to wait; 1 when the load is more than the tellers can do."""
    if erlangs <= 0:
        return 0.0
    if tellers <= erlangs:
        return 1.0
    blocked = 1.0  # Erlang B by its recursion: no factorials to overflow
    for count in range(1, tellers + 1):
        blocked = erlangs * blocked / (count + erlangs * blocked)
    return blocked / (1 - erlangs / tellers * (1 - blocked))


def outcome(load: Load, tellers: int, within_s: float) -> Outcome:
    """Share answered within `within_s`, share that gives up, and how busy the tellers are."""
    if load.erlangs <= 0:
        return Outcome(1.0, 0.0, 0.0)
    if tellers <= 0:
        return Outcome(0.0, 1.0 if load.patience_s else 0.0, 0.0)
    if load.patience_s is None:
        waits = erlang_c(tellers, load.erlangs)
        level = 0.0 if tellers <= load.erlangs else 1 - waits * exp(-(tellers - load.erlangs) * within_s / load.aht_s)
        return Outcome(level, 0.0, min(1.0, load.erlangs / tellers))
    return _erlang_a(load, tellers, within_s)


def _erlang_a(load: Load, tellers: int, within_s: float) -> Outcome:
    """M/M/n+M: the birth-death chain summed until its tail no longer counts."""
    assert load.patience_s is not None
    arrive, serve, leave = load.calls / load.interval_s, 1 / load.aht_s, 1 / load.patience_s
    weights = [1.0]
    while len(weights) <= tellers or weights[-1] > 1e-12 * max(weights):
        state = len(weights)
        out = min(state, tellers) * serve + max(0, state - tellers) * leave
        weights.append(weights[-1] * arrive / out)
        if weights[-1] > 1e200:  # only ratios matter
            weights = [weight / 1e200 for weight in weights]
    total = sum(weights)
    queue = sum((state - tellers) * weight for state, weight in enumerate(weights) if state > tellers) / total
    abandoned = leave * queue / arrive
    # Who finds k others in the queue is answered in time if k + 1 steps are over before, none of them the own patience.
    reached = _reached(len(weights) - tellers, tellers * serve, leave, within_s)
    level = sum(weights[:tellers]) / total
    level += sum(weight / total * share for weight, share in zip(weights[tellers:], reached, strict=True))
    return Outcome(min(1.0, level), abandoned, min(1.0, load.erlangs * (1 - abandoned) / tellers))


def _reached(places: int, served_hz: float, leave_hz: float, within_s: float) -> list[float]:
    """Probability to be answered within the time with 0, 1, 2 … others ahead: exponential steps, integrated."""
    pause = within_s / STEPS
    rates = [served_hz + (ahead + 1) * leave_hz for ahead in range(places)]
    moves = [1 - exp(-rate * pause) for rate in rates]
    stays = [1 - leave_hz / rate for rate in rates]  # the one who moved on was somebody else
    shares = [0.0] * places
    for _ in range(STEPS):
        before = 1.0
        for ahead in range(places):
            share = shares[ahead]
            shares[ahead] = share * (1 - moves[ahead]) + moves[ahead] * stays[ahead] * before
            before = share
    return shares


def tellers_needed(load: Load, service_level: float, within_s: float) -> int:
    """The fewest tellers who answer the share in time; 0 without calls."""
    if load.calls <= 0:
        return 0
    low, high = 1, 1
    while outcome(load, high, within_s).service_level < service_level:
        low, high = high + 1, high * 2
        if high > MOST_TELLERS:
            raise ValueError("no number of tellers is enough")
    while low < high:
        middle = (low + high) // 2
        if outcome(load, middle, within_s).service_level < service_level:
            low = middle + 1
        else:
            high = middle
    return low
