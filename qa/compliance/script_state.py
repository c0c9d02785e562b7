"""What the teller's screen shows of the script while the call runs: a fold over what was heard. Pure."""

from typing import Any

from core.ports.compliance import RuleFinding
from core.ports.speech import Segment
from qa.compliance.call_ops import can_run_live
from qa.compliance.engine import CallFacts, LiveChecker, mandatory_nodes
from qa.compliance.rules import RuleSet

WARNINGS_SHOWN = 50


class ScriptState:
    """The script of one running call."""

    def __init__(self, rule_set: RuleSet, call_id: str, business: str) -> None:
        self.call_id = call_id
        self._checker = LiveChecker(rule_set, CallFacts(business))
        self._live = {rule.id for rule in rule_set.rules if rule.live and can_run_live(rule.when)}
        self._nodes = [node for node in mandatory_nodes(rule_set, business) if node.id in self._live]
        self._heard: set[tuple[str, float, float, str]] = set()

    def add(self, segment: Segment) -> bool:
        """Take one final segment. False when it was heard before: the bus and the table tell the same story."""
        key = (segment.party.value, round(segment.start_s, 2), round(segment.end_s, 2), segment.text)
        if key in self._heard:
            return False
        self._heard.add(key)
        self._checker.add(segment)
        return True

    @property
    def complained(self) -> bool:
        """Whether the customer was heard to complain."""
        return self._checker.complained

    def message(self) -> dict[str, Any]:
        """The whole state, as it travels on the LIVE topic and to the teller (``script.state``)."""
        present = {rule_id: f for rule_id, f in self._checker.present().items() if rule_id in self._live}
        warnings = [f for f in self._checker.warnings(WARNINGS_SHOWN) if f.rule_id in self._live]
        danger = self._checker.endangered
        return {
            "kind": "script",
            "call_id": self.call_id,
            "nodes": [
                {
                    "rule_id": node.id,
                    "label_zh": node.label_zh,
                    "label_en": node.label_en,
                    "required": node.required or danger,  # some nodes are due only once a danger word was heard
                    "done": node.id in present,
                    "at_s": present[node.id].at_s if node.id in present else None,
                }
                for node in self._nodes
            ],
            "warnings": [_warning(finding) for finding in warnings],
        }


def _warning(finding: RuleFinding) -> dict[str, Any]:
    return {
        "rule_id": finding.rule_id,
        "kind": finding.kind.value,
        "severity": finding.severity.value,
        "label_zh": finding.label_zh,
        "label_en": finding.label_en,
        "party": finding.party.value if finding.party else None,
        "at_s": finding.at_s,
        "phrase": finding.phrase,
        "evidence": finding.evidence,
    }
