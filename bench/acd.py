"""Routing under load: what one decision costs, and a bank's peak day in seconds.

    python bench/acd.py [--seed 1] [--customers 23000]

The day: 23 000 customers with the hourly shape of a bank's counters (two humps, a lunch valley), 8.2 min mean handling
(its own year-end figures), patience with a mean of 20 min, tellers in shifts that follow the load; the routing decides
with the same `decide` the product uses, from queues kept in order the way its database index keeps them. Nothing else
of the product runs: no sockets, no database, no media.
"""

import argparse
import bisect
import heapq
import json
import math
import random
import statistics
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from server.acd.decide import GroupRules, ReadyTeller, Snapshot, WaitingCall, decide
from server.acd.points import BOOKED_POINTS, CLASS_POINTS, points

DAY = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # 09:00 in China
SHAPE = (0.10, 0.16, 0.15, 0.09, 0.08, 0.13, 0.14, 0.10, 0.05)  # share of a day's customers per hour from 09:00
HANDLING_S = 492.0
PATIENCE_S = 1200.0
SHORT_S = 5.0  # who hangs up within this time has not waited for a teller
GROUPS = {"personal": 0.72, "wealth": 0.18, "corporate": 0.10}
CLASSES = (("standard", 0.80), ("elderly", 0.12), ("vip", 0.05), ("appointment", 0.03))
RULES = {
    "personal": GroupRules(overflow=("wealth",)),
    "wealth": GroupRules(),
    "corporate": GroupRules(overflow=("wealth",)),
}
TELLERS, READY = 1000, 20  # on duty, of whom free at one moment of a full house
REPEAT = 200


# --- what one decision costs ----------------------------------------------------------------------------------------


def house(waiting: int, chance: random.Random) -> tuple[dict[str, list[WaitingCall]], tuple[ReadyTeller, ...]]:
    """Queues in order, and the free ones of 1 000 tellers."""
    queues: dict[str, list[WaitingCall]] = defaultdict(list)
    for number in range(waiting):
        queued_at = DAY - timedelta(seconds=chance.uniform(0, 1800))
        favour = points(0, chance.choice(list(CLASS_POINTS)))
        group = chance.choices(list(GROUPS), list(GROUPS.values()))[0]
        call = WaitingCall(f"c{number}", group, queued_at - timedelta(seconds=favour), queued_at)
        queues[group].append(call)
    for queue in queues.values():
        queue.sort(key=lambda call: (call.rank, call.call_id))
    tellers = tuple(
        ReadyTeller(
            f"t{number}",
            frozenset(chance.sample(list(GROUPS), chance.randint(1, 2))),
            DAY - timedelta(seconds=chance.uniform(0, 600)),
        )
        for number in range(READY)
    )
    return dict(queues), tellers


def naive(calls: list[WaitingCall], tellers: tuple[ReadyTeller, ...], now: datetime) -> list[tuple[str, str]]:
    """The obvious way: score everybody who waits anew, sort, take tellers from the top."""
    idle = sorted(tellers, key=lambda teller: (teller.since, teller.teller_id))
    ranked = sorted(calls, key=lambda call: (-(now - call.rank).total_seconds(), call.call_id))
    pairs = []
    for call in ranked:
        if not idle:
            break
        for teller in idle:
            if call.skill_group in teller.skill_groups:
                idle.remove(teller)
                pairs.append((call.call_id, teller.teller_id))
                break
    return pairs


