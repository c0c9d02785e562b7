"""The written hard cases as segments, and a seeded corruption like a recogniser's."""

import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pypinyin import Style, lazy_pinyin
from pypinyin.constants import PINYIN_DICT

from core.ports.compliance import FindingKind, RuleFinding
from core.ports.speech import Party, Segment
from qa.compliance.engine import CallFacts, check
from qa.compliance.phonetic import near_class
from qa.compliance.rules import load_rules

_DATA = Path(__file__).parents[1] / "data"
CASES = _DATA / "compliance_cases.yaml"
DIALOGUES = _DATA / "compliance_dialogues.yaml"
_PARTY = {"T": Party.TELLER, "C": Party.CUSTOMER}


@dataclass(frozen=True)
class Case:
    """One hard case."""

    name: str
    segments: tuple[Segment, ...]
    business: str
    expect: tuple[str, ...]
    absent: tuple[str, ...]
    holdout: bool


@dataclass(frozen=True)
class Dialogue:
    """One whole call."""

    id: str
    business: str
    segments: tuple[Segment, ...]
    present: tuple[str, ...]
    missing: tuple[str, ...]
    forbidden: tuple[str, ...]
    danger: tuple[str, ...]
    complaint: bool


@cache
def load_dialogues() -> tuple[Dialogue, ...]:
    """All whole calls in file order."""
    raw = yaml.safe_load(DIALOGUES.read_text(encoding="utf-8"))["dialogues"]
    lists = ("present", "missing", "forbidden", "danger")
    return tuple(
        Dialogue(
            call["id"],
            call["business"],
            segments_of(call),
            *(tuple(call[name]) for name in lists),
            complaint=bool(call.get("complaint")),
        )
        for call in raw
    )


def segments_of(raw: dict[str, Any]) -> tuple[Segment, ...]:
    """Turns (or one text) as segments at the pace of speech, with pauses between."""
    turns = raw.get("turns") or [f"{'T' if raw['party'] == 'teller' else 'C'}: {raw['text']}"]
    out, now = [], 2.0
    for turn in turns:
        text = turn[3:]
        length = max(1.0, len(text) * 0.25)
        out.append(Segment(_PARTY[turn[0]], now, now + length, text))
        now += length + 0.9
    return tuple(out)


@cache
def load_cases() -> tuple[Case, ...]:
    """All cases in file order."""
    raw = yaml.safe_load(CASES.read_text(encoding="utf-8"))["cases"]
    return tuple(
        Case(
            str(case.get("text") or " / ".join(case["turns"])),
            segments_of(case),
            case.get("business", "account_opening"),
            tuple(case.get("expect", ())),
            tuple(case.get("absent", ())),
            bool(case.get("holdout")),
        )
        for case in raw
    )


def heard(segments: tuple[Segment, ...], business: str) -> dict[str, RuleFinding]:
    """What the packaged rules hear, by rule id."""
    findings = check(load_rules(), segments, CallFacts(business))
    return {f.rule_id: f for f in findings if f.kind is not FindingKind.MISSING}


@cache
def _by_sound() -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Common characters by toneless syllable, and by near-sound class."""
    same: dict[str, list[str]] = {}
    near: dict[str, list[str]] = {}
    for code in range(0x4E00, 0x9FA6):
        if code not in PINYIN_DICT or not chr(code).encode("gb2312", "ignore"):
            continue
        syllable = lazy_pinyin(chr(code), style=Style.NORMAL)[0]
        same.setdefault(syllable, []).append(chr(code))
        near.setdefault(near_class(syllable), []).append(chr(code))
    return same, near


def corrupt(text: str, rng: random.Random, swap: float = 0.15, drop: float = 0.03, off: float = 0.0) -> str:
    """Homophones and near sounds for a share of the syllables, some lost, a share (``off``) of them plainly wrong."""
    same, near = _by_sound()
    out = []
    for char in text:
        draw = rng.random()
        syllable = lazy_pinyin(char, style=Style.NORMAL)[0] if "一" <= char <= "龥" else ""
        if not syllable:
            out.append(char)
        elif draw < drop:
            continue
        elif draw < drop + off:
            out.append(rng.choice("的了么他在这个去说有"))
        elif draw < drop + off + swap:
            table, key = (same, syllable) if rng.random() < 0.7 else (near, near_class(syllable))
            out.append(rng.choice(table.get(key) or [char]))
        else:
            out.append(char)
    return "".join(out)
