"""When a second person is needed, and of which level: data and one pure function."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from server.counter.flows import LARGEST_FEN

HIGHEST_LEVEL = 5
ANY = "any"
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
ReasonText = Annotated[str, Field(max_length=60, pattern=r"^[^\x00-\x1f]*$")]
CustomerClass = Literal["any", "adult", "elderly", "minor", "vip", "risk"]


class ReviewRule(BaseModel):
    """One row of the table. It applies when everything it names is met.

    Attributes:
        business: Code, or ``any``. customer_class: ``any`` or one class.
        amount_from_fen / day_total_from_fen: Met from this amount on, inclusive; the day's total counts this one.
        level: Authorisation level the second person needs.
        written_reason: Extra check: the second person writes down why it is right.
        reason: Stable code. label_zh / label_en: The same in words, for a rule the pages have none for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: Code
    business: Code = ANY
    customer_class: CustomerClass = "any"
    amount_from_fen: Annotated[int, Field(ge=0, le=LARGEST_FEN)] = 0
    day_total_from_fen: Annotated[int, Field(ge=0, le=LARGEST_FEN)] = 0
    level: Annotated[int, Field(ge=1, le=HIGHEST_LEVEL)] = 1
    written_reason: bool = False
    label_zh: ReasonText = ""
    label_en: ReasonText = ""


@dataclass(frozen=True, slots=True)
class ReviewFacts:
    """What the rules look at.

    Attributes:
        day_total_fen: Sent today from this account before this transaction.
        flow_level: The least level the business's own flow wants; 0 none.
        fraud_decided: A fraud alert of this call was decided to go on.
        day_check_fen: More than this in a day makes the business's own extra check; None: it has none.
    """

    business: str
    amount_fen: int
    day_total_fen: int
    customer_class: str
    flow_level: int = 0
    fraud_decided: bool = False
    day_check_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Requirement:
    """What is needed. Level 0: nobody."""

    level: int
    written_reason: bool
    reasons: tuple[str, ...]

    @property
    def needed(self) -> bool:
        """Whether a second person has to agree."""
        return self.level > 0


def required_review(rules: Iterable[ReviewRule], facts: ReviewFacts) -> Requirement:
    """The strictest of all rules that apply: highest level, and a written reason when one of them wants it.

    The order of the rules does not matter, and no rule can lower what another one wants.

    Raises:
        ValueError: A negative amount.
    """
    if facts.amount_fen < 0 or facts.day_total_fen < 0:
        raise ValueError("amounts are not negative")
    met = [rule for rule in rules if _applies(rule, facts)]
    level = max([facts.flow_level, *(rule.level for rule in met)])
    reasons = {rule.reason for rule in met} | ({"flow"} if facts.flow_level else set())
    written = any(rule.written_reason for rule in met)
    if facts.fraud_decided:
        level, written = max(level, 2), True
        reasons.add("fraud_alert")
    if facts.day_check_fen is not None and facts.day_total_fen + facts.amount_fen > facts.day_check_fen:
        level, written = max(level, 2), True
        reasons.add("day_total")
    return Requirement(level, written, tuple(sorted(reasons)))


def _applies(rule: ReviewRule, facts: ReviewFacts) -> bool:
    return (
        rule.business in (ANY, facts.business)
        and rule.customer_class in ("any", facts.customer_class)
        and facts.amount_fen >= rule.amount_from_fen
        and facts.day_total_fen + facts.amount_fen >= rule.day_total_from_fen
    )


@lru_cache(maxsize=1)
def packaged_rules() -> tuple[ReviewRule, ...]:
    """The table as shipped."""
    text = (resources.files("server.counter") / "data" / "review_rules.yaml").read_text(encoding="utf-8")
    return TypeAdapter(tuple[ReviewRule, ...]).validate_python(yaml.safe_load(text)["rules"])
