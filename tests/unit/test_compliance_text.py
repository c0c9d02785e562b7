"""Normalisation, sounds and fuzzy phrase search."""

import re
from datetime import date
from decimal import Decimal

import cn2an
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.ports.speech import Party, Segment, Word
from qa.compliance.matcher import Phrase, PhraseIndex
from qa.compliance.normalize import char_times, digits, spoken
from qa.compliance.phonetic import near_class, sound, swap_cost

CODE = r"1[3-9][0-9]{9}|[1-9][0-9]{15,18}|[0-9]{4,6}"
"""A phone number, a card's or identity number, a service number."""
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
        ("一千万元", "10000000元"),
        ("九十九万一千元", "991000元"),
        ("两万三", "23000"),
        ("十二万三千四百五十六点七八元", "123456.78元"),
        ("三点五万", "35000"),
        ("万一亏了怎么办", "万一亏了怎么办"),
        ("您千万别转", "您千万别转"),
        ("请一一核对", "请一一核对"),
    ],
)
def test_digits_view_writes_numerals_as_digits(raw: str, written: str) -> None:
    assert digits(raw).text == written


@settings(deadline=None)
@given(st.one_of(st.integers(11, 10**5), st.integers(11, 10**11)), st.sampled_from("元块"), st.booleans())
def test_amounts_said_aloud_are_the_amounts_written(amount: int, unit: str, counts_with_two: bool) -> None:
    said = spoken(f"转{amount}{unit}").text
    if counts_with_two:
        said = re.sub("二(?=[百千万亿])", "两", said)
    assert digits(said).text == f"转{amount}{unit}"


@settings(deadline=None)
@given(st.integers(1, 9999), st.integers(1, 99), st.sampled_from([("万", 10**4), ("亿", 10**8)]))
def test_decimals_of_large_units(whole: int, part: int, unit: tuple[str, int]) -> None:
    amount = Decimal(f"{whole}.{part:02}")
    said = cn2an.an2cn(str(amount), "low") + unit[0]
    assert Decimal(digits(f"买{said}块").text[1:-1]) == amount * unit[1]


@settings(deadline=None)
@given(
    st.from_regex(r"1[3-9][0-9]{9}|[1-9][0-9]{15,18}|[0-9]{4,6}", fullmatch=True),
    st.booleans(),
    st.sampled_from([0, 3, 4]),
)
def test_numbers_said_digit_by_digit_keep_every_digit(number: str, says_yao: bool, group: int) -> None:
    said = "".join("零一二三四五六七八九"[int(d)] for d in number)
    said = said.replace("一", "幺") if says_yao else said
    assume(not said.startswith("一一"))  # 一一 before a word is "one by one"
    if group:
        said = " ".join(said[i : i + group] for i in range(0, len(said), group))
    assert digits(f"号码是{said}，对吗").text == f"号码是{number}对吗"


@settings(deadline=None)
@given(st.dates(date(1950, 1, 1), date(2049, 12, 31)))
def test_dates_keep_year_and_day(day: date) -> None:
    said = "".join("零一二三四五六七八九"[int(d)] for d in str(day.year)) + "年"
    said += f"{cn2an.an2cn(day.month)}月{cn2an.an2cn(day.day)}号"
    read = digits(said).text
    assert read.startswith(f"{day.year}年")
    assert day.day < 11 or read.endswith(f"月{day.day}号")


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
