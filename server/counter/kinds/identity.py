"""Kind ``identity``: who the customer is, from the ID card, the register, the face, the phone and questions.

The customer hands in pictures; a job reads them. The teller looks at what was read, corrects it and asks for checks;
whatever fails stops the business or sends it back. The teller's own look at the person has the last word. A face is
photographed and compared only with the customer's own consent to that; who refuses or takes it back answers questions.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from core.errors import BadInputError, ConflictError
from server.counter.consents import add_consent, face_word, forget_faces, worded
from server.counter.documents.shelf import documents_of, shown, take
from server.counter.flows import Doer, Sentence
from server.counter.id_card import ID_FIELDS_BACK, ID_FIELDS_FRONT, birth_of, customer_class, id_number_problem
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
    Stopped,
    Waiting,
)
from server.counter.who.codes import CodeBook
from server.counter.who.face_consent import FaceConsent, face_consent_view, ways, without_face
from server.counter.who.rules import FACE_TRIES, FACES, SURE, judge, merged_fields, missing, outstanding, refusal

MAX_SENDS = 3
CHINA_OFFSET_H = 8


class IdentityConfig(Config):
    """What is needed. `level`: reached when the step is done."""

    level: Annotated[int, Field(ge=1, le=3)] = 2
    face: bool = True
    phone: bool = False
    challenge: bool = False


class Added(Inputs):
    """A stored picture, handed in by the house after an upload."""

    document_id: str
    code: Literal["id_front", "id_back", "face"]


class Correct(Inputs):
    """Fields as the teller reads them on the card."""

    fields: dict[str, Annotated[str, StringConstraints(max_length=100)]] = Field(max_length=9)


class AskPicture(Inputs):
    """Let the customer's page take this picture now."""

    code: Literal["id_front", "id_back", "face"]


class Return(Inputs):
    """Which picture to take again, and why."""

    code: Literal["id_front", "id_back", "face"]
    note: Sentence


class Refuse(Inputs):
    """Why the teller does not believe it."""

    note: Sentence


class Code(Inputs):
    """The one-time code the customer typed. It is compared and forgotten."""

    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]


class Answers(Inputs):
    """Answers to the challenge questions, by key."""

    answers: dict[str, Annotated[str, StringConstraints(max_length=60)]] = Field(max_length=10)


def _fresh() -> Json:
    empty: Json = {name: {} for name in ("documents", "read", "fields", "registry", "face", "phone", "challenge")}
    return {**empty, "changes": [], "pending": [], "checks": [], "asked": None, "verified": False, "problem": None}


