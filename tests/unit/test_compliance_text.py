"""Normalisation, sounds and fuzzy phrase search."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.ports.speech import Party, Segment, Word
from qa.compliance.matcher import Phrase, PhraseIndex
from qa.compliance.normalize import char_times, digits, spoken
from qa.compliance.phonetic import near_class, sound, swap_cost

CHINESE = st.text(alphabet="您好我是柜员一二三十百千万点零同意转账，。 A1%不没保本息", max_size=40)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("我是柜员1001号", "我是柜员一零零一号"),
        ("轉賬２0萬元", "转账二十万元"),
        ("年化 3.5%", "年化三点五%"),
        ("一共50000元", "一共五万元"),
        ("您 好 ， 请 坐", "您好请坐"),
    ],
)
def test_spoken_view_reads_digits_as_they_are_said(raw: str, said: str) -> None:
    assert spoken(raw).text == said


@pytest.mark.parametrize(
    ("raw", "written"),
    [
        ("三百四十点六元", "340.6元"),
        ("一三八零零一三八零零零", "13800138000"),
        ("二十万块钱", "200000块钱"),
        ("千万不要转账", "千万不要转账"),
        ("幺零零幺号", "1001号"),
        ("百分之三点五", "3.5%"),
        ("一百二十，三十", "12030"),
    ],
)
def test_digits_view_writes_numerals_as_digits(raw: str, written: str) -> None:
    assert digits(raw).text == written


@settings(deadline=None)
@given(CHINESE)
def test_every_normalised_character_knows_where_it_came_from(raw: str) -> None:
    for view in (spoken(raw), digits(raw)):
        assert len(view.text) == len(view.origin)
        assert list(view.origin) == sorted(view.origin)
        assert all(0 <= position < len(raw) for position in view.origin)
        assert all(0 < mark < len(view.text) for mark in view.breaks)


@settings(deadline=None)
@given(CHINESE)
def test_sound_has_one_syllable_and_code_per_character(raw: str) -> None:
    heard = sound(spoken(raw).text)
    assert len(heard.text) == len(heard.syllables) == len(heard.codes)


def test_sentence_and_clause_around_a_span() -> None:
    view = spoken("您好。我是柜员，请坐！再见")
    start = view.text.index("柜员")
    assert view.sentence(start, start + 2) == "我是柜员，请坐！"
    left, right = view.clause(start, start + 2)
    assert view.text[left:right] == "我是柜员"


@pytest.mark.parametrize(
    ("a", "b"), [("zhang", "zan"), ("shi", "si"), ("nan", "lan"), ("fei", "hui"), ("ren", "len"), ("fang", "huang")]
)
def test_near_sounds_share_a_class_and_cost_little(a: str, b: str) -> None:
    assert near_class(a) == near_class(b)
    assert 0 < swap_cost(a, b) <= 0.5


@pytest.mark.parametrize(("a", "b"), [("bao", "mao"), ("tong", "yi"), ("xi", "ji"), ("zhuan", "zhang"), ("ha", "fa")])
def test_different_sounds_do_not_share_a_class(a: str, b: str) -> None:
    assert near_class(a) != near_class(b)
    assert swap_cost(a, b) >= 0.6


def _heard(phrase: str, text: str) -> float:
    hits = PhraseIndex([Phrase(phrase)]).scan(sound(text))
    return max((hit.score for found in hits.values() for hit in found), default=0.0)


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("保本保息", "这款宝本保锡的"),
        ("稳赚不赔", "吻转不陪"),
        ("公安局", "公安菊的人"),
        ("安全账户", "转到安全帐户"),
        ("全程录音录像", "讲全成录音录象"),
        ("反诈中心", "联系反炸中心核实"),
    ],
)
def test_phrase_survives_recognition_errors(phrase: str, text: str) -> None:
    assert _heard(phrase, text) >= 75


@pytest.mark.parametrize(
    ("phrase", "text"), [("听不懂吗", "您听得懂吗"), ("没关系", "什么关系"), ("解冻", "活动"), ("公安局", "公寓楼")]
)
def test_phrase_is_not_heard_in_something_else(phrase: str, text: str) -> None:
    assert _heard(phrase, text) == 0


def test_empty_index_and_empty_text() -> None:
    assert PhraseIndex([]).scan(sound("您好")) == {}
    assert PhraseIndex([Phrase("您好")]).scan(sound("")) == {}


def test_times_come_from_words_when_they_fit_and_are_interpolated_otherwise() -> None:
    words = (Word(1.0, 2.0, "您好"), Word(4.0, 5.0, "再见"))
    assert char_times(Segment(Party.TELLER, 1.0, 5.0, "您好再见", words))[2] == (4.0, 4.5)
    assert char_times(Segment(Party.TELLER, 1.0, 5.0, "您好再见"))[2] == (3.0, 4.0)
    assert char_times(Segment(Party.TELLER, 1.0, 5.0, "您好，再见", words))[0] == (1.0, 1.8)
