"""The resident ID card (居民身份证): number by GB 11643, dates, and on what both sides must agree. Pure rules."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_NUMBER = re.compile(r"[1-9]\d{16}[0-9X]", re.ASCII)
ELDERLY_FROM = 60  # 老年人权益保障法 §2
ADULT_FROM = 18

ID_FIELDS_FRONT = ("name", "sex", "ethnicity", "birth", "address", "id_number")
ID_FIELDS_BACK = ("authority", "valid_from", "valid_until")


def check_digit(first_17: str) -> str:
    """The 18th character (GB 11643-1999, ISO 7064 MOD 11-2)."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, first_17, strict=True))
    return _CHECK[total % 11]


def id_number_problem(number: str) -> str | None:
    """``format``, ``birth`` or ``checksum``; None for a number that can exist."""
    if not _NUMBER.fullmatch(number):
        return "format"
    if birth_of(number) is None:
        return "birth"
    return None if check_digit(number[:17]) == number[17] else "checksum"


def birth_of(number: str) -> date | None:
    """The birth date in a number; None when it is no date."""
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def sex_of(number: str) -> str:
    """男 for an odd sequence number, 女 for an even one."""
    return "男" if int(number[16]) % 2 else "女"


def age_on(birth: date, day: date) -> int:
    """Full years."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def customer_class(birth: date, day: date) -> str:
    """``minor``, ``adult`` or ``elderly``."""
    age = age_on(birth, day)
    return "minor" if age < ADULT_FROM else "elderly" if age >= ELDERLY_FROM else "adult"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked. `ok` None: it could not be, because a field was not read."""

    code: str
    ok: bool | None


def check_card(fields: Mapping[str, str], day: date) -> list[Check]:
    """Check the read (or corrected) fields of both sides against each other and the calendar.

    Args:
        fields: Of `ID_FIELDS_FRONT` and `ID_FIELDS_BACK`; dates as ``YYYY-MM-DD``, `valid_until` also ``长期``.

    Returns:
        number (checksum), birth and sex (number against the printed ones), valid_now (the card is in force),
        period (the card's term fits the age at which it was issued: 5, 10, 20 years or 长期).
    """
    number = fields.get("id_number", "")
    whole = id_number_problem(number) is None
    in_number = birth_of(number) if _NUMBER.fullmatch(number) else None
    begins, ends = _date(fields.get("valid_from")), _date(fields.get("valid_until"))
    forever = fields.get("valid_until") == "长期"
    read_ends = forever or ends is not None
    return [
        Check("number", whole if number else None),
        Check("birth", (in_number == _date(fields.get("birth"))) if in_number and fields.get("birth") else None),
        Check("sex", (sex_of(number) == fields["sex"]) if whole and fields.get("sex") else None),
        Check(
            "valid_now",
            (begins <= day and (forever or (ends is not None and day <= ends))) if begins and read_ends else None,
        ),
        Check("period", _period_fits(begins, ends, forever, in_number)),
    ]


def _period_fits(begins: date | None, ends: date | None, forever: bool, birth: date | None) -> bool | None:
    """居民身份证法 §5: under 16 five years, 16 to 25 ten, 26 to 45 twenty, from 46 for life."""
    if begins is None or birth is None or not (forever or ends):
        return None
    age = age_on(birth, begins)
    if forever:
        return age >= 46
    assert ends is not None
    years = ends.year - begins.year
    # 29 February becomes 28 February or 1 March in a year without it.
    if abs((ends - _years_later(begins, years)).days) > 1:
        return False
    return {5: age < 16, 10: 16 <= age <= 25, 20: 26 <= age <= 45}.get(years, False)


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def mask_id_number(number: str) -> str:
    """For display without need: first six and last four."""
    return number[:6] + "*" * max(0, len(number) - 10) + number[-4:]