@dataclass(frozen=True, slots=True)
class IdentityKind(PlainKind):
    """See the module."""

    codes: CodeBook | None = None

    async def begin(self, step: Step) -> Outcome:
        result = step.this.result
        if result.get("accepted") and step.this.row.reason != "step.reopened":
            return self._done(step, result)
        return Stay(result={**(result or _fresh()), "accepted": False, "pending": []})

    async def act(self, step: Step, action: str, doer: Doer, inputs: Any) -> Outcome:
        result = {**_fresh(), **step.this.result}
        return await getattr(self, f"_{action}")(step, result, inputs)  # type: ignore[no-any-return]

    # --- what people do ------------------------------------------------------------------------------------------

    async def _add(self, step: Step, result: Json, inputs: Added) -> Outcome:
        if inputs.code == "face" and not await face_word(step.work.session, step.call.visit_id):
            raise ConflictError("the customer has not agreed to a picture of the face", code="consent.face_required")
        await take(step, inputs.document_id)
        result["documents"] = {**result["documents"], inputs.code: inputs.document_id}
        result["asked"] = None
        result["verified"] = False
        if inputs.code == "face":
            result["face"] = {"tries": result["face"].get("tries", 0)}
            return self._settled(result)
        result["registry"] = {}
        return self._ask(step, result, "read", inputs.document_id)

    async def _ask_picture(self, step: Step, result: Json, inputs: AskPicture) -> Outcome:
        count = (result["asked"] or {}).get("count", 0) + 1
        return self._settled({**result, "asked": {"code": inputs.code, "count": count}})

    async def _return(self, step: Step, result: Json, inputs: Return) -> Outcome:
        result["documents"] = {code: ref for code, ref in result["documents"].items() if code != inputs.code}
        result["verified"] = False
        return Returned(f"identity.retake_{inputs.code}", inputs.note, result)

    async def _correct(self, step: Step, result: Json, inputs: Correct) -> Outcome:
        known = {*ID_FIELDS_FRONT, *ID_FIELDS_BACK}
        if not set(inputs.fields) <= known:
            raise BadInputError("the card has no such field", code="input.invalid")
        changes = list(result["changes"])
        for name, value in inputs.fields.items():
            if result["fields"].get(name) != value:
                old = result["fields"].get(name)
                changes.append({"field": name, "from": old, "to": value, "at": step.now.isoformat()})
        result |= {"fields": {**result["fields"], **inputs.fields}, "changes": changes[-50:], "verified": False}
        return Stay(result={**result, "registry": {}})

    async def _verify(self, step: Step, result: Json, inputs: NoInputs) -> Outcome:
        face, _ = await ways(step)
        lacking = missing(result, face)
        if lacking:
            raise ConflictError("something is missing", code="identity.incomplete", missing=lacking)
        claims = [form["values"] for form in step.case.results("form")]
        result["checks"] = judge(result["fields"], claims, _today(step))
        problem = refusal(result["checks"])
        if problem is not None:
            reason, is_final = problem
            return Stopped(reason, result=result) if is_final else Returned(reason, result=result)
        result["verified"] = True
        questions = [("registry", step.config.level >= 2), ("face", face)]
        asked = [name for name, needed in questions if needed and result[name].get("verdict") != "match"]
        for name in asked:
            self._ask(step, result, name, "")
        return self._settled(result)

    async def _consent_face(self, step: Step, result: Json, inputs: FaceConsent) -> Outcome:
        if not step.config.face:
            raise ConflictError("no face is compared here", code="step.unknown_action")
        wording = worded("face", inputs.wording_version, inputs.granted)
        add_consent(step.work, step.call.visit_id, step.call.language, wording, inputs.granted)
        if inputs.granted:
            return self._settled(result)
        await forget_faces(step.work, step.call.visit_id)
        return self._settled(without_face(result))

    async def _send_code(self, step: Step, result: Json, inputs: NoInputs) -> Outcome:
        sends = result["phone"].get("sends", 0)
        if sends >= MAX_SENDS:
            raise ConflictError("no more codes in this business", code="identity.too_many_codes")
        if _phone_of(step) is None:
            raise ConflictError("no phone number is known", code="identity.no_phone")
        if not result["verified"]:  # whose number on file it has to be is known from the checked card
            raise ConflictError("the card is not checked yet", code="identity.incomplete", missing=["card"])
        assert self.codes is not None
        row = self.codes.make(step.work, step.case.row.id, step.now)
        result["phone"] = {"sends": sends + 1, "state": "sending"}
        return self._ask(step, result, "phone", row.id)

    async def _enter_code(self, step: Step, result: Json, inputs: Code) -> Outcome:
        assert self.codes is not None
        row = await self.codes.newest(step.work, step.case.row.id)
        if row is None or result["phone"].get("state") != "sent":
            raise ConflictError("no code was sent", code="identity.no_code")
        if self.codes.matches(row, inputs.code, step.now):
            return Stay(result={**result, "phone": {**result["phone"], "verdict": "match", "state": "confirmed"}})
        result["phone"] = {**result["phone"], "tries_left": row.tries_left}
        if step.now > row.expires_at:
            return Returned("identity.code_expired", result=result)
        if row.tries_left <= 0:
            return Stopped("identity.code_wrong", result=result)
        return Returned("identity.code_wrong", result=result)

    async def _ask_challenge(self, step: Step, result: Json, inputs: NoInputs) -> Outcome:
        if not result["verified"]:
            raise ConflictError("the card is not checked yet", code="identity.incomplete", missing=["card"])
        return self._ask(step, result, "challenge", "")

    async def _answer(self, step: Step, result: Json, inputs: Answers) -> Outcome:
        questions = {question["key"]: question["choices"] for question in result["challenge"].get("questions", ())}
        if not questions or "verdict" in result["challenge"]:
            raise ConflictError("nothing was asked", code="identity.no_questions")
        if set(inputs.answers) != set(questions) or any(
            answer not in questions[key] for key, answer in inputs.answers.items()
        ):
            raise BadInputError("every question has one of its answers", code="input.invalid")
        result["challenge"] = {**result["challenge"], "answers": inputs.answers}
        return self._ask(step, result, "answers", "")

    async def _refuse(self, step: Step, result: Json, inputs: Refuse) -> Outcome:
        return Stopped("identity.refused", inputs.note, result)

    async def _accept(self, step: Step, result: Json, inputs: NoInputs) -> Outcome:
        lacking = await self._outstanding(step, result)
        if lacking:
            raise ConflictError("the identity is not established", code="identity.incomplete", missing=lacking)
        return self._done(step, {**result, "accepted": True})

    # --- answers -------------------------------------------------------------------------------------------------

    async def resume(self, step: Step, answer: Json) -> Outcome:
        result = {**_fresh(), **step.this.result}
        asked = f"{answer['question']}:{answer['ref']}"
        if asked not in result["pending"]:
            return self._settled(result)
        result["pending"] = [question for question in result["pending"] if question != asked]
        if answer.get("down"):
            if answer["question"] == "phone":
                result["phone"] = {**result["phone"], "state": "failed"}
            return self._settled(result, f"identity.{answer['question']}_unavailable")
        return getattr(self, f"_got_{answer['question']}")(step, result, answer)  # type: ignore[no-any-return]

    def _got_read(self, step: Step, result: Json, answer: Json) -> Outcome:
        code = next((code for code, ref in result["documents"].items() if ref == answer["ref"]), None)
        if code is None:  # replaced by a newer picture meanwhile
            return self._settled(result)
        face = FACES[code]
        result["read"] = {**result["read"], face: answer["fields"]}
        result["fields"] = merged_fields(result, face)
        if not answer["fields"]:
            result["documents"] = {each: ref for each, ref in result["documents"].items() if each != code}
            return self._settled(result, f"identity.retake_{code}")
        return self._settled(result)

    def _got_registry(self, step: Step, result: Json, answer: Json) -> Outcome:
        result["registry"] = {"verdict": answer["verdict"], "at": step.now.isoformat()}
        if answer["verdict"] == "no_match":
            return Stopped("identity.not_registered", result=result)
        return self._settled(result)

    def _got_face(self, step: Step, result: Json, answer: Json) -> Outcome:
        if answer["verdict"] == "withdrawn":
            return self._settled(without_face(result))
        tries = result["face"].get("tries", 0) + 1
        seen = {name: answer[name] for name in ("verdict", "likeness", "engine")}
        result["face"] = {"tries": tries, "at": step.now.isoformat(), **seen}
        if answer["verdict"] == "match":
            return self._settled(result)
        result["verified"] = False
        if answer["verdict"] == "no_match" and tries >= FACE_TRIES:
            return Stopped("identity.face_differs", result=result)
        return self._settled(result, "identity.face_differs" if answer["verdict"] == "no_match" else "identity.no_face")

    def _got_phone(self, step: Step, result: Json, answer: Json) -> Outcome:
        if not answer["held"]:
            result["phone"] = {**result["phone"], "state": "failed"}
            return self._settled(result, "identity.phone_not_on_file")
        result["phone"] = {**result["phone"], "state": "sent", "sent_at": step.now.isoformat()}
        return self._settled(result)

    def _got_challenge(self, step: Step, result: Json, answer: Json) -> Outcome:
        result["challenge"] = {"questions": answer["questions"]}
        if not answer["questions"]:  # a customer without a past cannot be asked about it
            result["challenge"] = {"verdict": "match", "none": True}
        return self._settled(result)

    def _got_answers(self, step: Step, result: Json, answer: Json) -> Outcome:
        result["challenge"] = {"verdict": answer["verdict"]}
        if answer["verdict"] != "match":
            return Stopped("identity.answers_wrong", result=result)
        return self._settled(result)

    # --- inside --------------------------------------------------------------------------------------------------

    def _ask(self, step: Step, result: Json, question: str, ref: str) -> Outcome:
        result["pending"] = [*result["pending"], f"{question}:{ref}"]
        step.ask(question, ref)
        return self._settled(result)

    def _settled(self, result: Json, reason: str | None = None) -> Outcome:
        """Waiting while questions are open, otherwise with its doers; `reason` is what went wrong last."""
        problem = reason or result["problem"]
        if result["pending"]:
            reading = result["pending"][0].startswith("read:")
            return Waiting("identity.reading" if reading else "identity.checking", {**result, "problem": problem})
        result = {**result, "problem": None}
        return Returned(problem, result=result) if problem else Stay(result=result)

    async def _outstanding(self, step: Step, result: Json) -> list[str]:
        config, (face, challenge) = step.config, await ways(step)
        lacking = outstanding(result, registry=config.level >= 2, face=face, phone=config.phone, challenge=challenge)
        if challenge and not config.challenge and result["challenge"].get("none"):
            lacking.append("challenge")  # no question was asked: nothing stands in for the face
        return lacking

    def _done(self, step: Step, result: Json) -> Outcome:
        fields, case = result["fields"], step.case
        case.row.identity_level = step.config.level
        number = fields["id_number"]
        birth = birth_of(number) if id_number_problem(number) is None else None
        case.data |= {"name": fields["name"], "id_number": number, "phone": _phone_of(step)}
        if birth is not None:
            case.data["customer_class"] = customer_class(birth, _today(step))
        return Done(result=result)

    async def undo(self, step: Step) -> None:
        step.case.row.identity_level = 0

    async def view(self, step: Step, side: Side) -> Json:
        result = {**_fresh(), **step.this.result}
        rows = await documents_of(step.work.session, step.case.row.id, step.this.row.key)
        face, challenge = await ways(step)
        wanted = ["id_front", "id_back", *(["face"] if face else [])]
        phone = _phone_of(step)
        seen: Json = {
            "face_consent": await face_consent_view(step),
            "wanted": wanted,
            "documents": [shown(row) for row in rows if row.id in result["documents"].values()],
            "asked": result["asked"],
            "sharp": result["asked"] is not None or any(code not in result["documents"] for code in wanted),
            "phone": {
                **{name: result["phone"].get(name) for name in ("state", "tries_left", "verdict")},
                "needed": step.config.phone,
                "number": f"{phone[:3]}****{phone[-4:]}" if phone else None,
            },
            "challenge": {
                "needed": challenge,
                "questions": result["challenge"].get("questions", []),
                "verdict": result["challenge"].get("verdict"),
                "answered": "answers" in result["challenge"],
            },
            "outstanding": await self._outstanding(step, result),
        }
        if side == "teller":
            names = ("fields", "changes", "checks", "registry", "face", "verified")
            unsure = [
                name
                for face in result["read"].values()
                for name, read in face.items()
                if read["confidence"] < SURE and result["fields"].get(name) == read["value"]
            ]
            missing_now = missing(result, face)
            seen |= {name: result[name] for name in names} | {"unsure": unsure, "missing": missing_now}
        return seen


