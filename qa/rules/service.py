"""The life of a rule set: draft, submit, approve by a second person, in force."""

import asyncio

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database
from core.errors import ConflictError, DeniedError, NotFoundError
from core.ids import new_id
from core.models.call import Call
from core.models.qa import Finding, FindingVerdict
from core.models.rules import RuleSetRow, RuleSetState
from core.models.transcript import Transcript, TranscriptKind, TranscriptState
from core.ports.compliance import FindingKind
from core.security.actor import Actor
from qa.access import names_of
from qa.compliance.known import call_facts
from qa.compliance.rules import RuleSet, load_rules
from qa.rules import views
from qa.rules.book import active_row, next_number, rules_of
from qa.rules.edit import edited
from qa.rules.schemas import RulePrecision, RuleSetChangeRequest, RuleSetDetail, RuleSetView, TrialView
from qa.rules.trial import PastCall, try_rules
from qa.transcripts import as_segment, stored_segments


class RulesService:
    """Rule administration."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def versions(self, actor: Actor) -> list[RuleSetView]:
        """All versions, newest first."""
        async with self._database.read() as session:
            rows = (await session.scalars(select(RuleSetRow).order_by(col(RuleSetRow.number).desc()))).all()
            names = await names_of(session, {row.author_id for row in rows} | {row.decided_by for row in rows})
        return [views.row_view(row, names, actor) for row in rows]

    async def detail(self, actor: Actor, rule_set_id: str) -> RuleSetDetail:
        """One version with its rules, what differs from the active one, and what inspectors said of each rule."""
        async with self._database.read() as session:
            return await self._detail(session, actor, await _row(session, rule_set_id))

    async def draft(self, actor: Actor, copy_of: str | None) -> RuleSetDetail:
        """Begin a draft."""
        async with self._database.unit_of_work(actor) as work:
            source = await _row(work.session, copy_of) if copy_of else await active_row(work.session)
            if source is None:
                raise NotFoundError("there is no rule set to begin with", code="rules.not_found")
            now, number = work.clock.now(), await next_number(work.session)
            row = RuleSetRow(
                id=new_id("rules"),
                number=number,
                digest="",
                content=source.content,
                state=RuleSetState.DRAFT,
                author_id=actor.staff_id,
                created_at=now,
                changed_at=now,
            )
            row.digest = rules_of(row).digest
            work.session.add(row)
            work.audit("rules.draft", "rule_set", row.id, number=number, copy_of=source.number)
            await work.session.flush()
            return await self._detail(work.session, actor, row)

    async def change(self, actor: Actor, rule_set_id: str, request: RuleSetChangeRequest) -> RuleSetDetail:
        """Edit a draft.

        Raises:
            ConflictError: ``rules.not_a_draft``, ``rules.stale``. DeniedError: ``rules.not_yours``.
            BadInputError: ``rules.invalid``, ``rules.unknown_rule``.
        """
        async with self._database.unit_of_work(actor) as work:
            row = await _locked(work.session, rule_set_id, RuleSetState.DRAFT, "rules.not_a_draft", request.version)
            if row.author_id != actor.staff_id:  # else its first author could approve what is partly their own
                raise DeniedError("make a copy to edit somebody else's draft", code="rules.not_yours")
            before = row.digest
            row.content = await asyncio.to_thread(edited, row.content, request)
            row.digest = rules_of(row).digest
            row.note = row.note if request.note is None else request.note
            row.changed_at = work.clock.now()
            row.version += 1
            work.audit("rules.change", "rule_set", row.id, before=before, after=row.digest)
            return await self._detail(work.session, actor, row)

    async def submit(self, actor: Actor, rule_set_id: str, version: int, note: str) -> RuleSetDetail:
        """Ask for approval. ConflictError ``rules.not_a_draft``, ``rules.stale``."""
        async with self._database.unit_of_work(actor) as work:
            row = await _locked(work.session, rule_set_id, RuleSetState.DRAFT, "rules.not_a_draft", version)
            row.state, row.submitted_at = RuleSetState.SUBMITTED, work.clock.now()
            row.note = note or row.note
            row.version += 1
            work.audit("rules.submit", "rule_set", row.id, digest=row.digest)
            return await self._detail(work.session, actor, row)

    async def decide(self, actor: Actor, rule_set_id: str, version: int, note: str, *, approve: bool) -> RuleSetDetail:
        """Approve, which puts it in force at once, or reject. Running calls keep the rules they began with.

        Raises:
            ConflictError: ``rules.not_submitted``, ``rules.stale``.
            DeniedError: ``rules.own_draft``: the author never approves.
        """
        async with self._database.unit_of_work(actor) as work:
            session, now = work.session, work.clock.now()
            row = await _locked(session, rule_set_id, RuleSetState.SUBMITTED, "rules.not_submitted", version)
            if row.author_id is not None and row.author_id == actor.staff_id:
                raise DeniedError("a second person decides", code="rules.own_draft")
            row.decided_by, row.decided_at, row.decision_note = actor.staff_id, now, note
            row.version += 1
            if approve:
                active = await active_row(session)
                if active is not None:
                    active.state = RuleSetState.RETIRED
                    active.version += 1
                    await session.flush()  # the old one leaves before the new one enters
                row.activated_at = now
            row.state = RuleSetState.ACTIVE if approve else RuleSetState.REJECTED
            work.audit("rules.decide", "rule_set", row.id, digest=row.digest, approved=approve)
            return await self._detail(session, actor, row)

    async def trial(self, actor: Actor, rule_set_id: str, calls: int) -> TrialView:
        """Try a version on the newest transcribed calls, beside the rules in force."""
        async with self._database.unit_of_work(actor) as work:
            session = work.session
            row, active = await _row(session, rule_set_id), await active_row(session)
            past = [await _past_call(session, call) for call in await _newest_calls(session, calls)]
            said = await verdict_counts(session)
            work.audit("rules.trial", "rule_set", row.id, calls=len(past))
        draft, now = rules_of(row), rules_of(active) if active else load_rules()
        trials = await asyncio.to_thread(try_rules, draft, now, past)
        return TrialView(
            calls=len(past),
            active_number=active.number if active else 0,
            rules=views.trial_views(actor, draft, now, trials, said),
        )

    async def _detail(self, session: AsyncSession, actor: Actor, row: RuleSetRow) -> RuleSetDetail:
        active = await active_row(session)
        known: RuleSet | None = rules_of(active) if active is not None and active.id != row.id else None
        names = await names_of(session, {row.author_id, row.decided_by})
        return views.detail_view(row, names, actor, rules_of(row), known, await verdict_counts(session))


async def verdict_counts(session: AsyncSession) -> dict[str, RulePrecision]:
    """What inspectors said of every rule's findings."""
    query = (
        select(Finding.rule_id, Finding.kind, Finding.verdict, func.count())
        .where(col(Finding.verdict).is_not(None))
        .group_by(col(Finding.rule_id), col(Finding.kind), col(Finding.verdict))
    )
    counts: dict[str, dict[str, int]] = {}
    for rule_id, kind, verdict, number in (await session.execute(query)).all():
        name = "missing_rejected" if kind == FindingKind.MISSING else str(verdict)
        if kind != FindingKind.MISSING or verdict == FindingVerdict.REJECTED:
            mine = counts.setdefault(rule_id, {"confirmed": 0, "rejected": 0, "missing_rejected": 0})
            mine[name] += number
    return {rule_id: views.precision_of(**mine) for rule_id, mine in counts.items()}


