"""Clean-up of what engines write: Simplified characters, no inner spaces, no inventions."""

import re
import warnings

with warnings.catch_warnings():
    # zhconv reads its table without closing the file.
    warnings.simplefilter("ignore", ResourceWarning)
    import zhconv

    zhconv.loaddict()

_CJK = "\u3400-\u9fff\uf900-\ufaff\u3000-\u303f\uff00-\uffef"
_SPACE_BESIDE_CJK = re.compile(rf"(?<=[{_CJK}])\s+|\s+(?=[{_CJK}])")
_FULL_WIDTH = {",": "，", "?": "？", "!": "！", ":": "：", ";": "；"}
_HALF_WIDTH = re.compile(rf"(?<=[{_CJK}])[,?!:;]")

# What Whisper learnt from subtitled videos and writes for silence, breath and music.
_INVENTIONS = re.compile(
    r"字幕(由|by|志愿|组|製|制|提供)|by\s*索兰娅|请不吝|點贊|点赞|打赏|转发.{0,4}(订阅|支持)|订阅.{0,6}(频道|转发)"
    r"|明镜(与|需要)|(谢谢|感谢)(大家|您|你)?(的)?(观看|收看|收听)|下(集|期|个视频)再见|优优独播剧场|YoYo\s*Television"
    r"|amara\.org|中文字幕|未经作?许?可?.{0,4}(不得|请勿)(翻唱|转载)|普通话的句子|使用简体|^作?[词曲]\s*[:：]?\s*\S{0,4}$",
    re.IGNORECASE,
)
_REPEATED = re.compile(r"([^\d零〇一二三四五六七八九])\1{7,}|(.{2,12}?)(?<![\d零〇一二三四五六七八九]{2})\2{4,}")


def clean(text: str) -> str:
    """Simplified characters, full-width punctuation, and spaces only between Latin words."""
    simplified = str(zhconv.convert(text.strip(), "zh-hans"))
    joined = _SPACE_BESIDE_CJK.sub("", simplified).strip()
    return _HALF_WIDTH.sub(lambda match: _FULL_WIDTH[match[0]], joined)


def is_invention(text: str) -> bool:
    """Whether this is a stock phrase of subtitles or an endless repetition rather than something said."""
    return bool(_INVENTIONS.search(text)) or bool(_REPEATED.search(text))
