"""Text as rules see it: Simplified, no spaces or punctuation, numerals read alike – with a way back to the original.

Recognisers write the same speech as ``1001号``, ``一零零一号`` or ``１００１號``; rules must not care. Two views exist:
``spoken`` spells digits as they are said (for sound matching) and ``digits`` writes numerals as Arabic digits (for
regular expressions). Every character of a view knows the original position it came from.
"""

import re
import unicodedata
import warnings
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise

import cn2an
import zhconv

from core.ports.speech import Segment

with warnings.catch_warnings():
    warnings.simplefilter("ignore", ResourceWarning)  # zhconv reads its table without closing the file
    zhconv.loaddict()

_CLAUSE_END = frozenset("，,；;：:、。！？!?…\n")
_SENTENCE_END = frozenset("。！？!?…\n")
_DIGIT_NAMES = dict(zip("0123456789", "零一二三四五六七八九", strict=True))
_DIGIT_VALUES = {name: digit for digit, name in _DIGIT_NAMES.items()} | {"〇": "0", "两": "2", "幺": "1"}
_ARABIC = re.compile(r"[0-9]+(?:\.[0-9]+)?")
# 千万 alone is "by all means", 一点, 十分, 万一 and 一一 are words; inside a longer numeral they are numbers.
_NUMERAL = re.compile(r"(?:百分之)?(?:[零〇一二两三四五六七八九十千万亿点幺]|百(?!分之)){2,}")
_NOT_NUMERAL = re.compile(r"^万一|^一点$|^十分$|^点|点$|^[百千万亿]+$|^一一$")
# cn2an does not read 三点五万.
_DECIMAL_UNIT = re.compile(r"([^点]+点[^点十百千万亿]+)([万亿])")
_TIMES = {"万": 4, "亿": 8}
_UNITS = frozenset("十百千万亿")


@dataclass(frozen=True, slots=True)
class NormalText:
    """One view of a transcript segment.

    Attributes:
        text: Normalised characters.
        origin: For each character the index of the original character it came from.
        breaks: Positions in ``text`` before which a clause ends, ascending (as far as the engine wrote punctuation).
        source: The original text.
    """

    text: str
    origin: tuple[int, ...]
    breaks: tuple[int, ...]
    source: str

    def clause(self, start: int, end: int) -> tuple[int, int]:
        """Bounds of the clause or clauses that [start, end) lies in."""
        before = bisect_right(self.breaks, start)
        left = self.breaks[before - 1] if before else 0
        right = next((b for b in self.breaks if b >= end), len(self.text))
        return left, right

    def clauses(self, start: int, end: int) -> str:
        """The text of [start, end) with a comma where a clause ends: 成功，后天 is no 成功后."""
        start, end = max(0, start), min(len(self.text), end)
        edges = [start, *(b for b in self.breaks if start < b < end), end]
        return "，".join(self.text[a:b] for a, b in pairwise(edges))

    def original(self, start: int, end: int) -> str:
        """The original words of [start, end)."""
        if start >= end:
            return ""
        return self.source[self.origin[start] : self.origin[end - 1] + 1]

    def sentence(self, start: int, end: int) -> str:
        """The whole original sentence around [start, end)."""
        if start >= end:
            return ""
        left, right = self.origin[start], self.origin[end - 1] + 1
        while left > 0 and self.source[left - 1] not in _SENTENCE_END:
            left -= 1
        while right < len(self.source) and self.source[right - 1] not in _SENTENCE_END:
            right += 1
        return self.source[left:right].strip()


@lru_cache(maxsize=8192)
def _simplify(char: str) -> str:
    folded = unicodedata.normalize("NFKC", char).lower()
    return str(zhconv.convert(folded, "zh-hans"))


class _Kept(dict[str, str]):
    """What matching keeps of a character: letters and digits, Simplified. Bounded by the size of Unicode."""

    def __missing__(self, char: str) -> str:
        kept = self[char] = "".join(each for each in _simplify(char) if each.isalnum() or each == "%")
        return kept


_kept = _Kept()


