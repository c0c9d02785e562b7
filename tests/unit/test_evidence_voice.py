"""How a call sounded."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ports.speech import Party, Segment
from qa.evidence.voice import SILENCE_S, call_voice

T, C = Party.TELLER, Party.CUSTOMER


def test_talk_answers_silence_and_interruption() -> None:
    voice = call_voice(
        [
            Segment(T, 0.0, 4.0, "您好，请问办什么业务？"),
            Segment(C, 5.5, 7.5, "等了半天了，转账。"),
            Segment(T, 7.5, 11.5, "请您出示身份证。"),
            Segment(C, 9.5, 12.5, "你们太慢了，我要投诉。"),
            Segment(C, 20.0, 21.0, "好的，谢谢。"),
        ]
    )
    teller, customer = voice.parties[T], voice.parties[C]
    assert (teller.talk_s, customer.talk_s) == (8.0, 6.0)
    assert teller.share == pytest.approx(0.571, abs=0.001)
    assert (customer.answer_s, customer.longest_answer_s) == (0.75, 1.5)
    assert teller.answer_s == 0.0
    assert (teller.interruptions, customer.interruptions) == (0, 1)
    assert customer.upset == (5.5, 9.5)
    assert customer.pleased == (20.0,)
    assert voice.silences == ((12.5, 20.0),)
    assert teller.chars_per_s == 2.0


def test_a_raised_voice_is_told_from_ones_own_loudness() -> None:
    levels = (-30.0, -31.0, -29.0, -22.0, None)
    voice = call_voice([Segment(T, 5.0 * n, 5.0 * n + 2, "您好", level_db=each) for n, each in enumerate(levels)])
    assert voice.parties[T].level_db == -29.5
    assert voice.parties[T].raised == (15.0,)
    assert voice.parties[C].level_db is None


def test_nobody_spoke() -> None:
    voice = call_voice([])
    assert voice.silences == ()
    assert all(side.talk_s == side.share == 0 and side.chars_per_s is None for side in voice.parties.values())


segments = st.lists(
    st.builds(
        lambda who, start, length, text: Segment(who, start / 4, start / 4 + length / 4, text),
        st.sampled_from([T, C]),
        st.integers(0, 400),
        st.integers(1, 40),
        st.sampled_from(["您好", "谢谢您", "我要投诉", ""]),
    ),
    max_size=12,
)


@given(segments, st.integers(0, 99))
def test_order_does_not_matter_and_figures_stay_in_bounds(talk: list[Segment], seed: int) -> None:
    voice = call_voice(talk)
    mixed = talk[:]
    random.Random(seed).shuffle(mixed)
    assert call_voice(mixed).silences == voice.silences
    assert call_voice(mixed).parties[T].talk_s == pytest.approx(voice.parties[T].talk_s)
    shares = sum(side.share for side in voice.parties.values())
    assert shares == pytest.approx(1.0 if talk else 0.0, abs=0.002)
    for start, end in voice.silences:
        assert end - start >= SILENCE_S - 0.11
        assert not any(s.start_s < end - 0.1 and s.end_s > start + 0.1 for s in talk)
    assert all(side.interruptions <= sum(s.party is who for s in talk) for who, side in voice.parties.items())
