"""A practised call against the script checker."""

import asyncio
from functools import cache
from importlib import resources
from typing import Literal

import yaml

from core.ports.compliance import FindingKind, RuleFinding
from core.ports.speech import Party, Segment
from qa.compliance.engine import CallFacts, check, mandatory_nodes
from qa.compliance.rules import RuleSet
from qa.compliance.service import rule_set_version
from qa.rules.book import RuleSource
from qa.training.schemas import (
    PracticeLine,
    PracticeNode,
    PracticeRequest,
    PracticeResult,
    PracticeSample,
    PracticeWarning,
)

# Typed lines are put on a time line at the pace of speech, for rules that ask for an answer within seconds.
_CHARS_PER_S, _PAUSE_S = 4.0, 1.0


_WARNING: dict[FindingKind, Literal["forbidden", "danger", "complaint"]] = {
    FindingKind.FORBIDDEN: "forbidden",
    FindingKind.DANGER: "danger",
    FindingKind.COMPLAINT: "complaint",
}


class PracticeService:
    """Judges by the rules in force now, with the same engine as real calls."""

    def __init__(self, rules: RuleSource) -> None:
        self._rules = rules

    async def check(self, request: PracticeRequest) -> PracticeResult:
        """What was heard, what is missing, what must not be said."""
        return await asyncio.to_thread(judge, await self._rules.current(), request.business_code, request.lines)


def judge(rule_set: RuleSet, business_code: str, lines: list[PracticeLine]) -> PracticeResult:
    """The checker's word on lines said one after the other. Pure."""
    segments = spoken_lines(lines)
    findings = check(rule_set, segments, CallFacts(business_code))
    heard = {f.rule_id: f for f in findings if f.kind is FindingKind.PRESENT}
    endangered = any(f.kind is FindingKind.DANGER for f in findings)
    nodes = [
        PracticeNode(
            id=node.id,
            label_zh=node.label_zh,
            label_en=node.label_en,
            required=node.required or endangered,
            line=_line_of(heard[node.id], segments) if node.id in heard else None,
        )
        for node in mandatory_nodes(rule_set, business_code)
    ]
    warnings = [
        PracticeWarning(
            kind=_WARNING[f.kind],
            label_zh=f.label_zh,
            label_en=f.label_en,
            severity=f.severity,
            phrase=f.phrase,
            line=_line_of(f, segments),
        )
        for f in findings
        if f.kind in _WARNING
    ]
    return PracticeResult(nodes=nodes, warnings=warnings, rules=rule_set_version(rule_set))


def spoken_lines(lines: list[PracticeLine]) -> list[Segment]:
    """Lines as utterances at the pace of speech."""
    segments, now_s = [], 0.0
    for line in lines:
        end_s = now_s + max(1.0, len(line.text) / _CHARS_PER_S)
        segments.append(Segment(Party(line.party), now_s, end_s, line.text))
        now_s = end_s + _PAUSE_S
    return segments


def _line_of(finding: RuleFinding, segments: list[Segment]) -> int:
    """The line in which something was heard; what holds without words counts for the first."""
    at_s = finding.at_s or 0.0
    return max((n for n, segment in enumerate(segments) if segment.start_s <= at_s + 0.001), default=0)


@cache
def samples() -> tuple[PracticeSample, ...]:
    """The packaged calls to replay."""
    text = resources.files("qa.training").joinpath("data/samples.yaml").read_text(encoding="utf-8")
    return tuple(
        PracticeSample(
            **{key: value for key, value in raw.items() if key != "lines"},
            lines=[
                PracticeLine(party="teller" if line[0] == "T" else "customer", text=line[3:]) for line in raw["lines"]
            ],
        )
        for raw in yaml.safe_load(text)
    )
