"""What must be covered, and what must stay readable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.redaction import MASK, redact, redact_talk

NAMES = dict(zip("0123456789", "零一二三四五六七八九", strict=True))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("我的手机号是13800138000。", "我的手机号是＊＊＊＊＊＊＊＊＊＊＊。"),
        ("电话幺三八零零一三八零零零", "电话＊＊＊＊＊＊＊＊＊＊＊"),
        ("身份证号32010219900101123X，请核对", "身份证号＊＊＊＊＊＊＊＊＊＊＊＊＊＊＊＊＊＊，请核对"),
        ("卡号6222 0212 3456 7890 123", "卡号＊＊＊＊ ＊＊＊＊ ＊＊＊＊ ＊＊＊＊ ＊＊＊"),
        ("六二二二，零二一二，三四五六，七八九零", "＊＊＊＊，＊＊＊＊，＊＊＊＊，＊＊＊＊"),
        ("验证码是三五零二一八", "验证码是＊＊＊＊＊＊"),
        ("845211是我的验证码", "＊＊＊＊＊＊是我的验证码"),
        ("密码我想设成1234", "密码我想设成＊＊＊＊"),
        ("卡的尾号是7788", "卡的尾号是＊＊＊＊"),
        ("您好，我是柜员1001号。", "您好，我是柜员1001号。"),
        ("工号三零一五，很高兴为您服务", "工号三零一五，很高兴为您服务"),
        ("转二十万，手续费五块五", "转二十万，手续费五块五"),
        ("转账200000元", "转账200000元"),
        ("一共12345678元", "一共12345678元"),
        ("二零二六年三月一日到期", "二零二六年三月一日到期"),
        ("2026-03-01到期", "2026-03-01到期"),
        ("有一两三四个问题", "有一两三四个问题"),
        ("请拨打九六一一零", "请拨打九六一一零"),
    ],
)
def test_numbers(text: str, shown: str) -> None:
    assert redact(text) == shown


def test_a_number_spoken_in_several_utterances_is_covered() -> None:
    assert redact_talk(["一三八零零", "一三八零零零", "好的"]) == [MASK * 5, MASK * 6, "好的"]
    assert redact_talk(["短信验证码我念给你，", "三五零二一八。"]) == ["短信验证码我念给你，", f"{MASK * 6}。"]
    assert redact("三五零二一八", before="验证码是") == MASK * 6


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.booleans(), st.sampled_from(["", " ", "，", "-"]))
def test_every_phone_number_is_covered(number: str, spoken: bool, gap: str) -> None:
    said = "".join(NAMES[d] for d in number) if spoken else number
    said = gap.join((said[:3], said[3:7], said[7:]))
    covered = redact(f"我的电话是{said}，记一下")
    assert len(covered) == len(f"我的电话是{said}，记一下")
    assert covered.count(MASK) == 11
    assert covered.endswith("，记一下")


@given(st.text(max_size=60))
def test_length_stays_and_covering_twice_changes_nothing(text: str) -> None:
    covered = redact(text)
    assert len(covered) == len(text)
    assert redact(covered) == covered
