"""The fields of a resident ID card among recognised lines of text. Pure: places, words, scores in, fields out."""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

with warnings.catch_warnings():
    # zhconv reads its table without closing the file.
    warnings.simplefilter("ignore", ResourceWarning)
    import zhconv

    zhconv.loaddict()

Face = Literal["front", "back"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line as the recognizer saw it. Place and size in pixels; `score` 0 to 1."""

    text: str
    score: float
    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Read:
    """A field and how sure the recognizer was of the lines it comes from."""

    value: str
    confidence: float


_LABELS = ("公民身份号码", "公民身份证号码", "签发机关", "有效期限", "姓名", "性别", "民族", "出生", "住址")
_DATE = re.compile(r"(\d{4})年?\D{0,2}?(\d{1,2})月?\D{0,2}?(\d{1,2})日?")
_TERM = re.compile(
    r"(\d{4})[.．·,，]?(\d{2})[.．·,，]?(\d{2})[-—－–~一]*(?:(\d{4})[.．·,，]?(\d{2})[.．·,，]?(\d{2})|(长期))"
)
_NUMBER = re.compile(r"\d{17}[\dXx]")
_ETHNICITY = re.compile(r"民族?([\u4e00-\u9fff]{1,6})")


def read_card(face: Face, lines: Sequence[Line]) -> dict[str, Read]:
    """The fields that were found: of the front name, sex, ethnicity, birth, address, id_number; of the back authority,
    valid_from, valid_until. Dates as ``YYYY-MM-DD``.
    """
    rows = _rows(upright(face, lines))
    return _front(rows) if face == "front" else _back(rows)


def upright(face: Face, lines: Sequence[Line]) -> list[Line]:
    """The lines of a card that lies on its side or on its head, as if it stood.

    The recognizer reads words in any direction, but tells places as they are in the picture. Which way is up shows in
    the lines' shape, and in the lowest line of a card: the number in front, the term behind.
    """
    turned = list(lines)
    if sum(1 if line.height > line.width else -1 for line in turned if len(line.text) > 2) > 0:
        turned = [replace(line, left=line.top, top=-line.left, width=line.height, height=line.width) for line in turned]
    lowest = _NUMBER if face == "front" else _TERM
    foot = [line.top for line in turned if lowest.search(line.text.replace(" ", ""))]
    if foot and sum(1 if line.top > foot[0] else -1 for line in turned) > 0:
        turned = [replace(line, left=-line.left - line.width, top=-line.top - line.height) for line in turned]
    return turned


@dataclass(frozen=True, slots=True)
class _Row:
    text: str
    score: float
    top: float
    height: float


def _rows(lines: Sequence[Line]) -> list[_Row]:
    """Lines beside each other belong together: a label and its value are often found apart."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: line.top + line.height / 2):
        middle = line.top + line.height / 2
        if rows:
            last = rows[-1]
            its_middle = sum(each.top + each.height / 2 for each in last) / len(last)
            if abs(middle - its_middle) < 0.5 * max(min(line.height, last[0].height), 1):
                last.append(line)
                continue
        rows.append([line])
    joined = []
    for row in rows:
        row.sort(key=lambda line: line.left)
        text = zhconv.convert("".join(line.text for line in row).replace(" ", ""), "zh-cn")
        joined.append(
            _Row(text, min(line.score for line in row), min(line.top for line in row), max(line.height for line in row))
        )
    return joined


def _front(rows: list[_Row]) -> dict[str, Read]:
    found: dict[str, Read] = {}
    address: list[_Row] = []
    in_address = False
    for row in rows:
        text = row.text
        number = _NUMBER.search(text)
        if number is not None:
            found["id_number"] = Read(number[0].upper(), row.score)
            in_address = False
            continue
        if "身份号码" in text or "身份证号" in text:
            in_address = False
            continue
        if "住址" in text or (in_address and "出生" not in text):
            in_address = True
            address.append(row)
            continue
        if "出生" in text or ("年" in text and "月" in text):
            _put_date(found, "birth", text, row.score)
            in_address = "birth" in found and not address
            continue
        _put_sex(found, text, row.score)
        if "姓名" in text or ("sex" not in found and "name" not in found):
            value = _without_labels(text)
            if re.fullmatch(r"[\u4e00-\u9fff·]{2,20}", value):
                found.setdefault("name", Read(value, row.score))
    if address:
        value = re.sub(r"^(?:日(?!照)|月)", "", "".join(_without_labels(row.text) for row in address))
        found["address"] = Read(value, min(row.score for row in address))
    return found


def _put_sex(found: dict[str, Read], text: str, score: float) -> None:
    if "性别" not in text and "民" not in text:
        return
    sex = re.search(r"性?别?([男女])", text)
    if sex is not None:
        found["sex"] = Read(sex[1], score)
    ethnicity = _ETHNICITY.search(text)
    if ethnicity is not None:
        found["ethnicity"] = Read(ethnicity[1].removeprefix("族") or ethnicity[1], score)


def _back(rows: list[_Row]) -> dict[str, Read]:
    found: dict[str, Read] = {}
    for row in rows:
        term = _TERM.search(row.text)
        if term is not None:
            begins = _iso(term[1], term[2], term[3])
            ends = "长期" if term[7] else _iso(term[4], term[5], term[6])
            if begins is not None:
                found["valid_from"] = Read(begins, row.score)
            if ends is not None:
                found["valid_until"] = Read(ends, row.score)
        elif "机关" in row.text or "公安局" in row.text:
            value = _without_labels(row.text)
            if value:
                found["authority"] = Read(value, row.score)
    return found


def _put_date(found: dict[str, Read], key: str, text: str, score: float) -> None:
    match = _DATE.search(text)
    value = _iso(match[1], match[2], match[3]) if match else None
    if value is not None:
        found[key] = Read(value, score)


def _iso(year: str, month: str, day: str) -> str | None:
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None


def _without_labels(text: str) -> str:
    for label in _LABELS:
        text = text.replace(label, "")
    return text.strip(":： .·")
