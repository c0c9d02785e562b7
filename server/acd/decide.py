"""Who gets which call: a pure function over a snapshot.

Every waiting call gains one point per second, so the order of calls never changes while they wait: it is the order of
``rank`` (time of joining less the points in seconds). Queues are therefore kept in order where they are kept (an index
of the database), and a decision looks at their heads only: its cost follows the ready tellers, not those who wait.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from core.models.queue import Strategy

PAUSE_S = 5.0  # a call never rings again at once at a teller who has just refused it
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Key = tuple[float | datetime | str, ...]


@dataclass(frozen=True, slots=True)
class WaitingCall:
    """A call that nobody rings for.

    Attributes:
        rank: Sorting key, first served first.
        refused_at: When a teller last declined this call or let it lapse, by teller.
        excluded: Tellers who must not get it (post separation, or they have handed it on).
        wanted: The only teller who may get it for now; None: anybody with the skill.
        version: Of the row, for compare-and-set.
    """

    call_id: str
    skill_group: str
    rank: datetime
    queued_at: datetime
    version: int = 1
    refused_at: Mapping[str, datetime] = field(default_factory=dict)
    excluded: frozenset[str] = frozenset()
    wanted: str | None = None


@dataclass(frozen=True, slots=True)
class ReadyTeller:
    """A teller who can be rung.

    Attributes:
        since: Idle since then.
        calls / talk_s: Taken today, for the strategies that share out work. rung_at: Last ring.
    """

    teller_id: str
    skill_groups: frozenset[str]
    since: datetime
    version: int = 1
    calls: int = 0
    talk_s: float = 0.0
    rung_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class GroupRules:
    """How a skill group is rung.

    Attributes:
        reject_delay_s: So long a teller who refused a call gets it only when nobody else is ready.
        overflow: Groups that help out: the first once a call has waited `overflow_after_s`, the next after twice that …
    """

    strategy: Strategy = Strategy.LONGEST_IDLE
    reject_delay_s: float = 60.0
    overflow: tuple[str, ...] = ()
    overflow_after_s: float = 300.0


DEFAULT_RULES = GroupRules()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The queues and the ready tellers at one moment.

    Attributes:
        queues: Waiting calls by skill group, each in the order of `rank`, then id. Heads suffice: a few more than there
            are ready tellers.
        handed: Calls that are for one teller alone right now (`WaitingCall.wanted`); they are in no queue.
    """

    queues: Mapping[str, Sequence[WaitingCall]]
    tellers: tuple[ReadyTeller, ...]
    rules: Mapping[str, GroupRules] = field(default_factory=dict)
    handed: tuple[WaitingCall, ...] = ()


@dataclass(frozen=True, slots=True)
class Pairing:
    """Ring this teller for this call."""

    call: WaitingCall
    teller: ReadyTeller


def decide(snapshot: Snapshot, now: datetime) -> list[Pairing]:
    """Pair waiting calls with ready tellers: best rank first over all queues, no teller twice.

    What was handed to a teller by name comes before: that teller has been asked.
    """
    desk = _Desk(snapshot, now)
    pairings: list[Pairing] = []
    for call in sorted(snapshot.handed, key=lambda call: (call.rank, call.call_id)):
        teller = desk.wanted(call)
        if teller is not None:
            pairings.append(Pairing(call, teller))
    heads = [
        (queue[0].rank, queue[0].call_id, group, 0)
        for group, queue in snapshot.queues.items()
        if queue and desk.reachable(group)
    ]
    heapq.heapify(heads)
    while heads and desk.left:
        _, _, group, index = heapq.heappop(heads)
        queue = snapshot.queues[group]
        teller = desk.choose(queue[index])
        if teller is not None:
            pairings.append(Pairing(queue[index], teller))
        if index + 1 < len(queue) and desk.worth_looking(group, queue[index + 1]):
            following = queue[index + 1]
            heapq.heappush(heads, (following.rank, following.call_id, group, index + 1))
    return pairings


