"""Who gets which call: a pure function over a snapshot."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

PAUSE_S = 5.0  # a call never rings again at once at a teller who has just refused it
RECENT_S = 60.0  # so long a teller who refused a call gets it only when nobody else is ready


@dataclass(frozen=True, slots=True)
class WaitingCall:
    """A call that nobody rings for.

    Attributes:
        priority: Points; each second of waiting adds one.
        refused_at: When a teller last declined this call or let it lapse, by teller.
        version: Of the row, for compare-and-set.
    """

    call_id: str
    skill_group: str
    priority: int
    queued_at: datetime
    version: int = 1
    refused_at: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadyTeller:
    """A teller who can be rung. `since`: idle since then."""

    teller_id: str
    skill_groups: frozenset[str]
    since: datetime
    version: int = 1


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The queue and the tellers at one moment."""

    calls: tuple[WaitingCall, ...]
    tellers: tuple[ReadyTeller, ...]


@dataclass(frozen=True, slots=True)
class Pairing:
    """Ring this teller for this call."""

    call: WaitingCall
    teller: ReadyTeller


def rank(priority: int, queued_at: datetime, call_id: str) -> tuple[datetime, str]:
    """Sorting key, first served first.

    Points are priority plus seconds waited. Every call gains one point per second, so their order never changes:
    it is the order of ``queued_at - priority seconds``, first come first served among equals.
    """
    return queued_at - timedelta(seconds=priority), call_id


def decide(snapshot: Snapshot, now: datetime) -> list[Pairing]:
    """Pair waiting calls with ready tellers: best rank first, longest idle teller with the skill; no teller twice."""
    idle = sorted(snapshot.tellers, key=lambda teller: (teller.since, teller.teller_id))
    pairings = []
    for call in sorted(snapshot.calls, key=lambda call: rank(call.priority, call.queued_at, call.call_id)):
        teller = _choose(call, idle, now)
        if teller is not None:
            idle.remove(teller)
            pairings.append(Pairing(call, teller))
    return pairings


def _choose(call: WaitingCall, idle: list[ReadyTeller], now: datetime) -> ReadyTeller | None:
    second_choice = None
    for teller in idle:
        if call.skill_group not in teller.skill_groups:
            continue
        refused_at = call.refused_at.get(teller.teller_id)
        if refused_at is None or now - refused_at >= timedelta(seconds=RECENT_S):
            return teller
        if second_choice is None and now - refused_at >= timedelta(seconds=PAUSE_S):
            second_choice = teller
    return second_choice
