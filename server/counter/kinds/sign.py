"""Kind ``sign``: the customer reads the filled document on the own screen and signs by hand; a guardian too.

Waits twice: ``sign.preparing`` while the document is made, ``sign.sealing`` while it is sealed.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from core.errors import BadInputError, ConflictError
from core.events import SigningWanted
from core.ids import new_id
from core.models.signing import Signature, SignedDocument, SignedDocumentState
from server.counter.consents import add_consent, worded
from server.counter.flows import Doer
from server.counter.kind import (
    Action,
    Config,
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
    Waiting,
)
from server.counter.signing.ink import Strokes, ink_digest, ink_problem
from server.counter.signing.papers import mask_name
from server.counter.wordings import current_wording

_LINE = r"^[^\x00-\x1f\u202a-\u202e\u2066-\u2069]*$"
PREPARING, SEALING = "sign.preparing", "sign.sealing"


class SignConfig(Config):
    """Whose businesses need a guardian's signature as well."""

    guardian_for: tuple[Literal["minor", "elderly", "guarded"], ...] = ("minor",)


class Sign(Inputs):
    """A signature under exactly the document that was on the screen.

    Attributes:
        name: Of a guardian; the customer's is known.
    """

    role: Literal["customer", "guardian"]
    document_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    wording_version: Annotated[str, Field(max_length=64)]
    strokes: Strokes
    name: Annotated[str, StringConstraints(max_length=50, pattern=r"^[^\x00-\x1f]*$", strip_whitespace=True)] = ""


class Interpreter(Inputs):
    """Who put the document into the customer's own language or read it to them; it is written into the document.

    Attributes:
        language: E.g. 手语, 粤语, 代读.
    """

    name: Annotated[str, StringConstraints(min_length=1, max_length=50, pattern=_LINE, strip_whitespace=True)]
    language: Annotated[str, StringConstraints(min_length=1, max_length=30, pattern=_LINE, strip_whitespace=True)]


class Decline(Inputs):
    """The customer does not sign."""

    note: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")] = ""


@dataclass(frozen=True, slots=True)
class SignKind(PlainKind):
    """See the module."""

    house: House | None = None

    async def begin(self, step: Step) -> Outcome:
        return self._want(step, "prepare", _kept(step))

    async def act(self, step: Step, action: str, doer: Doer, inputs: Any) -> Outcome:
        match action:
            case "prepare":
                await self.undo(step)
                return self._want(step, "prepare", _kept(step))
            case "interpreter":
                await self.undo(step)
                return self._want(step, "prepare", {"interpreter": inputs.model_dump()})
            case "decline":
                return Returned("sign.declined", inputs.note)
            case _:
                return await self._signed(step, inputs)

    async def resume(self, step: Step, answer: Json) -> Outcome:
        if "failed" in answer:
            return Returned("sign.failed", "", step.this.result)
        if "document" in answer:
            return Stay({**_kept(step), "document": answer["document"], "signed": []})
        return Done({**step.this.result, **answer})

    async def undo(self, step: Step) -> None:
        document = await self._document(step)
        if document is not None:
            document.state = SignedDocumentState.WITHDRAWN

    async def _signed(self, step: Step, inputs: Sign) -> Outcome:
        assert self.house is not None
        document = await self._document(step)
        if document is None or document.sha256 != inputs.document_sha256:
            raise ConflictError("another document was on the screen", code="sign.other_document")
        signed: list[str] = step.this.result["signed"]
        if inputs.role != _next_role(signed, document.signers):
            raise ConflictError("this person does not sign now", code="sign.not_your_turn")
        worded("signature", inputs.wording_version, True)
        problem = ink_problem(inputs.strokes)
        if problem is not None:
            raise BadInputError("this is no signature", code=f"sign.{problem}")
        name = _customer_name(step) if inputs.role == "customer" else inputs.name
        if not name:
            raise BadInputError("a guardian's name is needed", code="sign.name_missing")
        await self._store(step, document, inputs, name)
        result = {**step.this.result, "signed": [*signed, inputs.role]}
        if len(result["signed"]) < document.signers:
            return Stay(result)
        return self._want(step, "seal", result)

    async def _store(self, step: Step, document: SignedDocument, inputs: Sign, name: str) -> None:
        assert self.house is not None
        work, now, wording = step.work, step.now, current_wording("signature")
        consent = add_consent(work, step.call.visit_id, step.call.language, wording, True)
        await work.session.flush()
        recording = step.case.scene.recording
        row = Signature(
            id=new_id("sig"),
            document_id=document.id,
            role=inputs.role,
            masked_name=mask_name(name),
            sealed_ink=b"",
            ink_sha256=ink_digest(inputs.strokes),
            document_sha256=document.sha256,
            consent_id=consent.id,
            call_s=round((now - recording.started_at).total_seconds(), 3) if recording else None,
            at=now,
        )
        row.sealed_ink = self.house.sealer.seal({"strokes": inputs.strokes, "name": name}, row.id)
        work.session.add(row)
        work.audit(
            "sign.signature",
            "signed_document",
            document.id,
            call_id=step.call.id,
            role=inputs.role,
            document_sha256=document.sha256,
            ink_sha256=row.ink_sha256,
            consent_id=consent.id,
        )

    async def _document(self, step: Step) -> SignedDocument | None:
        known = step.this.result.get("document")
        found = await step.work.session.get(SignedDocument, known["id"]) if known else None
        return found if found is not None and found.state == SignedDocumentState.READY else None

    def _want(self, step: Step, stage: Literal["prepare", "seal"], result: Json) -> Outcome:
        row = step.this.row
        step.work.emit(
            SigningWanted(
                at=step.now,
                call_id=step.call.id,
                case_id=step.case.row.id,
                step=row.key,
                attempt=row.attempts,
                stage=stage,
            )
        )
        return Waiting(PREPARING if stage == "prepare" else SEALING, result)

    async def view(self, step: Step, side: Side) -> Json:
        result, document = step.this.result, step.this.result.get("document")
        if document is None:
            return _kept(step)
        signed = result.get("signed", [])
        told: Json = {
            "signed": signed,
            "signers": document["signers"],
            "turn": _next_role(signed, document["signers"]),
            "code": document["code"],
            "document_id": document["id"],
            **_kept(step),
        }
        if side == "teller":
            return told
        wording = current_wording("signature")
        return told | {
            "document_sha256": document["sha256"],
            "wording_version": wording.version,
            "wording_zh": wording.text_zh,
            "wording_en": wording.text_en,
        }


def signers_needed(config: SignConfig, customer_class: str | None) -> int:
    """Two where a guardian has to sign as well."""
    return 2 if customer_class in config.guardian_for else 1


def _kept(step: Step) -> Json:
    """What outlives a document that is made anew."""
    return {key: step.this.result[key] for key in ("interpreter",) if key in step.this.result}


def _next_role(signed: list[str], signers: int) -> str | None:
    roles = ("customer", "guardian")[:signers]
    return next((role for role in roles if role not in signed), None)


def _customer_name(step: Step) -> str:
    for result in step.case.results("form"):
        name = result.get("values", {}).get("name")
        if name:
            return str(name)
    return "客户"


def build(house: House) -> StepKind:
    """For `server.counter.kinds`."""
    customer: frozenset[Doer] = frozenset({"customer"})
    actions = {
        "sign": Action(Sign, customer),
        "decline": Action(Decline, customer),
        "prepare": Action(NoInputs, frozenset({"teller"})),
        "interpreter": Action(Interpreter, frozenset({"teller"})),
    }
    return SignKind("sign", SignConfig, customer, actions, house)
