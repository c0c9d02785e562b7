"""Kind ``documents``: papers are photographed or uploaded and judged one by one: 真实, 完整, 有效."""

from typing import Any, Literal

from core.errors import BadInputError, ConflictError, NotFoundError
from core.models.case import CaseDocument, DocumentState
from server.counter.documents.shelf import documents_of, shown, take, tell
from server.counter.flows import Doer, Sentence
from server.counter.kind import (
    Action,
    Done,
    House,
    Inputs,
    Json,
    NoInputs,
    Outcome,
    PlainKind,
    Returned,
    Side,
    Stay,
    Step,
    StepKind,
)

MAX_OTHERS = 10


class Added(Inputs):
    """A stored document, handed in by the house after an upload."""

    document_id: str
    code: str


class Accept(Inputs):
    """The teller has checked all three."""

    document_id: str
    genuine: Literal[True]
    complete: Literal[True]
    valid: Literal[True]


class Return(Inputs):
    """What is wrong; the customer reads `note`."""

    document_id: str
    reason: Literal["not_genuine", "not_complete", "not_valid", "not_readable", "wrong_document"]
    note: Sentence


class DocumentsKind(PlainKind):
    """See the module."""

    async def act(self, step: Step, action: str, doer: Doer, inputs: Any) -> Outcome:
        if action == "add":
            await self._add(step, inputs)
            return Stay()
        if action == "done":
            await self._require_complete(step)
            return Done()
        row = await self._find(step, inputs.document_id)
        row.judged_by, row.judged_at = step.work.actor.name, step.now
        if action == "accept":
            row.state, row.reason, row.note = DocumentState.ACCEPTED, None, ""
            row.checks = {"genuine": True, "complete": True, "valid": True}
            tell(step.work, step, row)
            return Stay()
        row.state, row.reason, row.note = DocumentState.RETURNED, inputs.reason, inputs.note
        tell(step.work, step, row)
        return Returned(f"document.{inputs.reason}", inputs.note)

    async def _add(self, step: Step, inputs: Added) -> None:
        known = {spec.code for spec in step.flow.documents} | {"other"}
        if inputs.code not in known:
            raise BadInputError("this document is not asked for", code="document.unknown")
        there = await documents_of(step.work.session, step.case.row.id, step.this.row.key)
        if len(there) > len(known) + MAX_OTHERS:
            raise ConflictError("too many documents", code="document.too_many")
        await take(step, inputs.document_id)

    async def _find(self, step: Step, document_id: str) -> CaseDocument:
        for row in await documents_of(step.work.session, step.case.row.id, step.this.row.key):
            if row.id == document_id:
                return row
        raise NotFoundError("there is no such document", code="document.not_found")

    async def _require_complete(self, step: Step) -> None:
        rows = await documents_of(step.work.session, step.case.row.id, step.this.row.key)
        accepted = {row.code for row in rows if row.state == DocumentState.ACCEPTED}
        missing = [spec.code for spec in step.flow.documents if spec.required and spec.code not in accepted]
        open_ones = [row.code for row in rows if row.state == DocumentState.UPLOADED]
        if missing or open_ones:
            codes = missing + open_ones
            raise ConflictError("documents are missing or not judged", code="document.missing", codes=codes)

    async def view(self, step: Step, side: Side) -> Json:
        rows = await documents_of(step.work.session, step.case.row.id, step.this.row.key)
        handed_in = {row.code for row in rows if row.state != DocumentState.RETURNED}
        lacking = [spec.code for spec in step.flow.documents if spec.code not in handed_in]
        return {
            "wanted": [spec.model_dump(mode="json") for spec in step.flow.documents],
            "documents": [shown(row) for row in rows],
            "sharp": bool(lacking),
        }


def build(house: House) -> StepKind:
    """The kind."""
    teller: frozenset[Doer] = frozenset({"teller"})
    return DocumentsKind(
        "documents",
        doers=frozenset({"customer", "teller"}),
        actions={
            "add": Action(Added, frozenset({"system"})),
            "accept": Action(Accept, teller),
            "return": Action(Return, teller),
            "done": Action(NoInputs, teller),
        },
    )
