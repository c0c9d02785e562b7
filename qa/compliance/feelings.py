"""Words of feeling: what somebody upset or pleased says. Shared by the rules and by the facts of how a call sounded."""

import re
from enum import StrEnum


class Mood(StrEnum):
    """What the words show."""

    UPSET = "upset"
    PLEASED = "pleased"


FEELINGS = {
    Mood.UPSET: re.compile(
        "投诉|生气|气死|气人|什么态度|太慢|等了(半天|这么久|很久)|烦死|麻烦死|不耐烦|急死|受不了|没法沟通|听不懂人话|"
        "找你们?领导|换(一个)?人来|退钱|骗人|坑人|过分|离谱|不像话|闭嘴|废话"
    ),
    Mood.PLEASED: re.compile("谢谢|多谢|感谢|辛苦了|麻烦您了|太好了|很满意|真好|服务好|耐心|周到|放心了"),
}