class _Desk:
    """The tellers who are still free while one decision is made."""

    def __init__(self, snapshot: Snapshot, now: datetime) -> None:
        self._rules = snapshot.rules
        self._now = now
        self._by_id = {teller.teller_id: teller for teller in snapshot.tellers}
        self._taken: set[str] = set()
        self._free: dict[str, int] = defaultdict(int)  # by group
        self._order: dict[str, list[ReadyTeller]] = {}
        self._begin: dict[str, int] = {}  # everybody before it in the order is taken
        for teller in snapshot.tellers:
            for group in teller.skill_groups:
                self._free[group] += 1

    @property
    def left(self) -> int:
        """How many are free."""
        return len(self._by_id) - len(self._taken)

    def _of(self, group: str) -> GroupRules:
        return self._rules.get(group, DEFAULT_RULES)

    def reachable(self, group: str) -> bool:
        """Whether anybody could get a call of the group, now or after more waiting."""
        return any(self._free[tier] for tier in (group, *self._of(group).overflow))

    def worth_looking(self, group: str, call: WaitingCall) -> bool:
        """Whether a call, or one behind it, may find somebody.

        Without a free teller of its own group only those help who have waited long enough, and nobody has who joined
        later than `rank` (points only move a rank forward in time, never back).
        """
        if self._free[group]:
            return True
        rules = self._of(group)
        opened = self._now - timedelta(seconds=rules.overflow_after_s)
        return self.reachable(group) and call.rank <= opened

    def choose(self, call: WaitingCall) -> ReadyTeller | None:
        """The teller for a call, marked as taken."""
        return self._take(self._by_skill(call))

    def wanted(self, call: WaitingCall) -> ReadyTeller | None:
        """The teller a call was handed to, if free; marked as taken."""
        teller = self._by_id.get(call.wanted or "")
        if teller is None or teller.teller_id in self._taken or teller.teller_id in call.excluded:
            return None
        return None if self._refused_s(call, teller) < PAUSE_S else self._take(teller)

    def _take(self, teller: ReadyTeller | None) -> ReadyTeller | None:
        if teller is not None:
            self._taken.add(teller.teller_id)
            for group in teller.skill_groups:
                self._free[group] -= 1
        return teller

    def _by_skill(self, call: WaitingCall) -> ReadyTeller | None:
        rules = self._of(call.skill_group)
        waited_s = (self._now - call.queued_at).total_seconds()
        tiers = int(waited_s // rules.overflow_after_s) if rules.overflow_after_s > 0 else len(rules.overflow)
        second_choice = None
        for group in (call.skill_group, *rules.overflow[: max(0, tiers)]):
            for teller in self._in_order(group):
                if teller.teller_id in call.excluded:
                    continue
                refused_s = self._refused_s(call, teller)
                if refused_s >= rules.reject_delay_s:
                    return teller
                if second_choice is None and refused_s >= PAUSE_S:
                    second_choice = teller
        return second_choice

    def _refused_s(self, call: WaitingCall, teller: ReadyTeller) -> float:
        refused_at = call.refused_at.get(teller.teller_id)
        return float("inf") if refused_at is None else (self._now - refused_at).total_seconds()

    def _in_order(self, group: str) -> Iterator[ReadyTeller]:
        """Free tellers of a group, in the order of its strategy."""
        if not self._free[group]:
            return
        order = self._order.get(group)
        if order is None:
            key = _KEYS[self._of(group).strategy]
            order = sorted((t for t in self._by_id.values() if group in t.skill_groups), key=key)
            self._order[group] = order
        begin = self._begin.get(group, 0)
        while begin < len(order) and order[begin].teller_id in self._taken:
            begin += 1
        self._begin[group] = begin
        for index in range(begin, len(order)):
            if order[index].teller_id not in self._taken:
                yield order[index]


def _longest_idle(teller: ReadyTeller) -> Key:
    return teller.since, teller.teller_id


def _fewest_calls(teller: ReadyTeller) -> Key:
    return teller.calls, teller.since, teller.teller_id


def _least_talk(teller: ReadyTeller) -> Key:
    return teller.talk_s, teller.since, teller.teller_id


def _round_robin(teller: ReadyTeller) -> Key:
    return teller.rung_at or _EPOCH, teller.teller_id


_KEYS = {
    Strategy.LONGEST_IDLE: _longest_idle,
    Strategy.FEWEST_CALLS: _fewest_calls,
    Strategy.LEAST_TALK: _least_talk,
    Strategy.ROUND_ROBIN: _round_robin,
}
