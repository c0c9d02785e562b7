"""Reading the desk's list and one call from the tables."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from core.models.call import Call
from core.models.qa import ComplianceCheck, Evaluation, Finding
from core.models.recording import Recording
from core.models.staff import Staff
from core.models.transcript import TranscriptKind
from core.ports.compliance import FindingKind
from qa.access import has_had_call, too_close
from qa.sampling.share import Inspector
from qa.transcripts import newest_transcripts, state_of

PAGE_SIZE = 20
_FLAG_KINDS = (FindingKind.MISSING, FindingKind.FORBIDDEN, FindingKind.DANGER, FindingKind.COMPLAINT)


@dataclass(frozen=True, slots=True)
class CallFilter:
    """What the list shows; empty text means all.

    Attributes:
        flag: A kind (``forbidden``) or a kind with its rule (``forbidden:promise_return``).
        not_for: Calls that this inspector may not inspect (own work, own team, conflicts) are left out.
    """

    state: str = ""
    business: str = ""
    flag: str = ""
    not_for: Inspector | None = None


@dataclass(frozen=True, slots=True)
class CallLine:
    """Rows of one line of the list."""

    call: Call
    teller: Staff | None
    recording: Recording | None
    evaluation: Evaluation | None
    transcript_state: str
    flags: list[str]


async def count_calls(session: AsyncSession, wanted: CallFilter) -> int:
    """Number of calls in the whole list."""
    return int((await session.scalar(select(func.count()).select_from(_filtered(wanted).subquery()))) or 0)


async def page_of_calls(session: AsyncSession, wanted: CallFilter, page: int) -> list[CallLine]:
    """One page of the list, newest first; pages count from 1."""
    newest_first = _filtered(wanted).order_by(col(Call.ended_at).desc(), col(Call.id).desc())
    ids = (await session.scalars(newest_first.limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE))).all()
    return await lines(session, ids)


async def lines(session: AsyncSession, call_ids: Sequence[str]) -> list[CallLine]:
    """The lines of these calls, in this order."""
    query = (
        select(Call, Staff, Recording, Evaluation)
        .outerjoin(Staff, col(Staff.id) == col(Call.teller_id))
        .outerjoin(Recording, col(Recording.call_id) == col(Call.id))
        .outerjoin(Evaluation, col(Evaluation.call_id) == col(Call.id))
        .where(col(Call.id).in_(call_ids))
    )
    rows = {row[0].id: row for row in (await session.execute(query)).all()}
    transcripts = await newest_transcripts(session, call_ids, TranscriptKind.FINAL)
    flags: dict[str, list[str]] = {}
    for finding in await newest_findings(session, call_ids):
        name = f"{finding.kind}:{finding.rule_id}"
        if finding.kind in _FLAG_KINDS and name not in flags.setdefault(finding.call_id, []):
            flags[finding.call_id].append(name)
    return [
        CallLine(*rows[call_id], state_of(transcripts.get(call_id, [])), flags.get(call_id, [])) for call_id in call_ids
    ]


async def newest_findings(session: AsyncSession, call_ids: Sequence[str]) -> list[Finding]:
    """Findings of each call's newest check: in order of time, then what is missing."""
    query = (
        select(Finding)
        .where(col(Finding.call_id).in_(call_ids), col(Finding.check_id).in_(newest_checks()))
        .order_by(col(Finding.at_s).asc().nulls_last(), col(Finding.id))
    )
    return list((await session.scalars(query)).all())


def newest_checks() -> SelectOfScalar[str]:
    """Ids of the checks that no later check of the same call has replaced."""
    later = ComplianceCheck.__table__.alias("later")  # type: ignore[attr-defined]
    replaced = select(later.c.id).where(
        later.c.call_id == col(ComplianceCheck.call_id),
        func.row(later.c.checked_at, later.c.id) > func.row(col(ComplianceCheck.checked_at), col(ComplianceCheck.id)),
    )
    return select(col(ComplianceCheck.id)).where(~replaced.exists())


def _filtered(wanted: CallFilter) -> SelectOfScalar[str]:
    query = (
        select(col(Call.id))
        .outerjoin(Evaluation, col(Evaluation.call_id) == col(Call.id))
        .where(col(Call.ended_at).is_not(None), col(Call.accepted_at).is_not(None))
    )
    if wanted.not_for is not None:
        close = select(col(Staff.id)).where(has_had_call(), too_close(wanted.not_for)).correlate(Call)
        query = query.where(~close.exists())
    if wanted.business:
        query = query.where(col(Call.business_code) == wanted.business)
    if wanted.state:
        query = query.where(_in_state(wanted.state))
    if wanted.flag:
        query = query.where(_has_flag(wanted.flag))
    return query


def _in_state(state: str) -> ColumnElement[bool]:
    if state == "waiting":
        return col(Evaluation.id).is_(None)
    return col(Evaluation.state) == state


def _has_flag(flag: str) -> ColumnElement[bool]:
    kind, _, rule_id = flag.partition(":")
    hit = and_(
        col(Finding.call_id) == col(Call.id),
        col(Finding.kind) == kind,
        col(Finding.check_id).in_(newest_checks()),
    )
    if rule_id:
        hit = and_(hit, col(Finding.rule_id) == rule_id)
    return select(col(Finding.id)).where(hit).exists()
