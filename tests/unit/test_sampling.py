"""Sample draws: repeatable, complete, fair. Properties over random frames and plans."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.sampling.draw import draw, frame_sha256
from qa.sampling.plan import Dimension, Period, Plan, Risk, StratumRate, Teller, Unit, period_begin, period_end, risk_of
from qa.sampling.share import Inspector, share_out

TELLERS = ["t1", "t2", "t3"]


# Those who had a call before handing it on are people of their own here, so that one never had it twice.
OTHERS = st.builds(Teller, teller_id=st.sampled_from(["h1", "h2"]), team=st.sampled_from([None, "a", "b"]))


@st.composite
def units(draw_from: st.DrawFn) -> Unit:
    return Unit(
        call_id=f"call_{draw_from(st.integers(0, 10_000))}",
        teller_id=draw_from(st.sampled_from(TELLERS)),
        team=draw_from(st.sampled_from([None, "a", "b"])),
        business=draw_from(st.sampled_from(["transfer", "query"])),
        risk=draw_from(st.sampled_from(list(Risk))),
        score=draw_from(st.one_of(st.none(), st.decimals(0, 100, places=2))),
        fatal=draw_from(st.booleans()),
        duration_s=draw_from(st.integers(0, 2000)),
        others=draw_from(st.lists(OTHERS, max_size=2, unique_by=lambda each: each.teller_id).map(tuple)),
    )


FRAMES = st.lists(units(), max_size=40, unique_by=lambda unit: unit.call_id)
PLANS = st.builds(
    Plan,
    strata=st.lists(st.sampled_from(list(Dimension)), max_size=3, unique=True).map(tuple),
    percent=st.decimals(0, 100, places=1),
    minimum=st.integers(0, 5),
    rollover=st.integers(0, 5),
    risk_weighted=st.booleans(),
    all_fatal=st.booleans(),
    teams=st.sampled_from([(), ("a",), ("a", "b")]),
)
OWED = st.dictionaries(st.sampled_from([*TELLERS, "t9"]), st.integers(0, 6), max_size=4)


@given(PLANS, FRAMES, OWED, st.randoms(use_true_random=False))
def test_a_draw_replays_identically_whatever_the_order_of_its_frame(plan, frame, owed, random) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(frame)
    random.shuffle(shuffled)
    assert draw(plan, frame, "seed", owed) == draw(plan, shuffled, "seed", owed)
    assert frame_sha256(frame) == frame_sha256(shuffled)


@given(PLANS, FRAMES, OWED)
def test_shares_minimum_and_fatal_calls_are_all_there(plan: Plan, frame: list[Unit], owed: dict[str, int]) -> None:
    result = draw(plan, frame, "s", owed)
    picked = [pick.call_id for pick in result.picks]
    inside = {unit.call_id: unit for unit in frame if plan.includes(unit)}
    assert len(picked) == len(set(picked))
    assert set(picked) <= set(inside)
    if plan.all_fatal:
        assert {unit.call_id for unit in inside.values() if unit.fatal} <= set(picked)
    # A call that was handed on counts for each of its tellers: in the strata of all, and for everybody's minimum.
    strata, drawn = (Counter(_strata(plan, [inside[call_id] for call_id in which])) for which in (inside, picked))
    for name, size in strata.items():
        assert drawn[name] >= (plan.percent * size / 100).to_integral_value(ROUND_CEILING)
    for teller in {*TELLERS, "h1", "h2", *owed}:
        has, got = (sum(_had(plan, inside[call_id], teller) for call_id in which) for which in (inside, picked))
        if not has and teller not in owed:
            continue
        wanted = plan.minimum + min(plan.rollover, owed.get(teller, 0))
        assert got >= min(has, wanted)
        # What was not there to be drawn is owed, up to the limit, and nothing else is.
        assert result.carried.get(teller, 0) == min(plan.rollover, max(0, wanted - has))


def _strata(plan: Plan, units: Iterable[Unit]) -> list[str]:
    return [name for unit in units for name in {plan.stratum(share) for share in plan.shares(unit)}]


def _had(plan: Plan, unit: Unit, teller_id: str) -> bool:
    return any(
        teller.teller_id == teller_id and (not plan.teams or (teller.team or "") in plan.teams)
        for teller in unit.tellers
    )


@given(FRAMES, st.integers(0, 100), st.integers(0, 100))
def test_a_larger_share_keeps_what_a_smaller_one_drew(frame: list[Unit], one: int, other: int) -> None:
    small, large = sorted((one, other))
    picks = [
        {pick.call_id for pick in draw(Plan(percent=Decimal(share), minimum=0, all_fatal=False), frame, "s", {}).picks}
        for share in (small, large)
    ]
    assert picks[0] <= picks[1]


def test_higher_risk_is_drawn_more_readily() -> None:
    frame = [
        Unit(call_id=f"c{n}", teller_id="t", business="x", risk=Risk.HIGH if n < 50 else Risk.LOW, duration_s=60)
        for n in range(100)
    ]
    plan = Plan(strata=(), percent=Decimal(10), minimum=0)
    high = 0
    for seed in range(40):
        high += sum(int(pick.call_id[1:]) < 50 for pick in draw(plan, frame, str(seed), {}).picks)
    # 400 picks; four to one makes about 320 of them high (standard deviation about 8).
    assert 280 < high < 360
    even = plan.model_copy(update={"risk_weighted": False})
    flat = sum(int(p.call_id[1:]) < 50 for seed in range(40) for p in draw(even, frame, str(seed), {}).picks)
    assert 160 < flat < 240


def test_a_class_can_have_its_own_rate() -> None:
    frame = [
        Unit(call_id=f"c{n}", teller_id="t", business="a" if n < 10 else "b", risk=Risk.LOW, duration_s=60)
        for n in range(20)
    ]
    rates = (StratumRate(dimension=Dimension.BUSINESS, value="a", percent=Decimal(100)),)
    plan = Plan(strata=(Dimension.BUSINESS,), percent=Decimal(0), rates=rates, minimum=0)
    assert {pick.call_id for pick in draw(plan, frame, "s", {}).picks} == {f"c{n}" for n in range(10)}


INSPECTORS = st.lists(
    st.builds(
        Inspector,
        staff_id=st.sampled_from(["i1", "i2", "i3", "t1", "h1"]),
        team=st.sampled_from([None, "a", "q"]),
        load=st.integers(0, 5),
        not_tellers=st.sampled_from([(), ("t2",), ("h2",)]),
        not_teams=st.sampled_from([(), ("b",)]),
    ),
    max_size=4,
    unique_by=lambda inspector: inspector.staff_id,
)


@given(FRAMES, INSPECTORS, st.integers(1, 12))
def test_nobody_gets_own_or_conflicting_work_or_more_than_the_cap(
    frame: list[Unit], inspectors: list[Inspector], cap: int
) -> None:
    given_out = share_out(frame, inspectors, cap, "s")
    by_id = {inspector.staff_id: inspector for inspector in inspectors}
    load = {inspector.staff_id: inspector.load for inspector in inspectors}
    assert set(given_out) == {unit.call_id for unit in frame}
    for unit in frame:
        chosen = given_out[unit.call_id]
        if chosen is not None:
            for teller in unit.tellers:
                assert by_id[chosen].objection(teller.teller_id, teller.team) is None
            load[chosen] += 1
    for unit in frame:  # a call without an inspector had nobody left
        if given_out[unit.call_id] is None:
            assert all(
                any(each.objection(one.teller_id, one.team) for one in unit.tellers) or load[each.staff_id] >= cap
                for each in inspectors
            )
    assert all(load[each.staff_id] <= max(cap, each.load) for each in inspectors)
    assert share_out(list(reversed(frame)), list(reversed(inspectors)), cap, "s") == given_out


@given(FRAMES, st.integers(1, 4))
def test_without_conflicts_the_work_is_even(frame: list[Unit], count: int) -> None:
    inspectors = [Inspector(staff_id=f"i{n}", team="q") for n in range(count)]
    load = Counter(share_out(frame, inspectors, 1000, "s").values())
    loads = [load[each.staff_id] for each in inspectors]
    assert max(loads) - min(loads) <= 1


@pytest.mark.parametrize(
    ("period", "end"),
    [(Period.DAY, (2026, 11, 28)), (Period.WEEK, (2026, 11, 30)), (Period.MONTH, (2026, 12, 1))],
)
def test_periods_end_at_the_banks_midnight(period: Period, end: tuple[int, int, int]) -> None:
    begin = datetime(2026, 11, 27, 3, tzinfo=UTC)  # a Friday, 11 o'clock in Beijing
    offset = timedelta(hours=8)
    assert period_end(period, begin, offset) == datetime(*end, tzinfo=UTC) - offset
    first = period_begin(period, begin, offset)
    assert first <= begin < period_end(period, first, offset) == datetime(*end, tzinfo=UTC) - offset
    assert period_begin(period, first, offset) == first
    assert period_end(period, datetime(*end, tzinfo=UTC) - offset, offset) > datetime(*end, tzinfo=UTC) - offset


def test_draws_from_before_calls_were_handed_on_keep_their_digest() -> None:
    unit = Unit(call_id="c1", teller_id="t1", team="a", business="x", risk=Risk.LOW, duration_s=60)
    assert frame_sha256([unit]) == "53918ea436b9da21bd20968922b1b213da22b3d279a0d485155a4bfb803b3cc7"
    handed_on = unit.model_copy(update={"others": (Teller(teller_id="h1"),)})
    assert frame_sha256([handed_on]) != frame_sha256([unit])
    assert Unit.model_validate(handed_on.as_json()) == handed_on


def test_risk_follows_what_was_found() -> None:
    assert risk_of(False, ()) is Risk.LOW
    assert risk_of(True, ()) is Risk.MEDIUM
    assert risk_of(False, ("missing:closing",)) is Risk.MEDIUM
    assert risk_of(False, ("danger:danger_words",)) is Risk.HIGH
