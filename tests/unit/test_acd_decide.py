"""Who gets which call."""

import random
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from core.models.queue import Strategy
from server.acd.decide import PAUSE_S, GroupRules, Pairing, ReadyTeller, Snapshot, WaitingCall, decide
from server.acd.points import (
    BOOKED_POINTS,
    CLASS_POINTS,
    JUMP_POINTS,
    MAX_POINTS,
    MAX_QUEUE_POINTS,
    QUEUE_STEP,
    booked_points,
    placed,
    points,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RECENT_S = GroupRules().reject_delay_s


def waiting(
    call_id: str, waited_s: float, priority: int = 0, group: str = "counter", refused: dict[str, float] | None = None
) -> WaitingCall:
    refused_at = {teller: NOW - timedelta(seconds=ago) for teller, ago in (refused or {}).items()}
    queued_at = NOW - timedelta(seconds=waited_s)
    return WaitingCall(call_id, group, queued_at - timedelta(seconds=priority), queued_at, refused_at=refused_at)


def ready(teller_id: str, idle_s: float, *groups: str) -> ReadyTeller:
    return ReadyTeller(teller_id, frozenset(groups or {"counter"}), NOW - timedelta(seconds=idle_s))


def snapshot(
    calls: list[WaitingCall], tellers: list[ReadyTeller], rules: dict[str, GroupRules] | None = None
) -> Snapshot:
    queues: dict[str, list[WaitingCall]] = defaultdict(list)
    for call in sorted(calls, key=lambda call: (call.rank, call.call_id)):
        if call.wanted is None:
            queues[call.skill_group].append(call)
    return Snapshot(queues, tuple(tellers), rules or {}, tuple(call for call in calls if call.wanted is not None))


def pairs(
    calls: list[WaitingCall], tellers: list[ReadyTeller], rules: dict[str, GroupRules] | None = None
) -> list[tuple[str, str]]:
    decided = decide(snapshot(calls, tellers, rules), NOW)
    return [(pairing.call.call_id, pairing.teller.teller_id) for pairing in decided]


def test_longest_waiting_meets_longest_idle() -> None:
    calls = [waiting("a", 5), waiting("b", 50)]
    tellers = [ready("x", 10), ready("y", 100)]
    assert pairs(calls, tellers) == [("b", "y"), ("a", "x")]


def test_a_point_of_priority_is_worth_a_second() -> None:
    one = [ready("x", 1)]
    assert pairs([waiting("a", 60), waiting("vip", 1, priority=60)], one) == [("vip", "x")]
    assert pairs([waiting("a", 60), waiting("vip", 1, priority=58)], one) == [("a", "x")]


def test_only_tellers_with_the_skill() -> None:
    calls = [waiting("a", 50, group="wealth"), waiting("b", 5)]
    assert pairs(calls, [ready("x", 100)]) == [("b", "x")]
    assert pairs(calls, [ready("x", 100), ready("y", 1, "wealth", "counter")]) == [("a", "y"), ("b", "x")]


def test_a_teller_who_refused_comes_after_the_others() -> None:
    call = waiting("a", 50, refused={"x": 30})
    assert pairs([call], [ready("x", 100), ready("y", 1)]) == [("a", "y")]
    assert pairs([call], [ready("x", 100)]) == [("a", "x")]


def test_a_teller_who_has_just_refused_gets_a_pause() -> None:
    assert pairs([waiting("a", 50, refused={"x": PAUSE_S - 0.1})], [ready("x", 100)]) == []
    assert pairs([waiting("a", 50, refused={"x": PAUSE_S})], [ready("x", 100)]) == [("a", "x")]


def test_a_refusal_is_forgotten_after_the_groups_delay() -> None:
    call = waiting("a", 500, refused={"x": RECENT_S})
    assert pairs([call], [ready("x", 100), ready("y", 1)]) == [("a", "x")]
    assert pairs([call], [ready("x", 100), ready("y", 1)], {"counter": GroupRules(reject_delay_s=90)}) == [("a", "y")]


def test_another_group_helps_out_only_after_its_time_and_tier_by_tier() -> None:
    rules = {"counter": GroupRules(overflow=("desk", "wealth"), overflow_after_s=300)}
    desk, wealth = ready("d", 1, "desk"), ready("w", 9, "wealth")
    assert pairs([waiting("a", 299)], [desk, wealth], rules) == []
    assert pairs([waiting("a", 300)], [desk, wealth], rules) == [("a", "d")]
    assert pairs([waiting("a", 300)], [wealth], rules) == []
    assert pairs([waiting("a", 600)], [wealth], rules) == [("a", "w")]
    assert pairs([waiting("a", 600)], [desk, ready("x", 1)], rules) == [("a", "x")], "one's own group first"


def test_a_favoured_call_that_came_late_does_not_hide_one_that_may_overflow() -> None:
    rules = {"counter": GroupRules(overflow=("desk",), overflow_after_s=300)}
    calls = [waiting("jump", 10, priority=3600), waiting("old", 400)]
    assert pairs(calls, [ready("d", 1, "desk")], rules) == [("old", "d")]


def test_strategies_share_out_the_work() -> None:
    idle = replace(ready("idle", 900), calls=9, talk_s=100.0, rung_at=NOW - timedelta(seconds=50))
    few = replace(ready("few", 10), calls=1, talk_s=900.0, rung_at=NOW - timedelta(seconds=40))
    quiet = replace(ready("quiet", 20), calls=5, talk_s=50.0, rung_at=NOW - timedelta(seconds=90))
    for strategy, first in (
        (Strategy.LONGEST_IDLE, "idle"),
        (Strategy.FEWEST_CALLS, "few"),
        (Strategy.LEAST_TALK, "quiet"),
        (Strategy.ROUND_ROBIN, "quiet"),
    ):
        rules = {"counter": GroupRules(strategy)}
        assert pairs([waiting("a", 1)], [idle, few, quiet], rules) == [("a", first)], strategy


def test_a_call_handed_to_a_teller_by_name_waits_for_this_teller() -> None:
    call = replace(waiting("a", 5), wanted="y")
    assert pairs([call, waiting("b", 50)], [ready("x", 100), ready("y", 1)]) == [("a", "y"), ("b", "x")]
    assert pairs([call], [ready("x", 100)]) == []


def test_jump_beats_queue_beats_class_beats_order_of_coming() -> None:
    classes = max(given for name, given in CLASS_POINTS.items() if name != "appointment")
    assert MAX_QUEUE_POINTS + classes < BOOKED_POINTS < JUMP_POINTS
    assert classes < QUEUE_STEP
    assert points(QUEUE_STEP, "standard") > points(0, "elderly") > points(0, "vip") > points(0, "standard") == 0
    assert points(10**9, "appointment", jumped=True) == MAX_POINTS
    assert placed(0, None, None) == (0, "standard", "")
    assert placed(0, None, "vip") == (points(0, "vip"), "vip", "bank")
    assert placed(0, "elderly", "vip")[1:] == ("elderly", "declared")
    assert placed(0, "elderly", "standard")[1:] == ("elderly", "declared")
    assert placed(0, "elderly", "disabled")[1:] == ("elderly", "declared"), "both alike: the customer's own word"


@given(st.floats(min_value=-1800, max_value=900), st.floats(min_value=0, max_value=900))
def test_coming_early_to_a_booked_time_neither_helps_nor_harms(early_s: float, passed_s: float) -> None:
    """Two with the same booked time: at any moment before it, the earlier one is no better off than in order."""
    now_early = booked_points(0, early_s) + passed_s
    assert 0 <= booked_points(0, early_s) <= BOOKED_POINTS
    if passed_s >= early_s >= 0:
        assert now_early >= BOOKED_POINTS - 1, "at the booked time the whole head start is there"
    if passed_s < early_s:
        assert now_early <= BOOKED_POINTS + 1


GROUPS = st.sampled_from(["counter", "wealth", "desk"])
SECONDS = st.integers(min_value=0, max_value=900)
NAMES = ["t1", "t2", "t3"]
CALLS = st.lists(
    st.builds(
        lambda number, waited, priority, group, refused, excluded, wanted: replace(
            waiting(f"c{number}", waited, priority, group, refused), excluded=excluded, wanted=wanted
        ),
        st.integers(min_value=0, max_value=99),
        SECONDS,
        st.integers(min_value=0, max_value=MAX_POINTS),
        GROUPS,
        st.dictionaries(st.sampled_from(NAMES), SECONDS, max_size=3),
        st.frozensets(st.sampled_from(NAMES), max_size=2),
        st.none() | st.none() | st.sampled_from(NAMES),
    ),
    max_size=8,
    unique_by=lambda call: call.call_id,
)
TELLERS = st.lists(
    st.builds(
        lambda number, idle, groups, calls: replace(ready(f"t{number}", idle, *groups), calls=calls),
        st.integers(min_value=0, max_value=9),
        SECONDS,
        st.sets(GROUPS, min_size=1),
        st.integers(min_value=0, max_value=3),
    ),
    max_size=6,
    unique_by=lambda teller: teller.teller_id,
)
RULES = st.dictionaries(
    GROUPS,
    st.builds(
        GroupRules,
        st.sampled_from(list(Strategy)),
        st.sampled_from([0.0, 60.0]),
        st.lists(GROUPS, max_size=2, unique=True).map(tuple),
        st.sampled_from([0.0, 300.0]),
    ),
)


def may_ring(call: WaitingCall, teller: ReadyTeller, rules: dict[str, GroupRules]) -> bool:
    """The rules once more, said one pair at a time."""
    if teller.teller_id in call.excluded:
        return False
    refused_at = call.refused_at.get(teller.teller_id)
    if refused_at is not None and (NOW - refused_at).total_seconds() < min(
        PAUSE_S, rules.get(call.skill_group, GroupRules()).reject_delay_s if call.wanted is None else PAUSE_S
    ):
        return False
    if call.wanted is not None:
        return teller.teller_id == call.wanted
    rule = rules.get(call.skill_group, GroupRules())
    waited_s = (NOW - call.queued_at).total_seconds()
    open_tiers = [group for tier, group in enumerate(rule.overflow, 1) if waited_s >= tier * rule.overflow_after_s]
    return bool(teller.skill_groups & {call.skill_group, *open_tiers})


@given(CALLS, TELLERS, RULES)
def test_nobody_twice_and_skills_and_separation_respected(
    calls: list[WaitingCall], tellers: list[ReadyTeller], rules: dict[str, GroupRules]
) -> None:
    decided = decide(snapshot(calls, tellers, rules), NOW)
    assert len({pairing.teller.teller_id for pairing in decided}) == len(decided)
    assert len({pairing.call.call_id for pairing in decided}) == len(decided)
    assert all(may_ring(pairing.call, pairing.teller, rules) for pairing in decided)


@given(CALLS, TELLERS, RULES)
def test_no_call_waits_while_somebody_could_take_it(
    calls: list[WaitingCall], tellers: list[ReadyTeller], rules: dict[str, GroupRules]
) -> None:
    decided = decide(snapshot(calls, tellers, rules), NOW)
    taken = {pairing.teller.teller_id for pairing in decided}
    left = [call for call in calls if call.call_id not in {pairing.call.call_id for pairing in decided}]
    free = [teller for teller in tellers if teller.teller_id not in taken]
    assert not any(may_ring(call, teller, rules) for call in left for teller in free)


@given(CALLS, TELLERS, RULES)
def test_among_equals_the_higher_score_is_first(
    calls: list[WaitingCall], tellers: list[ReadyTeller], rules: dict[str, GroupRules]
) -> None:
    """Whoever was rung for could not have gone to a call that ranks higher and still waits."""
    decided = decide(snapshot(calls, tellers, rules), NOW)
    done = {pairing.call.call_id for pairing in decided}
    for pairing in decided:
        if pairing.call.wanted is not None:
            continue
        for call in calls:
            before = (call.rank, call.call_id) < (pairing.call.rank, pairing.call.call_id)
            if before and call.call_id not in done:
                assert not may_ring(call, pairing.teller, rules)


@given(CALLS, TELLERS, RULES)
def test_the_same_snapshot_gives_the_same_decision_in_any_order(
    calls: list[WaitingCall], tellers: list[ReadyTeller], rules: dict[str, GroupRules]
) -> None:
    one = decide(snapshot(calls, tellers, rules), NOW)
    assert decide(snapshot(list(reversed(calls)), list(reversed(tellers)), rules), NOW) == one


@settings(max_examples=25)
@given(st.integers(min_value=0, max_value=10_000))
def test_nobody_starves_however_many_favoured_customers_keep_coming(seed: int) -> None:
    """One teller, a call taken every 60 s, two favoured customers coming in that time: the plain one still gets in."""
    chance = random.Random(seed)
    plain = waiting("plain", 0)
    calls = [plain]
    for step in range(1, 2 * MAX_POINTS // 60):
        now = NOW + timedelta(seconds=60 * step)
        for number in range(2):
            favour = chance.randint(0, MAX_POINTS)
            calls.append(WaitingCall(f"v{step}-{number}", "counter", now - timedelta(seconds=favour), now))
        rung = decide(snapshot(calls, [replace(ready("x", 1), since=now)]), now)[0].call
        if rung.call_id == "plain":
            break
        assert rung.queued_at <= plain.queued_at + timedelta(seconds=MAX_POINTS)
        calls.remove(rung)
    else:
        raise AssertionError("still waiting")


def test_a_pairing_names_call_and_teller() -> None:
    call, teller = waiting("a", 1), ready("x", 1)
    assert decide(snapshot([call], [teller]), NOW) == [Pairing(call, teller)]
