"""What somebody who tries the demo has to know and cannot: the code on the simulated phone, the simulated past."""

from datetime import datetime
from functools import lru_cache
from importlib import resources
from typing import Any

import aiohttp
import structlog
import yaml
from pydantic import TypeAdapter
from sqlmodel import col, select

from core.db import Database
from core.errors import NotFoundError, UnavailableError
from core.models.case import BusinessCase
from core.models.notice import NoticeChannel, NoticeMessage
from core.models.visit import Visit
from core.security.actor import Actor
from core.security.keys import MasterKey
from core.settings import Settings
from server.counter.book import CaseBook
from server.counter.demo.schemas import DemoAnswer, DemoHelp, DemoMessage, DemoPerson
from server.counter.notices.addresses import open_address
from server.counter.simulators.identity import questions, right_answer

log = structlog.get_logger(__name__)

ASK_S = 3.0
_FOLDER = resources.files("server.counter") / "data" / "demo"


@lru_cache(maxsize=1)
def demo_people() -> tuple[DemoPerson, ...]:
    """The invented customers."""
    text = (_FOLDER / "people.yaml").read_text(encoding="utf-8")
    return TypeAdapter(tuple[DemoPerson, ...]).validate_python(yaml.safe_load(text))


def demo_card(person: str, side: str) -> bytes:
    """An invented customer's ID card as a JPEG. NotFoundError ``object.not_found``."""
    if any(each.key == person for each in demo_people()) and side in ("front", "back"):
        return (_FOLDER / f"{person}_{side}.jpg").read_bytes()
    raise NotFoundError("there is no such card")


class DemoAids:
    """Answers nothing unless the house runs in demo mode with its own message centre."""

    def __init__(
        self,
        database: Database,
        book: CaseBook,
        master_key: MasterKey,
        settings: Settings,
        http: aiohttp.ClientSession | None,
    ) -> None:
        self._database = database
        self._book = book
        self._master_key = master_key
        self._settings = settings
        self._http = http

    @property
    def on(self) -> bool:
        """Whether there is a helper."""
        return bool(self._settings.demo and self._settings.letter_box_url and self._http)

    def require_on(self) -> None:
        """NotFoundError outside the demo."""
        if not self.on:
            raise NotFoundError("this is no demonstration")

    async def help(self, actor: Actor) -> DemoHelp:
        """For the visit of the page: messages to its phones since it began, answers that fit its forms."""
        if not self.on:
            return DemoHelp(on=False, people=[], messages=[], answers=[])
        async with self._database.read() as session:
            visit = await session.get_one(Visit, actor.visit_id)
            rows = (await session.scalars(select(BusinessCase).where(col(BusinessCase.visit_id) == visit.id))).all()
            forms = [form["values"] for row in rows for form in (await self._book.open(session, row)).results("form")]
            notices = select(NoticeMessage).where(
                col(NoticeMessage.visit_id) == visit.id, col(NoticeMessage.channel) == NoticeChannel.SMS
            )
            sent = (await session.scalars(notices)).all()
        phones = {str(form["phone"]) for form in forms if form.get("phone")}
        phones |= {open_address(self._master_key, row.sealed_address, row.id) for row in sent if row.sealed_address}
        numbers = {str(form["id_number"]) for form in forms if form.get("id_number")}
        return DemoHelp(
            on=True,
            people=list(demo_people()),
            messages=await self._messages(phones, visit.created_at),
            answers=[_answer(question, number) for number in sorted(numbers) for question in questions()],
        )

    async def _messages(self, phones: set[str], since: datetime) -> list[DemoMessage]:
        found: list[DemoMessage] = []
        for phone in sorted(phones):
            for letter in await self._letters(phone):
                at = datetime.fromisoformat(letter["at"])
                if at >= since:
                    found.append(DemoMessage(phone=f"{phone[:3]}****{phone[-4:]}", text=letter["text"], at=at))
        return sorted(found, key=lambda message: message.at, reverse=True)

    async def _letters(self, phone: str) -> list[dict[str, Any]]:
        assert self._http is not None
        assert self._settings.letter_box_url is not None
        headers = {"Authorization": f"Bearer {self._settings.sms_token}"}
        try:
            async with self._http.get(
                self._settings.letter_box_url,
                params={"phone": phone},
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=ASK_S),
            ) as answer:
                answer.raise_for_status()
                letters: list[dict[str, Any]] = await answer.json()
                return letters
        except (TimeoutError, aiohttp.ClientError) as error:
            log.warning("the simulated message centre does not answer", error=type(error).__name__)
            raise UnavailableError("the simulated message centre does not answer") from error


def _answer(question: Any, id_number: str) -> DemoAnswer:
    return DemoAnswer(
        question_zh=question.question_zh,
        question_en=question.question_en,
        answer=right_answer(id_number, question.key),
        masked=f"…{id_number[-4:]}",
    )
