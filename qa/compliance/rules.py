"""The rule-set model: versioned data, validated when it is loaded, immutable afterwards."""

import hashlib
import re
from enum import StrEnum
from functools import cached_property, lru_cache
from importlib import resources
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from core.errors import BadInputError
from core.ports.compliance import Severity
from core.ports.speech import Party

Seconds = Annotated[float, Field(gt=0)]
WordList = Annotated[tuple[str, ...], Field(min_length=1)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _compiles(pattern: str | None) -> str | None:
    if pattern is not None:
        re.compile(pattern)
    return pattern


class Words(_Model):
    """Any of these words is heard; with ``at_least`` N, N different ones within one utterance."""

    op: Literal["words"]
    of: WordList
    at_least: int = Field(default=1, ge=1)
    min_score: float = Field(default=0, ge=0, le=100)


class Similar(_Model):
    """Something like one of these sample sentences is heard."""

    op: Literal["similar"]
    of: WordList
    min_score: float = Field(default=72, ge=50, le=100)


class Regex(_Model):
    """A regular expression on the text with numerals as digits, unless ``exclude`` matches in the same utterance."""

    op: Literal["regex"]
    pattern: str
    exclude: str | None = None
    phrase: str = ""

    _valid = field_validator("pattern", "exclude")(_compiles)


class Seq(_Model):
    """One word of each list, in this order, at most ``gap`` characters apart, within one utterance."""

    op: Literal["seq"]
    of: tuple[WordList, ...] = Field(min_length=2)
    gap: int = Field(default=6, ge=0)
    phrase: str = ""


class Together(_Model):
    """One word of each list, in any order, all within ``chars`` characters of one utterance."""

    op: Literal["together"]
    of: tuple[WordList, ...] = Field(min_length=2)
    chars: int = Field(default=24, ge=2)
    phrase: str = ""


class Unless(_Model):
    """Not when one of ``words`` (or ``pattern``) stands within so many characters before or after, or inside."""

    op: Literal["unless"]
    of: "Expr"
    words: tuple[str, ...] = ()
    pattern: str | None = None
    before: int = Field(default=6, ge=0)
    after: int = Field(default=6, ge=0)

    _valid = field_validator("pattern")(_compiles)


class Affirmed(_Model):
    """Only when it is said in earnest: not denied, and (if ``quotes``) not quoted as somebody else's lie."""

    op: Literal["affirmed"]
    of: "Expr"
    quotes: bool = True


class Any_(_Model):
    """Any of these."""

    op: Literal["any"]
    of: tuple["Expr", ...] = Field(min_length=1)


class All_(_Model):
    """All of these within so many seconds; the first one is the anchor."""

    op: Literal["all"]
    of: tuple["Expr", ...] = Field(min_length=2)
    within_s: Seconds = 12


class AtLeast(_Model):
    """At least ``n`` of these within so many seconds."""

    op: Literal["at_least"]
    n: int = Field(ge=1)
    of: tuple["Expr", ...] = Field(min_length=1)
    within_s: Seconds = 60


class Without(_Model):
    """``of``, and not ``absent`` within so many seconds around it."""

    op: Literal["without"]
    of: "Expr"
    absent: "Expr"
    within_s: Seconds = 10


class After(_Model):
    """``of`` that comes after ``anchor``, at most so many seconds."""

    op: Literal["after", "before"]
    of: "Expr"
    anchor: "Expr"
    within_s: Seconds = 60


class Answer(_Model):
    """A question of one party and a clear yes of ``who`` within so many seconds; the last clear answer counts."""

    op: Literal["answer"]
    question: "Expr"
    accept: "Expr"
    refuse: "Expr"
    who: Party = Party.CUSTOMER
    within_s: Seconds = 10


class Edge(_Model):
    """Only in the first or last so many seconds of speech."""

    op: Literal["first", "last"]
    of: "Expr"
    seconds: Seconds


class Repeated(_Model):
    """At least ``times`` times within so many seconds."""

    op: Literal["repeated"]
    of: "Expr"
    times: int = Field(ge=2)
    within_s: Seconds = 60


class By(_Model):
    """Said by this party instead of the rule's."""

    op: Literal["by"]
    who: Party
    of: "Expr"


Expr = Annotated[
    Words
    | Similar
    | Regex
    | Seq
    | Together
    | Unless
    | Affirmed
    | Any_
    | All_
    | AtLeast
    | Without
    | After
    | Answer
    | Edge
    | Repeated
    | By,
    Field(discriminator="op"),
]
for _model in (Unless, Affirmed, Any_, All_, AtLeast, Without, After, Answer, Edge, Repeated, By):
    _model.model_rebuild()


class RuleKind(StrEnum):
    """A node must be said, a forbidden phrase must not, a danger word alerts."""

    NODE = "node"
    FORBIDDEN = "forbidden"
    DANGER = "danger"


class Rule(_Model):
    """One rule. ``secondary`` hits count only where the rule has no other hit in the same utterance."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    kind: RuleKind
    severity: Severity
    party: Party
    label_zh: str = Field(min_length=1)
    label_en: str = Field(min_length=1)
    when: Expr
    secondary: Expr | None = None
    businesses: tuple[str, ...] = ()
    live: bool = True


class Business(_Model):
    """Which nodes a business needs: always, and once a danger word was heard."""

    label_zh: str
    label_en: str
    mandatory: tuple[str, ...]
    when_danger: tuple[str, ...] = ()


class Negation(_Model):
    """Regular expressions for denials and quotations.

    ``harmless`` is blanked first; ``deny`` counts within the clause up to the last ``stop``; ``deny_strong`` ignores
    stops; ``deny_after`` and ``quote_before`` look across clauses of the utterance. ``heard_as`` names the negating
    word behind a syllable however it is written, except in the words of ``not_heard_as``. Distances in characters.
    """

    harmless: str
    deny: str
    deny_strong: str
    stop: str
    deny_after: str
    quote_before: str
    heard_as: dict[str, str] = {}
    not_heard_as: str = "$^"
    before: int = 8
    strong_before: int = 12
    after: int = 14
    quote: int = 26

    _valid = field_validator("harmless", "deny", "deny_strong", "stop", "deny_after", "quote_before", "not_heard_as")(
        _compiles
    )


class RuleSet(_Model):
    """A version of the rules. Equal content has an equal digest, which a call keeps as proof of what judged it."""

    id: str
    version: int = Field(ge=1)
    negation: Negation
    businesses: dict[str, Business]
    rules: tuple[Rule, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        ids = [rule.id for rule in self.rules]
        if len(ids) != len(set(ids)):
            raise ValueError("rule ids must be unique")
        if "default" not in self.businesses:
            raise ValueError("a default business is needed for codes that have no list of their own")
        nodes = {rule.id for rule in self.rules if rule.kind is RuleKind.NODE}
        for code, business in self.businesses.items():
            unknown = {*business.mandatory, *business.when_danger} - nodes
            if unknown:
                raise ValueError(f"business {code} names unknown nodes: {sorted(unknown)}")
        return self

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RuleSet) and (self is other or self.digest == other.digest)

    def business(self, code: str) -> Business:
        """The node list of a business, or the default one."""
        return self.businesses.get(code, self.businesses["default"])


def parse_rules(text: str) -> RuleSet:
    """Rule set from YAML text. ``@name`` in a word list stands for the words of that group.

    Raises:
        BadInputError: The text is not a valid rule set (code ``rules.invalid``).
    """
    try:
        raw = yaml.safe_load(text)
        if not isinstance(raw, dict):
            raise ValueError("a rule set is a mapping")
        groups = _resolve_groups(raw.pop("groups", {}))
        return RuleSet.model_validate(_expand(raw, groups))
    except (yaml.YAMLError, ValueError, re.error) as error:
        raise BadInputError(f"The rule set is not valid: {error}", code="rules.invalid") from error


@lru_cache(maxsize=4)
def load_rules(name: str = "rules_v1") -> RuleSet:
    """A packaged rule set, parsed once per process."""
    data = resources.files("qa.compliance").joinpath("data", f"{name}.yaml")
    return parse_rules(data.read_text(encoding="utf-8"))


def _resolve_groups(groups: dict[str, list[str]]) -> dict[str, list[str]]:
    """Groups may name groups written before them."""
    resolved: dict[str, list[str]] = {}
    for name, words in groups.items():
        resolved[name] = _expand(words, resolved)
    return resolved


def _expand(value: Any, groups: dict[str, list[str]]) -> Any:
    if isinstance(value, dict):
        return {key: _expand(inner, groups) for key, inner in value.items()}
    if not isinstance(value, list):
        return value
    out: list[Any] = []
    for item in value:
        if isinstance(item, str) and item.startswith("@"):
            if item[1:] not in groups:
                raise ValueError(f"unknown word group {item}")
            out += groups[item[1:]]
        else:
            out.append(_expand(item, groups))
    return out
