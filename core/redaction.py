"""Numbers that identify a customer or open an account, covered in shown text. Pure.

Spoken or typed, in digits, as 一二三/幺/洞/壹 or in English words: identity cards (18 characters), bank cards (12 to
19), phones (11, or 7 and more), and codes of 4 to 8 digits beside words like 验证码 or 密码. People say "uh" between
digits and 三个八 for 888, and recognisers write 要 for 幺: none of that ends a number. Amounts, dates and staff numbers
stay. The covered text has the same length, so that times and positions in it stay right.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable

MASK = "＊"

_DIGIT = "[0-9０-９零〇一二三四五六七八九幺两壹贰叁肆伍陆柒捌玖洞拐勾]"
_WORD = r"(?<![A-Za-z])(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)(?![A-Za-z])"
_UNIT = rf"(?:{_DIGIT}|{_WORD})"
_MISHEARD = "[要妖腰]"  # 幺, as recognisers write it; only between digits
_BETWEEN = (
    r"(?:[\s\-—－·,，、.。?？!！;；:：…~～/个要妖腰呃嗯啊额哦唉]"
    r"|那个|然后|后面|接着|就是|好的|对的|是的|对|横杠|杠|空格|(?<![A-Za-z])(?:and|then|double|triple|um|uh)(?![A-Za-z]))"
)
_RUN = re.compile(rf"{_UNIT}(?:{_BETWEEN}{{0,5}}{_UNIT})*(?:[\s\-,，、]{{0,2}}[XxＸｘ×](?![A-Za-z]))?", re.IGNORECASE)
_UNITS = re.compile(rf"{_UNIT}|{_MISHEARD}|(?<![A-Za-z])[XxＸｘ×](?![A-Za-z])", re.IGNORECASE)
_COUNTS = {digit: 3 + n for n, digits in enumerate(("三3", "四4", "五5", "六6", "七7", "八8")) for digit in digits}
_REPEATED = re.compile(rf"([三四五六七八3-8])个(?={_UNIT})", re.IGNORECASE)
_TAIL = re.compile(rf"{_BETWEEN}+({_UNIT}+)$", re.IGNORECASE)
_CODE = re.compile(
    r"验证码|校验码|动态码|短信码|授权码|口令|密码|尾号|[前后][四六4６6]位|[四六4６6]位数|安全码|有效期|PIN|CVV|code|password",
    re.IGNORECASE,
)
_MONEY_AFTER = re.compile(
    r"\s*(?:元|块|万|亿|千|百|美元|美金|人民币|分钱|角|点[零一二三四五六七八九0-9]|%|％|个|股|份|克|年|天|个月|岁|月|日|号柜员|号坐席|号客服|号窗口|分钟|秒)"
)
_MONEY_BEFORE = re.compile(r"(?:[¥￥$]|金额|余额|人民币)[是为：:\s]{0,2}$")
_THOUSANDS = re.compile(r"\d{1,3}(?:[,，]\d{3})+(?:\.\d{1,2})?")
_STAFF_BEFORE = re.compile(r"(?:工号|柜员|坐席|工牌|编号|我是|窗口)[是为：:\s]{0,2}$")
_DATE = re.compile(r"(?:19|20)\d{2}[-/.年]\s?[01]?\d[-/.月]\s?[0-3]?\d日?$")
_COVERED = re.compile(f"{MASK}+")
_SPOKEN = 4  # digits said one by one, from which on a run is a number
_LONG, _SURE, _CODE_MIN, _CODE_MAX = 7, 11, 4, 8
_PIECE = 3
_NEAR = 14  # characters between a word like 验证码 and the code
_ASKED_TURNS, _ASKED_NEAR = 2, 60  # a code that was asked for: utterances before it, and characters of each

_Heard = Callable[[int], str]


def redact(text: str, *, before: str = "") -> str:
    """The text with such numbers covered.

    Args:
        before: What was said just before, by whomever; a code may follow its word in the next utterance.
    """
    return _covered(text, lambda _: before)


def redact_talk(talk: Iterable[tuple[str, str]]) -> list[str]:
    """Utterances as (party, text) in order of time: a number may be spoken in several of one party's utterances, and
    the word that tells what it is by the other party."""
    talk = list(talk)
    out = [text for _, text in talk]
    for party in {party for party, _ in talk}:
        mine = [n for n, (who, _) in enumerate(talk) if who == party]
        joined, begins = "", []
        for n in mine:
            begins.append(len(joined))
            joined += talk[n][1] + " "
        covered = _covered(joined, _heard_by(talk, mine, begins))
        for begin, n in zip(begins, mine, strict=True):
            out[n] = covered[begin : begin + len(talk[n][1])]
    return out


def uncover(text: str, original: str, covered: str) -> str | None:
    """An edited covered text with the numbers put back; None when covered characters were added or removed."""
    hidden = [real for real, shown in zip(original, covered, strict=True) if shown == MASK]
    if text.count(MASK) != len(hidden):
        return None
    numbers = iter(hidden)
    return "".join(next(numbers) if char == MASK else char for char in text)


def hidden_pieces(text: str, shown: str) -> list[str]:
    """Stretches of a text that are covered in what is shown of it, except for single digits and pairs."""
    found = (text[match.start() : match.end()] for match in _COVERED.finditer(shown))
    return [piece for piece in found if len(piece) >= _PIECE and MASK not in piece]


def hide(text: str, secrets: Iterable[str]) -> str:
    """A text quoted from a talk: covered like any text, and besides what is covered in the talk."""
    for piece in sorted(secrets, key=len, reverse=True):
        text = text.replace(piece, MASK * len(piece))
    return redact(text)


def _heard_by(talk: list[tuple[str, str]], mine: list[int], begins: list[int]) -> _Heard:
    """What either party had said just before the utterance at a place of the joined text."""

    def heard(place: int) -> str:
        n = mine[bisect_right(begins, place) - 1]
        return " ".join(text[-_ASKED_NEAR:] for _, text in talk[max(0, n - _ASKED_TURNS) : n])

    return heard


def _covered(text: str, heard: _Heard) -> str:
    out = list(text)
    for match in _RUN.finditer(text):
        end = _secret_end(text, match.start(), match.end(), heard)
        for unit in _UNITS.finditer(text, match.start(), end):
            out[unit.start() : unit.end()] = MASK * len(unit.group())
    return "".join(out)


def _secret_end(text: str, start: int, end: int, heard: _Heard, *, whole: bool = True) -> int:
    """Where what must be covered of a run of digits ends; `start` when nothing must. Not `whole`: an amount follows."""
    run = text[start:end]
    units = len(_UNITS.findall(run))
    # 六个八 is six digits said with two; alone it may be a number of things, so it counts only as a code.
    repeated = sum(_COUNTS.get(match.group(1), 2) - 2 for match in _REPEATED.finditer(run))
    count = units + repeated if units >= _SPOKEN or repeated + units < _LONG else _CODE_MAX
    if count < _CODE_MIN or _DATE.fullmatch(run.strip()) or _THOUSANDS.fullmatch(run):
        return start
    tail = _TAIL.search(run)
    if whole and _MONEY_AFTER.match(text, end):
        # An amount or a time span may follow the number: 验证码 482913，5 分钟内有效.
        if tail and (count < _SURE or len(_UNITS.findall(tail.group(1))) <= 2):
            return _secret_end(text, start, start + tail.start(), heard, whole=False)
        return start if count < _SURE else end
    if count >= _LONG and units >= _SPOKEN:
        plain = count < _SURE and _MONEY_BEFORE.search(text[:start])
        staff = count < 9 and _STAFF_BEFORE.search(text[:start])
        return start if plain or staff else end
    lead = text[max(0, start - _NEAR) : start]
    if _CODE.search(lead) or _CODE.search(text[end : end + _NEAR]):
        return end
    return end if _CODE.search(heard(start)) and not _STAFF_BEFORE.search(text[:start]) else start