def cost_us(waiting: int, chance: random.Random) -> tuple[float, float]:
    """Median microseconds of one `decide` and of one naive re-sort; both must agree."""
    queues, tellers = house(waiting, chance)
    calls = [call for queue in queues.values() for call in queue]
    chance.shuffle(calls)
    ours, theirs = [], []
    for _ in range(REPEAT if waiting <= 1000 else REPEAT // 4):
        began = time.perf_counter()
        decided = decide(Snapshot(queues, tellers), DAY)
        ours.append(time.perf_counter() - began)
        began = time.perf_counter()
        sorted_anew = naive(calls, tellers, DAY)
        theirs.append(time.perf_counter() - began)
    assert [(pair.call.call_id, pair.teller.teller_id) for pair in decided] == sorted_anew
    return statistics.median(ours) * 1e6, statistics.median(theirs) * 1e6


# --- the peak day ---------------------------------------------------------------------------------------------------


@dataclass
class Figures:
    """What came of the day."""

    waits: list[float] = field(default_factory=list)
    booked_waits: list[float] = field(default_factory=list)
    abandoned: int = 0
    short: int = 0
    longest_s: float = 0.0
    starved: int = 0
    decisions: int = 0


@dataclass
class Teller:
    """One simulated teller."""

    teller_id: str
    groups: frozenset[str]
    ends_s: float
    since_s: float


class PeakDay:
    """A discrete-event simulation: arrivals, ends of calls, ends of patience."""

    def __init__(self, customers: int, chance: random.Random) -> None:
        self.chance = chance
        self.customers = customers
        self.figures = Figures()
        self.queues: dict[str, list[tuple[datetime, str]]] = {group: [] for group in GROUPS}
        self.calls: dict[str, WaitingCall] = {}
        self.tellers: dict[str, Teller] = {}
        self.free: dict[str, Teller] = {}
        self.events: list[tuple[float, int, str, str]] = []
        self._count = 0

    def at(self, seconds: float, kind: str, subject: str) -> None:
        self._count += 1
        heapq.heappush(self.events, (seconds, self._count, kind, subject))

    def run(self) -> Figures:
        for hour, share in enumerate(SHAPE):
            for _ in range(round(self.customers * share)):
                self.at(hour * 3600 + self.chance.uniform(0, 3600), "comes", "")
            for group, part in GROUPS.items():
                self._shift(hour, share, group, part)
        while self.events:
            now_s, _, kind, subject = heapq.heappop(self.events)
            getattr(self, f"_{kind}")(now_s, subject)
            if kind != "gives_up":
                self._decide(now_s)
        self.figures.starved = len(self.calls)
        return self.figures

    def _shift(self, hour: int, share: float, group: str, part: float) -> None:
        """Tellers for an hour at 94 % occupancy: as full as a peak day is, not as comfortable as one would like."""
        load = self.customers * share * part * (HANDLING_S + 12) / 3600
        for number in range(math.ceil(load / 0.94)):
            name = f"{group}-{hour}-{number}"
            skills = {group, "personal"} if group == "wealth" and number % 2 else {group}
            self.tellers[name] = Teller(name, frozenset(skills), (hour + 1) * 3600.0, hour * 3600.0)
            self.at(hour * 3600.0 + self.chance.uniform(0, 120), "ready", name)

    def _comes(self, now_s: float, _: str) -> None:
        call_id = f"c{self._count:06d}"
        group = self.chance.choices(list(GROUPS), list(GROUPS.values()))[0]
        customer_class = self.chance.choices([name for name, _ in CLASSES], [share for _, share in CLASSES])[0]
        queued_at = DAY + timedelta(seconds=now_s)
        call = WaitingCall(call_id, group, queued_at - timedelta(seconds=points(0, customer_class)), queued_at)
        self.calls[call_id] = call
        bisect.insort(self.queues[group], (call.rank, call_id))
        self.at(now_s + self.chance.expovariate(1 / PATIENCE_S), "gives_up", call_id)

    def _gives_up(self, now_s: float, call_id: str) -> None:
        call = self.calls.get(call_id)
        if call is None:
            return
        self._remove(call)
        waited_s = now_s - (call.queued_at - DAY).total_seconds()
        if waited_s < SHORT_S:
            self.figures.short += 1
        else:
            self.figures.abandoned += 1

    def _ready(self, now_s: float, name: str) -> None:
        teller = self.tellers[name]
        last_hour = teller.ends_s >= len(SHAPE) * 3600
        if now_s < teller.ends_s or (last_hour and self.calls):  # nobody goes home while somebody waits
            teller.since_s = now_s
            self.free[name] = teller
            self.at(max(teller.ends_s, now_s), "goes", name)

    def _goes(self, now_s: float, name: str) -> None:
        """The shift is over; who has a customer finishes first."""
        teller = self.tellers[name]
        if now_s >= teller.ends_s and (teller.ends_s < len(SHAPE) * 3600 or not self.calls):
            self.free.pop(name, None)

    def _decide(self, now_s: float) -> None:
        ready = tuple(
            ReadyTeller(teller.teller_id, teller.groups, DAY + timedelta(seconds=teller.since_s))
            for teller in self.free.values()
        )
        if not ready or not self.calls:
            return
        heads = {
            group: [self.calls[call_id] for _, call_id in queue[: 2 * len(ready) + 20]]
            for group, queue in self.queues.items()
        }
        now = DAY + timedelta(seconds=now_s)
        self.figures.decisions += 1
        for pair in decide(Snapshot(heads, ready, RULES), now):
            teller = self.tellers[pair.teller.teller_id]
            del self.free[teller.teller_id]
            self._remove(pair.call)
            answer_s = self.chance.uniform(1, 4)  # the ring, until a hand is at the mouse
            waited_s = (now - pair.call.queued_at).total_seconds() + answer_s
            self.figures.waits.append(waited_s)
            if pair.call.queued_at - pair.call.rank == timedelta(seconds=BOOKED_POINTS):
                self.figures.booked_waits.append(waited_s)
            self.figures.longest_s = max(self.figures.longest_s, waited_s)
            talk_s = self.chance.lognormvariate(math.log(HANDLING_S) - 0.18, 0.6)
            self.at(now_s + answer_s + talk_s + 10, "ready", teller.teller_id)

    def _remove(self, call: WaitingCall) -> None:
        queue = self.queues[call.skill_group]
        del queue[bisect.bisect_left(queue, (call.rank, call.call_id))]
        del self.calls[call.call_id]


def main() -> None:
    """Print the figures, for people and as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--customers", type=int, default=23_000)
    chosen = parser.parse_args()
    costs = {waiting: cost_us(waiting, random.Random(chosen.seed)) for waiting in (100, 1_000, 10_000)}
    for waiting, (ours_us, naive_us) in costs.items():
        print(f"{waiting:>6} waiting, {TELLERS} tellers, {READY} of them free: decide {ours_us:8.0f} µs, "
              f"naive re-sort {naive_us:8.0f} µs")  # fmt: skip
    began = time.perf_counter()
    day = PeakDay(chosen.customers, random.Random(chosen.seed))
    figures = day.run()
    took_s = time.perf_counter() - began
    offered = len(figures.waits) + figures.abandoned
    served = sum(wait <= 20 for wait in figures.waits)
    print(
        f"{chosen.customers} customers in {took_s:.1f} s ({len(SHAPE) * 3600 / took_s:.0f} times real time), "
        f"{figures.decisions} decisions: answered {len(figures.waits)}, abandoned {figures.abandoned}, "
        f"within 5 s {figures.short}, left waiting {figures.starved}"
    )
    answer = {
        "decide_growth_100_10000": round(costs[10_000][0] / costs[100][0], 2),
        "ratio_naive_sort": round(costs[10_000][1] / costs[10_000][0], 1),
        "service_level": round(served / offered, 3),
        "answer_rate": round(len(figures.waits) / offered, 3),
        "asa_s": round(statistics.mean(figures.waits), 1),
        "longest_wait_s": round(figures.longest_s, 1),
        "booked_longest_s": round(max(figures.booked_waits), 1),
        "booked_within_180_s": round(sum(wait <= 180 for wait in figures.booked_waits) / len(figures.booked_waits), 4),
        "starved": figures.starved,
        "day_s": round(took_s, 1),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
