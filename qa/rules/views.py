"""Rule sets as the pages see them."""

from collections.abc import Mapping

from core.models.rules import RuleSetRow
from core.security.actor import Actor
from core.security.permissions import Permission
from qa.compliance.call_ops import can_run_live
from qa.compliance.engine import compile_rules
from qa.compliance.rules import RuleSet
from qa.rules.edit import businesses_yaml, rule_yaml
from qa.rules.schemas import RulePrecision, RuleSetDetail, RuleSetView, RuleView, TrialRule, TrialSample
from qa.rules.trial import RuleTrial
from qa.shown import shown_text

_NOTHING_SAID = RulePrecision(confirmed=0, rejected=0, missing_rejected=0, precision=None)


def precision_of(confirmed: int, rejected: int, missing_rejected: int) -> RulePrecision:
    """Share of a rule's judged hits that were right."""
    judged = confirmed + rejected
    return RulePrecision(
        confirmed=confirmed,
        rejected=rejected,
        missing_rejected=missing_rejected,
        precision=round(confirmed / judged, 4) if judged else None,
    )


def row_view(row: RuleSetRow, names: Mapping[str, str], actor: Actor) -> RuleSetView:
    """A version without its rules."""
    return RuleSetView.model_validate(
        {
            **row.model_dump(),
            "author_name": names.get(row.author_id or ""),
            "decided_by": names.get(row.decided_by or ""),
            "mine": row.author_id is not None and row.author_id == actor.staff_id,
        }
    )


def detail_view(
    row: RuleSetRow,
    names: Mapping[str, str],
    actor: Actor,
    rule_set: RuleSet,
    active: RuleSet | None,
    said: Mapping[str, RulePrecision],
) -> RuleSetDetail:
    """A version with its rules, marked where they differ from the active ones."""
    known = {rule.id: rule for rule in active.rules} if active else {rule.id: rule for rule in rule_set.rules}
    compiled = compile_rules(rule_set)
    rules = [
        RuleView(
            id=rule.id,
            kind=rule.kind.value,
            severity=rule.severity.value,
            party=rule.party.value,
            label_zh=rule.label_zh,
            label_en=rule.label_en,
            live=rule.live and can_run_live(rule.when),
            changed="new" if rule.id not in known else "changed" if known[rule.id] != rule else "",
            words=len(compiled.words_of(rule.id)),
            yaml=rule_yaml(rule_set, rule.id),
            verdicts=said.get(rule.id, _NOTHING_SAID),
        )
        for rule in rule_set.rules
    ]
    ids = {rule.id for rule in rule_set.rules}
    return RuleSetDetail(
        **row_view(row, names, actor).model_dump(),
        rules=rules,
        businesses=businesses_yaml(rule_set),
        removed=[rule_id for rule_id in known if rule_id not in ids],
    )


def trial_views(
    actor: Actor,
    draft: RuleSet,
    active: RuleSet,
    trials: Mapping[str, RuleTrial],
    said: Mapping[str, RulePrecision],
) -> list[TrialRule]:
    """Rules whose hits change first. Customers' words are for those who may see calls; administrators see counts."""
    labels = {rule.id: rule for rule in (*active.rules, *draft.rules)}
    sees = actor.may(Permission.QA_VIEW)
    out = [
        TrialRule(
            rule_id=rule_id,
            label_zh=labels[rule_id].label_zh,
            label_en=labels[rule_id].label_en,
            active_hits=trial.active,
            draft_hits=trial.draft,
            gained=trial.gained,
            lost=trial.lost,
            false_hits=trial.false_hits(said.get(rule_id, _NOTHING_SAID).precision),
            lost_confirmed=trial.lost_confirmed,
            samples=[
                TrialSample(
                    call_id=call_id,
                    at_s=hit.at_s,
                    phrase=shown_text(actor, hit.phrase) if sees else "",
                    evidence=shown_text(actor, hit.evidence) if sees else "",
                    change="gained" if gained else "lost",
                )
                for call_id, hit, gained in trial.samples
            ],
        )
        for rule_id, trial in trials.items()
    ]
    return sorted(out, key=lambda rule: -(rule.gained + rule.lost))
