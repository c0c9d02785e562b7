"""The rule-set model: versioned data, validated when it is loaded, immutable afterwards."""

import hashlib
import re
from enum import StrEnum
from functools import cached_property, lru_cache
from importlib import resources
from typing import Any, Self

import yaml
from pydantic import Field, field_validator, model_validator

from core.errors import BadInputError
from core.ports.compliance import Severity
from core.ports.speech import Party
from qa.compliance.expressions import Expr, FrozenModel, compiles


class RuleKind(StrEnum):
    """A node must be said, a forbidden phrase must not, a danger word alerts, a complaint is the customer's."""

    NODE = "node"
    FORBIDDEN = "forbidden"
    DANGER = "danger"
    COMPLAINT = "complaint"


class Rule(FrozenModel):
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

    def applies_to(self, business: str) -> bool:
        """Whether the rule is for this business; without a list it is for all."""
        return not self.businesses or business in self.businesses


class Business(FrozenModel):
    """Which nodes a business needs: always, and once a danger word was heard."""

    label_zh: str
    label_en: str
    mandatory: tuple[str, ...]
    when_danger: tuple[str, ...] = ()


class Negation(FrozenModel):
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
    heard_as: dict[str, str] = Field(default_factory=dict)
    not_heard_as: str = "$^"
    before: int = 8
    strong_before: int = 12
    after: int = 14
    quote: int = 26

    _valid = field_validator("harmless", "deny", "deny_strong", "stop", "deny_after", "quote_before", "not_heard_as")(
        compiles
    )


class RuleSet(FrozenModel):
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

    def numbered(self, number: int) -> Self:
        """The same rules as version `number`."""
        copy = self.model_copy(update={"version": number})
        copy.__dict__.pop("digest", None)  # it was made of the other version
        return copy

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


def dump_rules(rule_set: RuleSet) -> str:
    """The whole rule set as YAML text, word groups written out; `parse_rules` reads it back."""
    return dump_part(rule_set.model_dump(mode="json", exclude_defaults=True))


def dump_part(value: Any) -> str:
    """A part of a rule set as YAML text."""
    return str(yaml.dump(value, Dumper=_Plain, allow_unicode=True, sort_keys=False, width=110))


class _Plain(yaml.SafeDumper):
    """Writes shared lists out every time: people edit them apart."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


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