async def _row(session: AsyncSession, rule_set_id: str) -> RuleSetRow:
    row = await session.get(RuleSetRow, rule_set_id)
    if row is None:
        raise NotFoundError("there is no such rule set", code="rules.not_found")
    return row


async def _locked(session: AsyncSession, rule_set_id: str, state: RuleSetState, code: str, version: int) -> RuleSetRow:
    row = await session.get(RuleSetRow, rule_set_id, with_for_update=True)
    if row is None:
        raise NotFoundError("there is no such rule set", code="rules.not_found")
    if row.state != state:
        raise ConflictError("the rule set is not in the state for this", code=code)
    if row.version != version:
        raise ConflictError("somebody changed it meanwhile", code="rules.stale")
    return row


async def _newest_calls(session: AsyncSession, count: int) -> list[Call]:
    heard = select(col(Transcript.call_id)).where(
        col(Transcript.kind) == TranscriptKind.FINAL, col(Transcript.state) == TranscriptState.READY
    )
    query = select(Call).where(col(Call.ended_at).is_not(None), col(Call.id).in_(heard))
    return list((await session.scalars(query.order_by(col(Call.ended_at).desc()).limit(count))).all())


async def _past_call(session: AsyncSession, call: Call) -> PastCall:
    rows = await stored_segments(session, [call.id], TranscriptKind.FINAL)
    judged = select(Finding.rule_id, Finding.at_s, Finding.verdict).where(
        col(Finding.call_id) == call.id, col(Finding.verdict).is_not(None), col(Finding.kind) != FindingKind.MISSING
    )
    verdicts = (await session.execute(judged)).all()
    return PastCall(
        call.id,
        [as_segment(row) for row in rows],
        await call_facts(session, call),
        tuple((rule_id, at_s, verdict == FindingVerdict.REJECTED) for rule_id, at_s, verdict in verdicts),
    )
