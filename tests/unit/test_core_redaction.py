"""What must be covered, and what must stay readable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.redaction import MASK, hidden_pieces, hide, redact, redact_talk

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
        # As people speak: with breath, fillers, 三个八 and 洞幺; as recognisers write: 要 for 幺; as banks write: 壹贰.
        ("一三八，呃，零零一三，嗯八零零零", "＊＊＊，呃，＊＊＊＊，嗯＊＊＊＊"),
        ("一三八，然后零零一三，后面八零零零。", "＊＊＊，然后＊＊＊＊，后面＊＊＊＊。"),
        ("要三八零零要三八零零零", "要＊＊＊＊＊＊＊＊＊＊"),
        ("一三九三个八六六七七", "＊＊＊＊个＊＊＊＊＊"),
        ("密码是六个八", "密码是＊个＊"),
        ("买八个一起付", "买八个一起付"),
        ("一三八六个八零零", "＊＊＊＊个＊＊＊"),
        ("洞幺两三四五六拐", "＊＊＊＊＊＊＊＊"),
        ("卡号陆贰贰贰零贰壹贰叁肆伍陆柒捌玖零", "卡号＊＊＊＊＊＊＊＊＊＊＊＊＊＊＊＊"),
        (
            "my number is one three eight, oh oh one three",
            "my number is ＊＊＊ ＊＊＊＊＊ ＊＊＊＊＊, ＊＊ ＊＊ ＊＊＊ ＊＊＊＊＊",
        ),
        # An amount or a time that follows does not uncover a number.
        ("验证码 482913，5分钟内有效", "验证码 ＊＊＊＊＊＊，5分钟内有效"),
        ("验证码四八二九一三，五分钟内有效", "验证码＊＊＊＊＊＊，五分钟内有效"),
        ("手机13800138000，5万元", "手机＊＊＊＊＊＊＊＊＊＊＊，5万元"),
        ("后四位是6789，一千元", "后四位是＊＊＊＊，一千元"),
        ("余额1,234,567,890.50元", "余额1,234,567,890.50元"),
        ("余额是1,234,567", "余额是1,234,567"),
        ("转账金额12345678", "转账金额12345678"),
        ("someone told me one or two things", "someone told me one or two things"),
        ("要三个五万的，再要两个一万的", "要三个五万的，再要两个一万的"),
    ],
)
def test_numbers(text: str, shown: str) -> None:
    assert redact(text) == shown


def test_a_number_spoken_in_several_utterances_is_covered() -> None:
    assert _said("一三八零零", "一三八零零零", "好的") == [MASK * 5, MASK * 6, "好的"]
    assert _said("短信验证码我念给你，", "三五零二一八。") == ["短信验证码我念给你，", f"{MASK * 6}。"]
    assert redact("三五零二一八", before="验证码是") == MASK * 6


def test_a_number_goes_on_though_the_other_one_speaks_and_a_code_is_known_by_what_was_asked_for() -> None:
    number = [("customer", "六二二二零，对"), ("teller", "嗯，您说"), ("customer", "好的，二一二三")]
    assert redact_talk(number) == [f"{MASK * 5}，对", "嗯，您说", f"好的，{MASK * 4}"]
    asked = [("teller", "请把短信验证码念给我。"), ("customer", "四八二九一三。")]
    assert redact_talk(asked) == ["请把短信验证码念给我。", f"{MASK * 6}。"]
    other = [("customer", "我的密码忘了"), ("teller", "我是柜员1001号，四千五百六也可以取")]
    assert redact_talk(other) == [text for _, text in other]
    assert redact_talk([("teller", "请讲"), ("customer", "四八二九一三")]) == ["请讲", "四八二九一三"]


def test_a_quoted_piece_of_a_number_is_covered_as_in_the_talk() -> None:
    talk = [("customer", "电话是一三八零零"), ("customer", "一三八零零零")]
    shown = redact_talk(talk)
    secrets = [piece for (_, text), other in zip(talk, shown, strict=True) for piece in hidden_pieces(text, other)]
    assert hide("客户说一三八零零", secrets) == f"客户说{MASK * 5}"
    assert hide("转账一三八元", secrets) == "转账一三八元"


def _said(*texts: str) -> list[str]:
    return redact_talk(("customer", text) for text in texts)


@given(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.booleans(),
    st.sampled_from(["", " ", "，", "-", "，呃，", "然后", "……"]),
)
def test_every_phone_number_is_covered(number: str, spoken: bool, gap: str) -> None:
    said = "".join(NAMES[d] for d in number) if spoken else number
    said = gap.join((said[:3], said[3:7], said[7:]))
    covered = redact(f"我的电话是{said}，记一下")
    assert len(covered) == len(f"我的电话是{said}，记一下")
    assert covered.count(MASK) == 11
    assert covered.endswith("，记一下")


@given(st.text(max_size=60) | st.text("0123456789一二三幺要个，。 元分后面四位密码onetwo", max_size=60))
def test_length_stays_and_covering_twice_changes_nothing(text: str) -> None:
    covered = redact(text)
    assert len(covered) == len(text)
    assert redact(covered) == covered
