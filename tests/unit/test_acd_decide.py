"""Who gets which call."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from server.acd.decide import PAUSE_S, RECENT_S, Pairing, ReadyTeller, Snapshot, WaitingCall, decide, rank

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def waiting(
    call_id: str, waited_s: float, priority: int = 0, group: str = "counter", refused: dict[str, float] | None = None
) -> WaitingCall:
    refused_at = {teller: NOW - timedelta(seconds=ago) for teller, ago in (refused or {}).items()}
    return WaitingCall(call_id, group, priority, NOW - timedelta(seconds=waited_s), refused_at=refused_at)


def ready(teller_id: str, idle_s: float, *groups: str) -> ReadyTeller:
    return ReadyTeller(teller_id, frozenset(groups or {"counter"}), NOW - timedelta(seconds=idle_s))


def pairs(calls: list[WaitingCall], tellers: list[ReadyTeller]) -> list[tuple[str, str]]:
    decided = decide(Snapshot(tuple(calls), tuple(tellers)), NOW)
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


def test_a_refusal_is_forgotten() -> None:
    call = waiting("a", 500, refused={"x": RECENT_S})
    assert pairs([call], [ready("x", 100), ready("y", 1)]) == [("a", "x")]


GROUPS = st.sampled_from(["counter", "wealth", "desk"])
SECONDS = st.integers(min_value=0, max_value=400)
CALLS = st.lists(
    st.builds(
        lambda number, waited, priority, group, refused: waiting(f"c{number}", waited, priority, group, refused),
        st.integers(min_value=0, max_value=99),
        SECONDS,
        st.integers(min_value=0, max_value=200),
        GROUPS,
        st.dictionaries(st.sampled_from(["t1", "t2", "t3"]), SECONDS, max_size=3),
    ),
    max_size=8,
    unique_by=lambda call: call.call_id,
)
TELLERS = st.lists(
    st.builds(
        lambda number, idle, groups: ready(f"t{number}", idle, *groups),
        st.integers(min_value=0, max_value=9),
        SECONDS,
        st.sets(GROUPS, min_size=1),
    ),
    max_size=6,
    unique_by=lambda teller: teller.teller_id,
)


@given(CALLS, TELLERS)
def test_nobody_twice_and_only_with_the_skill(calls: list[WaitingCall], tellers: list[ReadyTeller]) -> None:
    decided = decide(Snapshot(tuple(calls), tuple(tellers)), NOW)
    assert len({pairing.teller.teller_id for pairing in decided}) == len(decided)
    assert len({pairing.call.call_id for pairing in decided}) == len(decided)
    assert all(pairing.call.skill_group in pairing.teller.skill_groups for pairing in decided)


def may_ring(pairing: Pairing) -> bool:
    refused_at = pairing.call.refused_at.get(pairing.teller.teller_id)
    return pairing.call.skill_group in pairing.teller.skill_groups and (
        refused_at is None or (NOW - refused_at).total_seconds() >= PAUSE_S
    )


@given(CALLS, TELLERS)
def test_no_call_waits_while_somebody_could_take_it(calls: list[WaitingCall], tellers: list[ReadyTeller]) -> None:
    decided = decide(Snapshot(tuple(calls), tuple(tellers)), NOW)
    taken = {pairing.teller.teller_id for pairing in decided}
    left = [call for call in calls if call.call_id not in {pairing.call.call_id for pairing in decided}]
    free = [teller for teller in tellers if teller.teller_id not in taken]
    assert not any(may_ring(Pairing(call, teller)) for call in left for teller in free)


@given(CALLS, st.integers(min_value=0, max_value=10_000))
def test_order_by_points_never_changes_with_time(calls: list[WaitingCall], later_s: int) -> None:
    def points(call: WaitingCall) -> float:
        return call.priority + (NOW + timedelta(seconds=later_s) - call.queued_at).total_seconds()

    ranked = sorted(calls, key=lambda call: rank(call.priority, call.queued_at, call.call_id))
    assert [points(call) for call in ranked] == sorted((points(call) for call in calls), reverse=True)


@given(CALLS, TELLERS)
def test_the_same_snapshot_gives_the_same_decision_in_any_order(
    calls: list[WaitingCall], tellers: list[ReadyTeller]
) -> None:
    one = decide(Snapshot(tuple(calls), tuple(tellers)), NOW)
    assert decide(Snapshot(tuple(reversed(calls)), tuple(reversed(tellers))), NOW) == one