@lru_cache(maxsize=4096)
def spoken(text: str) -> NormalText:
    """The view for sound matching: digits spelled as they are said (1001号 → 一零零一号, 20万 → 二十万)."""
    plain, origin, breaks = _plain(text)
    if _ARABIC.search(plain) is None:
        marks = tuple(dict.fromkeys(b for b in breaks if 0 < b < len(plain)))
        return NormalText(plain, tuple(origin), marks, text)
    out: list[str] = []
    back: list[int] = []
    moved: dict[int, int] = {}
    position = 0
    for match in [*_ARABIC.finditer(plain), None]:
        stop = match.start() if match else len(plain)
        for i in range(position, stop):
            moved[i] = len(out)
            out.append(plain[i])
            back.append(origin[i])
        if match is None:
            break
        moved[stop] = len(out)
        reading = _read_aloud(match.group(), plain[match.end() : match.end() + 1])
        span = match.end() - match.start()
        for k, char in enumerate(reading):
            out.append(char)
            back.append(origin[match.start() + min(span - 1, k * span // len(reading))])
        position = match.end()
    moved[len(plain)] = len(out)
    marks = tuple(sorted({moved[b] for b in breaks if b in moved and 0 < moved[b] < len(out)}))
    return NormalText("".join(out), tuple(back), marks, text)


def digits(text: str) -> NormalText:
    """The view for regular expressions: numerals as Arabic digits (三百四十点六 → 340.6, 一三八 → 138)."""
    plain, origin, breaks = _plain(text)
    out: list[str] = []
    back: list[int] = []
    moved: dict[int, int] = {}
    position = 0
    for start, end, value in [*_numerals(plain, breaks), (len(plain), len(plain), "")]:
        for i in range(position, start):
            moved[i] = len(out)
            out.append(plain[i])
            back.append(origin[i])
        moved.setdefault(start, len(out))
        for k, char in enumerate(value):
            out.append(char)
            back.append(origin[start + min(end - start - 1, k * (end - start) // len(value))])
        position = end
    marks = tuple(sorted({moved[b] for b in breaks if b in moved and 0 < moved[b] < len(out)}))
    return NormalText("".join(out), tuple(back), marks, text)


def _plain(text: str) -> tuple[str, list[int], list[int]]:
    """Simplified characters without spaces and punctuation, their origins, and clause breaks."""
    kept = list(map(_kept.__getitem__, text))
    gaps = [i for i, piece in enumerate(kept) if not piece]
    plain = "".join(kept)
    if len(plain) + len(gaps) != len(text) or any(text[i] in ".,:" for i in gaps):
        return _plain_slowly(text, kept)
    breaks = [i - before for before, i in enumerate(gaps) if text[i] in _CLAUSE_END]
    return plain, [i for i, piece in enumerate(kept) if piece] if gaps else list(range(len(text))), breaks


def _plain_slowly(text: str, kept: list[str]) -> tuple[str, list[int], list[int]]:
    """The same where a character becomes several, or a sign may be part of a number."""
    chars: list[str] = []
    origin: list[int] = []
    breaks: list[int] = []
    for i, raw in enumerate(text):
        if kept[i]:
            chars += kept[i]
            origin += (i,) * len(kept[i])
            continue
        inside_number = raw in ".,:" and 0 < i < len(text) - 1 and text[i - 1].isdigit() and text[i + 1].isdigit()
        if inside_number and raw == ".":
            chars.append(".")
            origin.append(i)
        elif (raw in _CLAUSE_END or raw == ".") and not inside_number:
            breaks.append(len(chars))
    return "".join(chars), origin, breaks


@lru_cache(maxsize=4096)
def _read_aloud(number: str, following: str) -> str:
    """How a digit run is said: amounts as numbers, anything like a code digit by digit."""
    whole = number.split(".")[0]
    code_like = "." not in number and ((len(whole) > 1 and whole[0] == "0") or len(whole) >= 3)
    if (code_like and following not in tuple("元块万亿%")) or len(whole) > 12:
        return "".join(_DIGIT_NAMES.get(c, "点") for c in number)
    value = str(cn2an.an2cn(number, "low"))
    return value[1:] if value.startswith("一十") else value


def _numerals(plain: str, breaks: list[int]) -> Iterator[tuple[int, int, str]]:
    """Numerals within one clause each: (start, end, Arabic digits)."""
    edges = [0, *breaks, len(plain)]
    matches = (m for a, b in pairwise(edges) for m in _NUMERAL.finditer(plain, a, b))
    for match in matches:
        word = match.group()
        percent = word.startswith("百分之")
        body = word.removeprefix("百分之")
        if not body or _NOT_NUMERAL.search(body):
            continue
        value = _value(body)
        if value is not None:
            yield match.start(), match.end(), value + ("%" if percent else "")


@lru_cache(maxsize=4096)
def _value(body: str) -> str | None:
    """Arabic digits of a Chinese numeral, or None when it is none."""
    if all(c in _DIGIT_VALUES for c in body):
        return "".join(_DIGIT_VALUES[c] for c in body)
    if not _UNITS.intersection(body) and "点" not in body:
        return None
    if match := _DECIMAL_UNIT.fullmatch(body):
        number = _value(match[1])
        return None if number is None else f"{Decimal(number).scaleb(_TIMES[match[2]]).normalize():f}"
    try:
        number = cn2an.cn2an(body.replace("幺", "一"), "smart")
    except (ValueError, KeyError):  # cn2an stumbles over orders like 万十一
        return None
    return str(number).removesuffix(".0")


def char_times(segment: Segment) -> list[tuple[float, float]]:
    """Start and end second of every original character: from word times if they fit the text, else interpolated."""
    if segment.words and "".join(w.text for w in segment.words) == segment.text:
        times: list[tuple[float, float]] = []
        for word in segment.words:
            step = (word.end_s - word.start_s) / max(1, len(word.text))
            times += [(word.start_s + i * step, word.start_s + (i + 1) * step) for i in range(len(word.text))]
        return times
    step = (segment.end_s - segment.start_s) / max(1, len(segment.text))
    return [(segment.start_s + i * step, segment.start_s + (i + 1) * step) for i in range(len(segment.text))]
