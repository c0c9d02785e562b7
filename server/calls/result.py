"""Progress and outcome of a finished call, read from the tables of the rooms that work on it."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database
from core.models.call import Call
from core.models.qa import ComplianceCheck, Evaluation, Finding
from core.models.recording import Recording, RecordingFile, RecordingState
from core.models.system import DeliveryState, EventDelivery, OutboxEvent
from core.models.transcript import Transcript, TranscriptKind, TranscriptSegment, TranscriptState
from core.redaction import hidden_pieces, hide, redact_talk
from core.security.actor import Actor
from core.security.permissions import Permission
from server.calls.rows import access_call_result
from server.calls.schemas import (
    CallResult,
    ResultEngines,
    ResultFinding,
    ResultRecording,
    ResultScore,
    ResultSegment,
    ResultStages,
    StageState,
)
from server.calls.states import ENDED

# Which job stands behind a stage; a failed or running delivery of it shows before there are rows.
_JOBS = {
    "recording": "recording.finalize",
    "transcript": "qa.transcribe",
    "compliance": "qa.check",
    "score": "qa.score",
}
_RECORDING: dict[str, StageState] = {
    RecordingState.CAPTURING: "running",
    RecordingState.CAPTURED: "running",
    RecordingState.FINALIZED: "done",
    RecordingState.FAILED: "failed",
    RecordingState.DELETED: "done",
}


def transcript_stage(states: Sequence[str]) -> StageState:
    """The stage from the states of the final transcripts."""
    if not states:
        return "waiting"
    if TranscriptState.FAILED in states:
        return "failed"
    if TranscriptState.RUNNING in states:
        return "running"
    return "done" if all(state == TranscriptState.READY for state in states) else "not_transcribed"


def with_job(stage: StageState, job: tuple[str, int] | None) -> StageState:
    """What a job's delivery ``(state, attempts)`` adds to a stage that its rows do not show yet."""
    if stage not in ("waiting", "running") or job is None:
        return stage
    if job[0] == DeliveryState.FAILED:
        return "failed"
    return "running" if job[0] == DeliveryState.PENDING and job[1] > 0 else stage


