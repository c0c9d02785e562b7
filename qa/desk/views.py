"""Rows as the desk's pages see them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from core.models.call import Call
from core.models.chat import ChatMessage
from core.models.qa import Evaluation, Finding
from core.models.recording import Recording, RecordingFile
from core.models.transcript import TranscriptSegment
from core.security.actor import Actor
from qa.desk.repo import CallLine
from qa.desk.schemas import (
    AnswerView,
    ChatLine,
    CheckReasonView,
    ConditionView,
    DraftView,
    EvaluationView,
    FileView,
    FindingView,
    FormItemView,
    FormSectionView,
    FormView,
    GapView,
    HoldView,
    QaCallRow,
    RecordingView,
    SegmentView,
    ThumbnailView,
)
from qa.scoring.form import Fatal, Form
from qa.scoring.forms import form_version
from qa.scoring.stored import answers_from_json
from qa.shown import shown_findings, shown_segments, shown_talk


def row_view(line: CallLine) -> QaCallRow:
    """One line of the list."""
    return QaCallRow.model_validate(row_fields(line))


def row_fields(line: CallLine) -> dict[str, Any]:
    """The fields of a line, also part of the detail."""
    call, evaluation = line.call, line.evaluation
    began = call.connected_at or call.accepted_at
    return {
        "call_id": call.id,
        "number": call.number,
        "business_code": call.business_code,
        "channel": call.channel,
        "teller_name": line.teller.display_name if line.teller else "",
        "ended_at": call.ended_at,
        "duration_s": (call.ended_at - began).total_seconds() if call.ended_at and began else 0.0,
        "end_reason": call.end_reason,
        "recording_state": line.recording.state if line.recording else None,
        "recording_verdict": line.recording.verdict if line.recording else None,
        "transcript_state": line.transcript_state,
        "auto_score": float(evaluation.auto_score) if evaluation else None,
        "max_score": float(evaluation.max_score) if evaluation else None,
        "score": number(evaluation.score) if evaluation else None,
        "fatal": _fatal(evaluation),
        "evaluation_state": evaluation.state if evaluation else None,
        "flags": line.flags,
    }


def chat_views(actor: Actor, rows: Sequence[ChatMessage]) -> list[ChatLine]:
    """What was written, in order of time, with numbers covered for those who may not see them."""
    texts = shown_talk(actor, [(row.party, row.text) for row in rows])
    return [
        ChatLine.model_validate({"party": row.party, "kind": row.kind, "text": text, "at": row.at})
        for row, text in zip(rows, texts, strict=True)
    ]


def recording_view(recording: Recording) -> RecordingView:
    """State and gaps of the recording."""
    return RecordingView(
        state=recording.state,
        error=recording.error,
        started_at=recording.started_at,
        gaps=[GapView.model_validate(gap) for gap in recording.gaps],
        interrupted=recording.interrupted,
        reasons=[CheckReasonView.model_validate(one) for one in recording.file_check.get("reasons", [])],
    )


def hold_views(call: Call, recording: Recording | None) -> list[HoldView]:
    """The call's holds on its time line; none without a recording, which gives the time line its zero."""
    if recording is None:
        return []
    found = []
    for hold in call.holds:
        begin = datetime.fromisoformat(hold["from"] or "")
        end = datetime.fromisoformat(hold["to"]) if hold["to"] else call.ended_at or begin
        from_s, to_s = ((at - recording.started_at).total_seconds() for at in (begin, end))
        found.append(HoldView(from_s=round(max(0.0, from_s), 3), to_s=round(max(0.0, to_s), 3)))
    return found


def file_view(file: RecordingFile) -> FileView:
    """A playable file and where to play it."""
    url = f"/api/recordings/{file.id}"
    thumbnails = [
        ThumbnailView(
            at_s=round(file.offset_s + one["at_s"], 3),
            url=f"{url}/thumbnails/{number}",
            width=one["width"],
            height=one["height"],
        )
        for number, one in enumerate(file.thumbnails)
    ]
    return FileView.model_validate(
        {**file.model_dump(), "file_id": file.id, "url": f"{url}/media", "thumbnails": thumbnails},
    )


def segment_views(actor: Actor, rows: Sequence[TranscriptSegment], kind: str) -> list[SegmentView]:
    """Utterances as this actor may read them."""
    return [SegmentView.model_validate({**fields, "kind": kind}) for fields in shown_segments(actor, rows)]


def finding_views(actor: Actor, rows: Sequence[Finding], talk: Sequence[TranscriptSegment]) -> list[FindingView]:
    """Findings in a talk, as this actor may read them."""
    return [FindingView.model_validate(fields) for fields in shown_findings(actor, rows, talk)]


def form_view(form: Form) -> FormView:
    """The form to fill in."""
    sections = [
        FormSectionView(
            id=section.id,
            title_zh=section.label_zh,
            title_en=section.label_en,
            items=[
                FormItemView(
                    id=item.id,
                    title_zh=item.label_zh,
                    title_en=item.label_en,
                    hint_zh=item.hint_zh,
                    hint_en=item.hint_en,
                    weight=float(item.weight),
                    points=item.points,
                    bonus=item.bonus,
                    fatal=item.fatal is not Fatal.NONE,
                    fatal_scope=item.fatal.value,
                    may_skip=item.may_skip,
                    comment=item.comment.value,
                    when=ConditionView.model_validate(item.when.model_dump()) if item.when else None,
                )
                for item in section.items
            ],
        )
        for section in form.sections
    ]
    return FormView(
        version=form_version(form),
        title_zh=form.title_zh,
        title_en=form.title_en,
        pass_mark=float(form.pass_mark),
        sections=sections,
    )


def evaluation_view(evaluation: Evaluation, inspector_name: str | None) -> EvaluationView:
    """Pre-score and score side by side."""
    shown = evaluation.model_dump(exclude={"auto_answers", "answers", "draft"})
    return EvaluationView.model_validate(
        {
            **shown,
            "auto_answers": answer_views(evaluation.auto_answers),
            "answers": answer_views(evaluation.answers),
            "draft": draft_view(evaluation.draft),
            "inspector_name": inspector_name,
        }
    )


def hide_marks(evaluation: Evaluation) -> None:
    """Take an inspector's marks out of a row that is only read, for somebody who has to judge without them."""
    evaluation.answers, evaluation.draft, evaluation.comment = {}, {}, ""
    evaluation.score = evaluation.fatal = evaluation.inspector_id = None


def draft_view(draft: Mapping[str, Any]) -> DraftView | None:
    """What is typed but not submitted; None when nothing is."""
    if not draft:
        return None
    return DraftView(answers=answer_views(draft["answers"]), comment=draft["comment"], by=draft["by"])


def answer_views(stored: Mapping[str, object]) -> dict[str, AnswerView]:
    answers = answers_from_json(stored)
    return {
        item_id: AnswerView(fraction=number(answer.fraction), comment=answer.comment)
        for item_id, answer in answers.items()
    }


def number(value: Any) -> float | None:
    """A stored decimal for the wire."""
    return None if value is None else float(value)


def _fatal(evaluation: Evaluation | None) -> bool | None:
    """The inspector's word where there is one, else the machine's."""
    if evaluation is None:
        return None
    return evaluation.auto_fatal if evaluation.fatal is None else evaluation.fatal
