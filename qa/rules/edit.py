"""Edits of a rule set. Pure: text in, text out, and every result is a valid rule set."""

from typing import Any

import yaml

from core.errors import BadInputError
from qa.compliance.rules import RuleSet, dump_part, dump_rules, parse_rules
from qa.rules.schemas import RuleSetChangeRequest, WordsToAdd


def edited(content: str, change: RuleSetChangeRequest) -> str:
    """The content with one change.

    Raises:
        BadInputError: ``rules.invalid`` with the reason; ``rules.unknown_rule``.
    """
    raw = yaml.safe_load(content)
    if change.rule is not None:
        _put_rule(raw, _read(change.rule))
    if change.remove_rule is not None:
        _find(raw, change.remove_rule)
        raw["rules"] = [rule for rule in raw["rules"] if rule["id"] != change.remove_rule]
        for business in raw["businesses"].values():
            for need in ("mandatory", "when_danger"):
                if need in business:
                    business[need] = [node for node in business[need] if node != change.remove_rule]
    if change.add_words is not None:
        _add_words(raw, change.add_words)
    if change.businesses is not None:
        raw["businesses"] = _read(change.businesses)
    return dump_rules(parse_rules(dump_part(raw)))


def rule_yaml(rule_set: RuleSet, rule_id: str) -> str:
    """One rule as text to edit."""
    rule = next(rule for rule in rule_set.rules if rule.id == rule_id)
    return dump_part(rule.model_dump(mode="json", exclude_defaults=True))


def businesses_yaml(rule_set: RuleSet) -> str:
    """Which nodes each business needs, as text to edit."""
    return dump_part({code: one.model_dump(exclude_defaults=True) for code, one in rule_set.businesses.items()})


def _read(text: str) -> Any:
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadInputError(f"this is not YAML: {error}", code="rules.invalid") from error
    if not isinstance(value, dict):
        raise BadInputError("a mapping is expected", code="rules.invalid")
    return value


def _put_rule(raw: dict[str, Any], rule: dict[str, Any]) -> None:
    for place, known in enumerate(raw["rules"]):
        if known["id"] == rule.get("id"):
            raw["rules"][place] = rule
            return
    raw["rules"].append(rule)


def _find(raw: dict[str, Any], rule_id: str) -> dict[str, Any]:
    found: dict[str, Any] | None = next((rule for rule in raw["rules"] if rule["id"] == rule_id), None)
    if found is None:
        raise BadInputError("there is no such rule", code="rules.unknown_rule")
    return found


def _add_words(raw: dict[str, Any], added: WordsToAdd) -> None:
    """Beside everything the rule hears already; for what must not be said, only in earnest."""
    rule = _find(raw, added.rule_id)
    heard: dict[str, Any] = {"op": "words", "of": list(added.words)}
    if rule["kind"] != "node":
        heard = {"op": "affirmed", "of": heard, "quotes": rule["kind"] == "forbidden"}
    rule["when"] = {"op": "any", "of": [rule["when"], heard]}
