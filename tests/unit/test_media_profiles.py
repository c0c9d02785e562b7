"""Profiles: lowered step by step, sound left for last, restored with patience."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from core.ports.media import Profile
from server.media.profiles import FAILED_S, GOOD_S, SETTLE_S, ProfileKeeper


def run(keeper: ProfileKeeper, loss: float, seconds: int) -> list[Profile]:
    return [keeper.step(loss) for _ in range(seconds)]


def test_lasting_loss_lowers_step_by_step_and_sound_stays() -> None:
    seen = run(ProfileKeeper(), 0.12, 40)
    assert [seen[2], seen[3], seen[9], seen[10], seen[-1]] == [
        Profile.VGA, Profile.LOW, Profile.LOW, Profile.AUDIO, Profile.AUDIO,
    ]  # fmt: skip


def test_a_collapse_is_answered_within_two_seconds_and_a_short_burst_is_not() -> None:
    assert run(ProfileKeeper(), 0.4, 2)[-1] is Profile.LOW
    keeper = ProfileKeeper()
    for loss in (0.2, 0.2, 0.0, 0.2, 0.5, 0.01, 0.2):
        assert keeper.step(loss) is Profile.VGA


def test_what_was_sent_before_a_step_down_does_not_cost_another_one() -> None:
    keeper = ProfileKeeper()
    run(keeper, 0.4, 2)
    assert run(keeper, 0.4, SETTLE_S)[-1] is Profile.LOW
    assert run(keeper, 0.0, 10)[-1] is Profile.LOW
    assert run(ProfileKeeper(), 0.4, 2 + SETTLE_S + 2)[-1] is Profile.AUDIO, "a line too bad for any picture"


def test_a_step_up_that_fails_is_taken_back_sooner() -> None:
    keeper = ProfileKeeper()
    run(keeper, 0.3, 2)
    run(keeper, 0.0, GOOD_S)
    assert run(keeper, 0.12, FAILED_S) == [Profile.VGA] * (FAILED_S - 1) + [Profile.LOW]


def test_a_good_line_restores_and_a_step_up_that_fails_is_tried_later() -> None:
    keeper = ProfileKeeper()
    run(keeper, 0.3, 2)
    assert run(keeper, 0.0, GOOD_S)[-2:] == [Profile.LOW, Profile.VGA]
    run(keeper, 0.3, 2)
    again = run(keeper, 0.0, 2 * GOOD_S)
    assert again[GOOD_S] is Profile.LOW
    assert again[-1] is Profile.VGA
    run(keeper, 0.0, 30)
    run(keeper, 0.3, 2)
    assert run(keeper, 0.0, GOOD_S)[-1] is Profile.VGA, "what lasted is forgiven"


def test_a_sharp_picture_is_given_when_asked_for_and_only_as_long_as_the_line_carries_it() -> None:
    keeper = ProfileKeeper()
    assert run(keeper, 0.0, 200)[-1] is Profile.VGA, "never without being asked"
    keeper.wish = Profile.HD
    assert run(keeper, 0.0, 1) == [Profile.HD]
    assert run(keeper, 0.4, 2)[-1] is Profile.VGA
    assert run(keeper, 0.0, GOOD_S)[-1] is Profile.HD
    keeper.wish = Profile.VGA
    assert run(keeper, 0.0, 1) == [Profile.VGA]
    run(keeper, 0.4, 2)
    keeper.wish = Profile.HD
    assert run(keeper, 0.0, 1) == [Profile.LOW], "a bad line stays bad"
    keeper.wish = Profile.AUDIO
    assert run(keeper, 0.0, 300)[-1] is Profile.AUDIO


def test_a_line_that_has_recovered_carries_a_sharp_picture_at_once() -> None:
    keeper = ProfileKeeper()
    run(keeper, 0.4, 2)
    run(keeper, 0.0, GOOD_S)
    keeper.wish = Profile.HD
    assert run(keeper, 0.0, 1) == [Profile.HD]


def test_people_may_want_less_and_the_line_still_counts() -> None:
    keeper = ProfileKeeper()
    keeper.limit = Profile.LOW
    assert (run(keeper, 0.0, 100)[-1], keeper.why) == (Profile.LOW, "hand")
    keeper.wish = Profile.HD
    assert (run(keeper, 0.0, 1)[-1], keeper.why) == (Profile.LOW, "hand"), "whatever the server asks for"
    assert (run(keeper, 0.4, 2)[-1], keeper.why) == (Profile.AUDIO, "line")
    assert (run(keeper, 0.0, GOOD_S)[-1], keeper.why) == (Profile.LOW, "hand"), "back at what people want"
    keeper.limit = Profile.HD
    assert (run(keeper, 0.0, 1)[-1], keeper.why) == (Profile.HD, "asked")
    run(keeper, 0.4, 2)
    assert keeper.why == "line"


def test_where_only_the_listener_cannot_take_it_the_picture_is_sent_and_not_passed_on() -> None:
    keeper = ProfileKeeper()
    seen = [(keeper.step(0.0, 0.3), keeper.spares_listener) for _ in range(9)]
    assert seen == [(Profile.VGA, False), *[(Profile.LOW, False)] * 5, *[(Profile.LOW, True)] * 3]
    assert (keeper.step(0.1, 0.0), keeper.spares_listener) == (Profile.AUDIO, False), "its own way is bad now"
    assert [keeper.step(0.0, 0.0) for _ in range(GOOD_S)][-1] is Profile.LOW
    assert not keeper.spares_listener
    keeper.limit = Profile.AUDIO
    assert [keeper.step(0.0, 0.5) for _ in range(9)][-1] is Profile.AUDIO
    assert not keeper.spares_listener, "nothing is sent by hand"


@given(st.lists(st.floats(0, 1), max_size=300))
def test_it_moves_one_step_at_a_time_and_never_twice_within_two_seconds(losses) -> None:
    keeper = ProfileKeeper()
    ladder = [Profile.VGA, Profile.LOW, Profile.AUDIO]
    steps = [ladder.index(keeper.step(loss)) for loss in losses]
    moves = [index for index, (a, b) in enumerate(zip([0, *steps], steps, strict=False)) if a != b]
    assert all(abs(a - b) <= 1 for a, b in zip([0, *steps], steps, strict=False))
    assert all(later - earlier >= 2 for earlier, later in itertools.pairwise(moves))
