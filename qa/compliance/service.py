"""The authoritative script check of a finished call: transcript in, findings stored."""

import asyncio
import hashlib
from dataclasses import dataclass

from sqlalchemy.dialects.postgresql import insert

from core.db import Database, UnitOfWork
from core.errors import NotFoundError
from core.events import ComplianceChecked, TranscriptReady
from core.ids import new_id
from core.jobs import Subscription
from core.models.call import Call
from core.models.qa import ComplianceCheck, Finding
from core.models.transcript import TranscriptKind, TranscriptState
from core.ports.compliance import RuleFinding
from core.ports.speech import Segment
from core.security.actor import system_actor
from qa.compliance.engine import check
from qa.compliance.facts import CallFacts
from qa.compliance.known import call_facts
from qa.compliance.rules import RuleSet
from qa.rules.book import FixedRules, RuleSource
from qa.transcripts import as_segment, newest_transcripts, state_of, stored_segments


@dataclass(frozen=True, slots=True)
class _Material:
    segments: list[Segment]
    facts: CallFacts


def rule_set_version(rule_set: RuleSet) -> str:
    """Name, version and content digest: what judged a call can be proved later."""
    return f"{rule_set.id}-{rule_set.version}-{rule_set.digest[:12]}"


class ComplianceService:
    """Checks calls whose final transcript is ready."""

    def __init__(self, database: Database, rules: RuleSet | RuleSource) -> None:
        self._database = database
        self._rules = FixedRules(rules) if isinstance(rules, RuleSet) else rules

    async def on_transcript_ready(self, event: TranscriptReady) -> None:
        """Check the call once per event. A call without transcript is left to the desk, marked as such."""
        material = await self._load(event.call_id) if event.transcribed else None
        if material is None:
            return
        rule_set = await self._rules.current()
        findings = await asyncio.to_thread(check, rule_set, material.segments, material.facts)
        async with self._database.unit_of_work(system_actor("qa.check")) as work:
            await self._store(work, event, rule_set, findings)

    async def _load(self, call_id: str) -> _Material | None:
        """None unless both sides are transcribed: half a dialogue would miss every node of the other half."""
        async with self._database.read() as session:
            call = await session.get(Call, call_id)
            if call is None:
                raise NotFoundError("there is no such call", code="call.not_found")
            newest = await newest_transcripts(session, [call_id], TranscriptKind.FINAL)
            if state_of(newest.get(call_id, [])) != TranscriptState.READY:
                return None
            rows = await stored_segments(session, [call_id], TranscriptKind.FINAL)
            facts = await call_facts(session, call)
        return _Material([as_segment(row) for row in rows], facts)

    async def _store(
        self, work: UnitOfWork, event: TranscriptReady, rule_set: RuleSet, findings: tuple[RuleFinding, ...]
    ) -> None:
        # The id follows from the event: a handler that runs again, even at the same time, finds its check stored.
        check_id = f"check_{hashlib.sha256(event.event_id.encode()).hexdigest()[:26]}"
        row = insert(ComplianceCheck).values(
            id=check_id,
            call_id=event.call_id,
            rule_set_version=rule_set_version(rule_set),
            checked_at=work.clock.now(),
        )
        stored = await work.session.execute(row.on_conflict_do_nothing().returning(ComplianceCheck.id))  # type: ignore[call-overload]
        if stored.first() is None:
            return
        work.session.add_all(_row(finding, check_id, event.call_id) for finding in findings)
        work.emit(ComplianceChecked(at=work.clock.now(), call_id=event.call_id, check_id=check_id))


def subscriptions(service: ComplianceService) -> list[Subscription]:
    """Facts this part handles as jobs."""
    return [Subscription(TranscriptReady, "qa.check", service.on_transcript_ready)]


def _row(finding: RuleFinding, check_id: str, call_id: str) -> Finding:
    return Finding(
        id=new_id("finding"),
        check_id=check_id,
        call_id=call_id,
        rule_id=finding.rule_id,
        kind=finding.kind,
        severity=finding.severity,
        label_zh=finding.label_zh,
        label_en=finding.label_en,
        party=finding.party,
        at_s=finding.at_s,
        end_s=finding.end_s,
        score=finding.score,
        evidence=finding.evidence,
        phrase=finding.phrase,
    )