def _phone_of(step: Step) -> str | None:
    for form in step.case.results("form"):
        if "phone" in form["values"]:
            return str(form["values"]["phone"])
    return None


def _today(step: Step) -> date:
    """The date in China, where the card counts."""
    return (step.now + timedelta(hours=CHINA_OFFSET_H)).date()


def build(house: House) -> StepKind:
    """The kind."""
    teller: frozenset[Doer] = frozenset({"teller"})
    customer: frozenset[Doer] = frozenset({"customer"})
    kind = IdentityKind(
        "identity",
        IdentityConfig,
        frozenset({"customer", "teller"}),
        {
            "add": Action(Added, frozenset({"system"}), while_waiting=True),
            "ask_picture": Action(AskPicture, teller, while_waiting=True),
            "return": Action(Return, teller),
            "correct": Action(Correct, teller),
            "verify": Action(NoInputs, teller),
            "send_code": Action(NoInputs, teller),
            "consent_face": Action(FaceConsent, customer, while_waiting=True),
            "enter_code": Action(Code, customer),
            "ask_challenge": Action(NoInputs, teller),
            "answer": Action(Answers, customer),
            "refuse": Action(Refuse, teller, while_waiting=True),
            "accept": Action(NoInputs, teller),
        },
    )
    return replace(kind, codes=CodeBook(house.sealer, house.master_key))
