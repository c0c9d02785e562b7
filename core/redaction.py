"""Numbers that identify a customer or open an account, covered in shown text. Pure.

Spoken or typed, in digits or as 一二三/幺: identity cards (18 characters), bank cards (12 to 19), phones (11, or 7 and
more), and codes of 4 to 8 digits beside words like 验证码 or 密码. Amounts, dates and staff numbers stay. The covered
text has the same length, so that times and positions in it stay right.
"""

import re
from collections.abc import Iterable

MASK = "＊"

_DIGIT = "0-9０-９零〇一二三四五六七八九幺两"
_RUN = re.compile(rf"[{_DIGIT}](?:[\s\-—－·,，、.。]{{0,2}}[{_DIGIT}])*(?:[\s\-,，、]{{0,2}}[XxＸｘ×](?![A-Za-z]))?")
_IN_RUN = re.compile(rf"[{_DIGIT}XxＸｘ×]")
_CODE = re.compile(
    r"验证码|校验码|动态码|短信码|授权码|口令|密码|尾号|后[四六4６6]位|安全码|有效期|PIN|CVV|code|password",
    re.IGNORECASE,
)
_MONEY_AFTER = re.compile(
    r"\s*(?:元|块|万|亿|千|百|美元|美金|人民币|分钱|角|点[零一二三四五六七八九0-9]|%|％|个|股|份|克|年|天|个月|岁|月|日|号柜员|号坐席|号客服|号窗口|分钟|秒)"
)
_STAFF_BEFORE = re.compile(r"(?:工号|柜员|坐席|工牌|编号|我是|窗口)[是为：:\s]{0,2}$")
_DATE = re.compile(r"(?:19|20)\d{2}[-/.年]\s?[01]?\d[-/.月]\s?[0-3]?\d日?$")
_LONG, _CODE_MIN, _CODE_MAX = 7, 4, 8
_NEAR = 14  # characters between a word like 验证码 and the code


def redact(text: str, *, before: str = "") -> str:
    """The text with such numbers covered.

    Args:
        before: What the same party said just before; a code may follow its word in the next utterance.
    """
    out = list(text)
    for match in _RUN.finditer(text):
        if _is_secret(text, match.start(), match.end(), before):
            for place in range(match.start(), match.end()):
                if _IN_RUN.match(text[place]):
                    out[place] = MASK
    return "".join(out)


def redact_talk(texts: Iterable[str]) -> list[str]:
    """Utterances of one party in order of time: a number may be spoken in several of them."""
    texts = list(texts)
    joined, borders, at = "", [], 0
    for text in texts:
        joined += text + " "
        borders.append((at, at + len(text)))
        at += len(text) + 1
    covered = redact(joined)
    return [covered[start:end] for start, end in borders]


def uncover(text: str, original: str) -> str | None:
    """An edited covered text with the numbers put back; None when covered characters were added or removed."""
    covered = redact(original)
    hidden = [real for real, shown in zip(original, covered, strict=True) if shown == MASK]
    if text.count(MASK) != len(hidden):
        return None
    numbers = iter(hidden)
    return "".join(next(numbers) if char == MASK else char for char in text)


def _is_secret(text: str, start: int, end: int, before: str) -> bool:
    run = text[start:end]
    count = len(_IN_RUN.findall(run))
    if count < _CODE_MIN:
        return False
    if _DATE.fullmatch(run.strip()) or (_MONEY_AFTER.match(text, end) and count < 11):
        return False
    if count >= _LONG:
        return not (_STAFF_BEFORE.search(text[:start]) and count < 9)
    lead = (before[-_NEAR:] + text[:start])[-_NEAR:]
    return count <= _CODE_MAX and bool(_CODE.search(lead) or _CODE.search(text[end : end + _NEAR]))
