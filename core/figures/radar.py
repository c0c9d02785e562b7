"""The teller's month in four parts: satisfaction 40, volume 30, errors 20, peer review 10. Pure."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

WEIGHTS = {"satisfaction": 40, "volume": 30, "errors": 20, "peers": 10}
MARKS_NEEDED = 2
"""Fewer marks do not count: one alone would tell the teller what that colleague said."""

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Month:
    """What is known of one teller's month.

    Attributes:
        satisfied / rated: Ratings with 4 or 5 stars, and all.
        answered: Calls taken. usual: Median of the tellers of the month.
        inspected / with_defects: Calls an inspector has scored, and those with a defect among them.
        peers: Marks of colleagues, 0 to 100.
    """

    satisfied: int
    rated: int
    answered: int
    usual: float
    inspected: int
    with_defects: int
    peers: tuple[Decimal, ...] = ()


@dataclass(frozen=True, slots=True)
class Radar:
    """Parts of 0 to 100, None where nothing is known; the total weighs the known parts only."""

    satisfaction: Decimal | None
    volume: Decimal | None
    errors: Decimal | None
    peers: Decimal | None
    total: Decimal | None


def radar(month: Month) -> Radar:
    """The month's parts and their total. A part nobody can judge leaves the denominator, as N/A does in a form."""
    parts = {
        "satisfaction": _share(month.satisfied, month.rated),
        "volume": _capped(month.answered, month.usual),
        "errors": _share(month.inspected - month.with_defects, month.inspected),
        "peers": sum(month.peers, Decimal(0)) / len(month.peers) if len(month.peers) >= MARKS_NEEDED else None,
    }
    known = {name: part for name, part in parts.items() if part is not None}
    weight = sum(WEIGHTS[name] for name in known)
    total = sum((part * WEIGHTS[name] for name, part in known.items()), Decimal(0)) / weight if weight else None
    return Radar(**{name: _round(part) for name, part in parts.items()}, total=_round(total))


def _share(part: int, whole: int) -> Decimal | None:
    return Decimal(100) * part / whole if whole else None


def _capped(answered: int, usual: float) -> Decimal | None:
    """As many as usual is full marks; more is not better, so that nobody hurries customers. None: was not there."""
    return min(Decimal(100), Decimal(100) * answered / Decimal(str(usual))) if answered and usual > 0 else None


def _round(value: Decimal | None) -> Decimal | None:
    return None if value is None else value.quantize(_CENT, ROUND_HALF_UP)
