"""Words of script compliance shared by the rooms."""

from dataclasses import dataclass
from enum import StrEnum

from core.ports.speech import Party


class FindingKind(StrEnum):
    """What a rule found."""

    PRESENT = "present"
    MISSING = "missing"
    FORBIDDEN = "forbidden"
    DANGER = "danger"
    COMPLAINT = "complaint"


class Severity(StrEnum):
    """How bad a violation is."""

    INFO = "info"
    MINOR = "minor"
    MAJOR = "major"
    FATAL = "fatal"


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """One result of checking a call.

    Attributes:
        rule_id: Node or phrase id, e.g. ``greeting_identity`` or ``promise_return``.
        label_zh / label_en: Name shown to people.
        party: Whose words; None for a missing node.
        at_s / end_s: Evidence's span in call seconds; None for a missing node.
        score: Similarity 0–100 of the best match; 0 for a missing node.
        evidence: The words that matched, as transcribed; empty for a missing node.
        phrase: The sample sentence or forbidden phrase it was matched against.
    """

    rule_id: str
    kind: FindingKind
    severity: Severity
    label_zh: str
    label_en: str
    party: Party | None
    at_s: float | None
    end_s: float | None
    score: float
    evidence: str
    phrase: str
