"""Clean-up of recognised text."""

import pytest

from qa.stt.text import clean, is_invention
from qa.stt.whisper_engine import _fit


def test_text_becomes_simplified_without_inner_spaces() -> None:
    assert clean(" 請問 您 今天要辦理什麼業務? ") == "请问您今天要办理什么业务？"
    assert clean("我 要 用 Apple Pay 付款") == "我要用Apple Pay付款"
    assert clean("转账 1,000 元") == "转账1,000元"


@pytest.mark.parametrize(
    "text",
    [
        "字幕由Amara.org社区提供",
        "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",
        "谢谢观看",
        "谢谢大家收看",
        "哈哈哈哈哈哈哈哈",
        "对吧对吧对吧对吧对吧对吧对吧",
    ],
)
def test_inventions_are_known(text: str) -> None:
    assert is_invention(clean(text))


@pytest.mark.parametrize(
    "text",
    [
        "感谢您的来电，请对本次服务作出评价，再见。",
        "好好好",
        "谢谢您",
        "我的电话是一三八零零零零零零零零",
        "请核对屏幕上的字",
    ],
)
def test_what_people_say_is_kept(text: str) -> None:
    assert not is_invention(text)


def test_hot_words_fit_whole_or_not_at_all() -> None:
    assert _fit([]) is None
    assert _fit(["保本保息", "字" * 200, "稳赚不赔"]) == "保本保息、稳赚不赔"
