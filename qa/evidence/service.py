"""Verdicts on findings and corrections of transcripts."""

from collections.abc import Mapping
from dataclasses import asdict

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database
from core.errors import BadInputError, ConflictError, NotFoundError
from core.models.qa import Finding
from core.models.staff import Staff
from core.models.transcript import TranscriptCorrection, TranscriptSegment
from core.ports.speech import Party
from core.redaction import MASK, redact, uncover
from core.security.actor import Actor
from core.security.permissions import Permission
from qa.access import access_qa_call
from qa.evidence.error_rate import character_errors
from qa.evidence.schemas import (
    CallCorrections,
    CallVoiceView,
    CorrectionRequest,
    CorrectionView,
    PartyVoiceView,
    SilenceView,
    VerdictRequest,
    VerdictView,
)
from qa.evidence.voice import call_voice
from qa.search.service import index_call
from qa.shown import covered_call, sees_numbers
from qa.transcripts import as_segment, call_transcript


class EvidenceService:
    """An inspector at the evidence of one call."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def give_verdict(self, actor: Actor, finding_id: str, request: VerdictRequest) -> VerdictView:
        """Confirm or reject a finding, or take that back; it feeds the rule's measured precision.

        Raises:
            NotFoundError: ``finding.not_found``. DeniedError: ``qa.own_call``.
        """
        actor.require(Permission.QA_SCORE)
        async with self._database.unit_of_work(actor) as work:
            finding = await work.session.get(Finding, finding_id, with_for_update=True)
            if finding is None:
                raise NotFoundError("there is no such finding", code="finding.not_found")
            await access_qa_call(work.session, actor, finding.call_id)
            before = finding.verdict
            finding.verdict = request.verdict
            finding.verdict_by = actor.staff_id if request.verdict else None
            finding.verdict_at = work.clock.now() if request.verdict else None
            if before != request.verdict:
                work.audit(
                    "qa.verdict", "finding", finding_id, call_id=finding.call_id, before=before, after=request.verdict
                )
            name = await _name(work.session, finding.verdict_by)
        return VerdictView(
            finding_id=finding_id, verdict=request.verdict, verdict_by=name, verdict_at=finding.verdict_at
        )

    async def correct(self, actor: Actor, segment_id: str, request: CorrectionRequest) -> CorrectionView:
        """Keep what was really said beside the machine's text.

        Raises:
            NotFoundError: ``transcript.segment_not_found``. DeniedError: ``qa.own_call``.
            ConflictError: ``transcript.correction_stale``: somebody corrected it meanwhile.
            BadInputError: ``transcript.covered``: covered characters were added or removed.
        """
        actor.require(Permission.QA_SCORE)
        async with self._database.unit_of_work(actor) as work:
            segment = await _segment(work.session, actor, segment_id, lock=True)
            kept = await work.session.get(TranscriptCorrection, segment_id)
            if (kept.version if kept else 0) != request.version:
                raise ConflictError("somebody corrected this meanwhile", code="transcript.correction_stale")
            if actor.staff_id is None:
                raise BadInputError("only a person corrects a transcript")
            now = work.clock.now()
            before = kept.text if kept else segment.text
            text = request.text
            if not actor.may(Permission.CUSTOMER_NUMBERS) and MASK in text:
                said = (await covered_call(work.session, segment.call_id)).get(segment_id, (before, redact(before)))
                text = uncover(text, *said) or ""
                if not text:
                    raise BadInputError("write out covered numbers, or leave them all", code="transcript.covered")
            if kept is None:
                kept = TranscriptCorrection(
                    segment_id=segment_id,
                    call_id=segment.call_id,
                    text=text,
                    corrected_by=actor.staff_id,
                    corrected_at=now,
                )
                work.session.add(kept)
            else:
                kept.text, kept.corrected_by, kept.corrected_at = text, actor.staff_id, now
                kept.version += 1
            work.audit(
                "qa.correct_transcript",
                "transcript_segment",
                segment_id,
                call_id=segment.call_id,
                characters_before=len(before),
                characters_after=len(text),
            )
            await work.session.flush()
            await index_call(work, segment.call_id)
            shown = await covered_call(work.session, segment.call_id)
            return await _correction_view(work.session, actor, kept, shown)

    async def corrections(self, actor: Actor, call_id: str) -> CallCorrections:
        """All corrections of a call with the character errors they show.

        Raises:
            NotFoundError: ``call.not_found``. DeniedError: ``qa.own_call``.
        """
        async with self._database.read() as session:
            await access_qa_call(session, actor, call_id)
            rows = (
                await session.execute(
                    select(TranscriptCorrection, TranscriptSegment)
                    .join(TranscriptSegment, col(TranscriptSegment.id) == col(TranscriptCorrection.segment_id))
                    .where(col(TranscriptCorrection.call_id) == call_id)
                    .order_by(col(TranscriptSegment.start_s), col(TranscriptSegment.id))
                )
            ).all()
            shown = await covered_call(session, call_id)
            items = [await _correction_view(session, actor, correction, shown) for correction, _ in rows]
        counts = [character_errors(segment.text, correction.text) for correction, segment in rows]
        return CallCorrections(
            items=items,
            character_errors=sum(errors for errors, _ in counts),
            characters=sum(length for _, length in counts),
        )

    async def voice(self, actor: Actor, call_id: str) -> CallVoiceView:
        """How a call sounded: talk, pauses, answers, interruptions, words of feeling.

        Raises:
            NotFoundError: ``call.not_found``. DeniedError: ``qa.own_call`` and the like.
        """
        async with self._database.read() as session:
            call = await access_qa_call(session, actor, call_id)
            shown = await call_transcript(session, call_id)
        voice = call_voice([as_segment(row) for row in shown.rows])
        sides = {party: PartyVoiceView.model_validate(asdict(side)) for party, side in voice.parties.items()}
        return CallVoiceView(
            teller=sides[Party.TELLER],
            customer=sides[Party.CUSTOMER],
            silences=[SilenceView(start_s=start, end_s=end) for start, end in voice.silences],
            end_reason=call.end_reason,
        )


async def _segment(session: AsyncSession, actor: Actor, segment_id: str, *, lock: bool) -> TranscriptSegment:
    segment = await session.get(TranscriptSegment, segment_id, with_for_update=lock)
    if segment is None:
        raise NotFoundError("there is no such utterance", code="transcript.segment_not_found")
    await access_qa_call(session, actor, segment.call_id)
    return segment


async def _correction_view(
    session: AsyncSession, actor: Actor, row: TranscriptCorrection, shown: Mapping[str, tuple[str, str]]
) -> CorrectionView:
    # An utterance of an older transcript is judged by itself.
    _, covered = shown.get(row.segment_id, (row.text, redact(row.text)))
    return CorrectionView(
        segment_id=row.segment_id,
        text=row.text if sees_numbers(actor) else covered,
        corrected_by=await _name(session, row.corrected_by) or "",
        corrected_at=row.corrected_at,
        version=row.version,
    )


async def _name(session: AsyncSession, staff_id: str | None) -> str | None:
    person = await session.get(Staff, staff_id) if staff_id else None
    return person.display_name if person else None
