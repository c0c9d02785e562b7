"""Bodies and answers of rule administration (they become the pages' TypeScript types)."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

RuleSetId = Annotated[str, StringConstraints(max_length=64, pattern=r"^\w+$")]
RuleId = Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z][a-z0-9_]*$")]
_Note = Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^\x00]*$", strip_whitespace=True)]
_Yaml = Annotated[str, StringConstraints(min_length=1, max_length=200_000, pattern=r"^[^\x00]*$")]
_Version = Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)]
RuleSetStateName = Literal["draft", "submitted", "active", "rejected", "retired"]


class RuleSetView(BaseModel):
    """One version. `mine`: the asker wrote it and must not approve it."""

    id: str
    number: int
    state: RuleSetStateName
    digest: str
    note: str
    author_name: str | None
    mine: bool
    created_at: datetime
    changed_at: datetime
    submitted_at: datetime | None
    decided_by: str | None
    decided_at: datetime | None
    decision_note: str
    activated_at: datetime | None
    version: int


class RulePrecision(BaseModel):
    """What inspectors said of a rule's findings. `precision` is None while nobody said anything."""

    confirmed: int
    rejected: int
    missing_rejected: int
    precision: float | None


class RuleView(BaseModel):
    """One rule; `yaml` is what can be edited."""

    id: str
    kind: Literal["node", "forbidden", "danger", "complaint"]
    severity: Literal["info", "minor", "major", "fatal"]
    party: Literal["customer", "teller"]
    label_zh: str
    label_en: str
    live: bool
    changed: Literal["", "new", "changed"]
    words: int
    yaml: str
    verdicts: RulePrecision


class RuleSetDetail(RuleSetView):
    """A version with its rules. `businesses` is YAML: the nodes each business needs. `removed`: against the active."""

    rules: list[RuleView]
    businesses: str
    removed: list[str]


class RuleSetDraftRequest(BaseModel):
    """Begin a draft as a copy of a version, or of the active one."""

    model_config = ConfigDict(extra="forbid")

    copy_of: RuleSetId | None = None


class WordsToAdd(BaseModel):
    """Words or sample sentences a rule shall hear as well."""

    model_config = ConfigDict(extra="forbid")

    rule_id: RuleId
    words: Annotated[list[Annotated[str, StringConstraints(min_length=2, max_length=60)]], Field(min_length=1)]


class RuleSetChangeRequest(BaseModel):
    """One edit of a draft; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    version: _Version
    note: _Note | None = None
    rule: _Yaml | None = None
    remove_rule: RuleId | None = None
    add_words: WordsToAdd | None = None
    businesses: _Yaml | None = None


class RuleSetMoveRequest(BaseModel):
    """Submit, or take a decision."""

    model_config = ConfigDict(extra="forbid")

    version: _Version
    note: _Note = ""


class TrialRequest(BaseModel):
    """Try on so many of the newest calls."""

    model_config = ConfigDict(extra="forbid")

    calls: Annotated[int, Field(ge=1, le=100)] = 30


class TrialSample(BaseModel):
    """A hit that only one of the two versions finds. Words are shown to those who may see calls."""

    call_id: str
    at_s: float | None
    phrase: str
    evidence: str
    change: Literal["gained", "lost"]


class TrialRule(BaseModel):
    """One rule on past calls: hits now and with the draft. Estimates count hits that inspectors judged before.

    Attributes:
        false_hits: Draft's hits expected to be false: those rejected before, and for hits nobody judged the rule's
            measured share of false ones; None while nothing is known.
        lost_confirmed: Hits inspectors confirmed, which the draft does not find.
    """

    rule_id: str
    label_zh: str
    label_en: str
    active_hits: int
    draft_hits: int
    gained: int
    lost: int
    false_hits: float | None
    lost_confirmed: int
    samples: list[TrialSample]


class TrialView(BaseModel):
    """Result of a trial."""

    calls: int
    active_number: int
    rules: list[TrialRule]