class ResultReader:
    """Reads results; writes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def result(self, actor: Actor, call_id: str) -> CallResult:
        """The result of a call.

        Raises:
            NotFoundError: ``call.not_found``.
        """
        async with self._database.read() as session:
            call = await access_call_result(session, actor, call_id)
            return await self._read(
                session, call, actor.may(Permission.QA_VIEW), numbers=actor.may(Permission.CUSTOMER_NUMBERS)
            )

    async def _read(self, session: AsyncSession, call: Call, everything: bool, numbers: bool) -> CallResult:
        recording = (await session.scalars(select(Recording).where(col(Recording.call_id) == call.id))).first()
        transcripts = (await session.scalars(select(Transcript).where(col(Transcript.call_id) == call.id))).all()
        final = [transcript for transcript in transcripts if transcript.kind == TranscriptKind.FINAL]
        newest = select(ComplianceCheck.id).where(col(ComplianceCheck.call_id) == call.id)
        newest = newest.order_by(col(ComplianceCheck.checked_at).desc(), col(ComplianceCheck.id).desc()).limit(1)
        check_id = (await session.scalars(newest)).first()
        segments, secrets = await _segments(session, final, numbers)
        evaluation = (await session.scalars(select(Evaluation).where(col(Evaluation.call_id) == call.id))).first()
        jobs = await _jobs(session, call.id)
        rows: dict[str, StageState] = {
            "recording": _RECORDING[recording.state] if recording else "waiting",
            "transcript": transcript_stage([transcript.state for transcript in final]),
            "compliance": "done" if check_id else "waiting",
            "score": "done" if evaluation else "waiting",
        }
        stages: dict[str, str] = {
            name: with_job(stage, _state_of(jobs.get(_JOBS[name]))) for name, stage in rows.items()
        }
        if recording is None and call.state in ENDED:
            stages["recording"] = "none"
        errors = [recording.error if recording else None, *(transcript.error for transcript in final)]
        errors += [jobs[handler].error for handler in _JOBS.values() if handler in jobs]
        return CallResult(
            call_id=call.id,
            state=call.state,
            ended=call.state in ENDED,
            end_reason=call.end_reason,
            stages=ResultStages.model_validate(stages),
            error=next((error for error in errors if error), None) if everything else None,
            recordings=await _files(session, call.id) if everything else [],
            transcript=segments if everything else [],
            findings=await _findings(session, check_id, numbers, secrets) if everything and check_id else [],
            score=ResultScore(auto=float(evaluation.auto_score), max=float(evaluation.max_score))
            if everything and evaluation
            else None,
            engines=ResultEngines(live=_engine(transcripts, "live"), final=_engine(transcripts, "final")),
        )


def _state_of(delivery: EventDelivery | None) -> tuple[str, int] | None:
    return (delivery.state, delivery.attempts) if delivery else None


def _engine(transcripts: Sequence[Transcript], kind: str) -> str | None:
    return next(
        (transcript.engine for transcript in transcripts if transcript.kind == kind and transcript.engine), None
    )


async def _jobs(session: AsyncSession, call_id: str) -> dict[str, EventDelivery]:
    query = (
        select(EventDelivery)
        .join(OutboxEvent, col(OutboxEvent.event_id) == col(EventDelivery.event_id))
        .where(col(OutboxEvent.call_id) == call_id, col(EventDelivery.handler).in_(list(_JOBS.values())))
        .order_by(col(OutboxEvent.seq))
    )
    return {delivery.handler: delivery for delivery in (await session.scalars(query)).all()}


async def _files(session: AsyncSession, call_id: str) -> list[ResultRecording]:
    query = (
        select(RecordingFile)
        .where(col(RecordingFile.call_id) == call_id)
        .order_by(col(RecordingFile.party), col(RecordingFile.track))
    )
    return [
        ResultRecording(
            party=file.party,
            track=file.track,
            file_id=file.id,
            duration_s=file.duration_s,
            video_codec=file.video_codec,
            audio_codec=file.audio_codec,
            sha256=file.sha256,
        )
        for file in (await session.scalars(query)).all()
    ]


async def _segments(
    session: AsyncSession, transcripts: Sequence[Transcript], numbers: bool
) -> tuple[list[ResultSegment], set[str]]:
    """What was said, and what of it is covered."""
    query = (
        select(TranscriptSegment)
        .where(col(TranscriptSegment.transcript_id).in_([transcript.id for transcript in transcripts]))
        .order_by(col(TranscriptSegment.start_s), col(TranscriptSegment.party))
    )
    rows = (await session.scalars(query)).all()
    texts = {row.id: row.text for row in rows}
    secrets: set[str] = set()
    if not numbers:
        texts = dict(zip(texts, redact_talk((row.party, row.text) for row in rows), strict=True))
        secrets = {piece for row in rows for piece in hidden_pieces(row.text, texts[row.id])}
    shown = [ResultSegment(party=row.party, start_s=row.start_s, end_s=row.end_s, text=texts[row.id]) for row in rows]
    return shown, secrets


async def _findings(session: AsyncSession, check_id: str, numbers: bool, secrets: set[str]) -> list[ResultFinding]:
    query = select(Finding).where(col(Finding.check_id) == check_id).order_by(col(Finding.at_s), col(Finding.rule_id))
    return [
        ResultFinding(
            id=row.rule_id,
            kind=row.kind,
            party=row.party,
            at_s=row.at_s,
            score=row.score,
            evidence=row.evidence if numbers else hide(row.evidence, secrets),
            phrase=row.phrase if numbers else hide(row.phrase, secrets),
        )
        for row in (await session.scalars(query)).all()
    ]
