"""Jobs: what identity steps want from outside is asked here, after commit; answers go to the step."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import structlog

from core.errors import NotFoundError, UnavailableError
from core.events import CaseQuestionAsked
from core.jobs import Subscription
from core.models.call import Call
from core.models.case import CaseDocument, PhoneCode
from core.models.visit import Visit
from core.security.actor import system_actor
from server.counter.cases import CaseService
from server.counter.consents import face_word
from server.counter.documents.shelf import DocumentShelf
from server.counter.kind import House, Json, StepData
from server.counter.ocr.engine import read_picture
from server.counter.who.codes import CodeBook
from server.counter.who.rules import FACES

log = structlog.get_logger(__name__)

ANSWER_S = 10.0
READ_S = 60.0
_reading = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ocr")


class IdentityDesk:
    """Asks, once per question: a repeated answer is ignored by the engine."""

    def __init__(self, house: House, cases: CaseService, shelf: DocumentShelf) -> None:
        self._house = house
        self._cases = cases
        self._shelf = shelf
        self._codes = CodeBook(house.sealer, house.master_key)
        self._actor = system_actor("identity")
        self._ways: dict[str, Callable[[CaseQuestionAsked, StepData], Awaitable[Json]]] = {
            "read": self._read,
            "registry": self._registry,
            "face": self._face,
            "phone": self._phone,
            "challenge": self._challenge,
            "answers": self._answers,
        }

    @property
    def subscriptions(self) -> list[Subscription]:
        """For a worker."""
        return [Subscription(CaseQuestionAsked, "counter.identity", self.asked)]

    async def asked(self, event: CaseQuestionAsked) -> None:
        """One question to its answer."""
        if event.kind != "identity":
            return
        async with self._house.database.read() as session:
            case = await self._cases.engine.book.load(session, event.case_id)
        step = case.step(event.step)
        if step.row.state != "waiting" or step.row.attempts != event.attempt:
            return
        answer: Json = {"question": event.question, "ref": event.ref}
        try:
            async with asyncio.timeout(READ_S if event.question == "read" else ANSWER_S):
                answer |= await self._ways[event.question](event, step)
        except (UnavailableError, TimeoutError) as error:
            log.warning("identity question not answered", question=event.question, error=type(error).__name__)
            answer |= {"down": True}
        await self._cases.resume(self._actor, event.case_id, event.step, event.attempt, answer)

    async def _read(self, event: CaseQuestionAsked, step: StepData) -> Json:
        code = next((code for code, ref in step.result["documents"].items() if ref == event.ref), None)
        if code is None:
            return {"fields": {}}
        picture = await self._picture(event.ref)
        reading = await asyncio.get_running_loop().run_in_executor(_reading, read_picture, picture, FACES[code])
        return {"fields": {name: asdict(read) for name, read in reading.fields.items()}}

    async def _registry(self, event: CaseQuestionAsked, step: StepData) -> Json:
        fields = step.result["fields"]
        return {"verdict": await self._house.identity.registry.check(fields["name"], fields["id_number"])}

    async def _face(self, event: CaseQuestionAsked, step: StepData) -> Json:
        documents = step.result["documents"]
        async with self._house.database.read() as session:
            call = await session.get_one(Call, event.call_id)
            if not await face_word(session, call.visit_id):
                return {"verdict": "withdrawn"}
        card, person = await self._picture(documents["id_front"]), await self._picture(documents["face"])
        return asdict(await self._house.identity.faces.compare(card, person))

    async def _phone(self, event: CaseQuestionAsked, step: StepData) -> Json:
        async with self._house.database.read() as session:
            case = await self._cases.engine.book.load(session, event.case_id)
            row = await session.get(PhoneCode, event.ref)
            visit = await session.get(Visit, case.row.visit_id)
        code = self._codes.open(row) if row else None
        phone = next((form["values"]["phone"] for form in case.results("form") if "phone" in form["values"]), None)
        held = phone is not None and await self._house.identity.phone_book.holds(
            step.result["fields"]["id_number"], phone
        )
        if held and code is not None and phone is not None:
            await self._house.identity.phone_codes.send(event.ref, phone, code, visit.language if visit else "")
        async with self._house.database.unit_of_work(self._actor) as work:
            sent = await work.session.get(PhoneCode, event.ref, with_for_update=True)
            if sent is not None:
                sent.sealed = None
        return {"held": held}

    async def _challenge(self, event: CaseQuestionAsked, step: StepData) -> Json:
        questions = await self._house.identity.challenges.ask(step.result["fields"]["id_number"])
        return {"questions": [{**asdict(question), "choices": list(question.choices)} for question in questions]}

    async def _answers(self, event: CaseQuestionAsked, step: StepData) -> Json:
        number, answers = step.result["fields"]["id_number"], step.result["challenge"]["answers"]
        return {"verdict": await self._house.identity.challenges.verify(number, answers)}

    async def _picture(self, document_id: str) -> bytes:
        async with self._house.database.read() as session:
            row = await session.get(CaseDocument, document_id)
        if row is None:
            raise NotFoundError("there is no such document", code="document.not_found")
        return await self._shelf.content(row)
