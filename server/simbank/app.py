"""The simulator over HTTP. Every call but ``/health`` needs the bearer token."""

from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from server.simbank.faults import Fault, Faults
from server.simbank.ledger import ContentDiffersError, Ledger, now
from server.simbank.tables import message

LETTERS = 20


class _Booking(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    request_id: Annotated[str, Field(min_length=1, max_length=100)]
    kind: Annotated[str, Field(max_length=20)]
    fields: dict[str, str | int]


class _Sms(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    id: Annotated[str, Field(min_length=1, max_length=100)]
    phone: Annotated[str, Field(pattern=r"^1[3-9][0-9]{9}$")]
    text: Annotated[str, Field(min_length=1, max_length=5000)]


class _PhoneCheck(BaseModel):
    id_number: str
    phone: str


class Simulator:
    """The handlers."""

    def __init__(self, engine: AsyncEngine, token: str) -> None:
        self.ledger = Ledger(engine)
        self.faults = Faults()
        self._engine = engine
        self._token = token

    def application(self) -> web.Application:
        """Routes behind the token."""
        app = web.Application(middlewares=[self._guard])
        app.add_routes(
            [
                web.get("/health", self.health),
                web.post("/v1/requests", self.book),
                web.get("/v1/accounts/{number}", self.account),
                web.post("/v1/phone-checks", self.phone_check),
                web.get("/v1/trial-balance", self.trial_balance),
                web.post("/v1/faults", self.set_faults),
                web.post("/sms", self.sms),
                web.get("/sms", self.letter_box),
            ]
        )
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.path != "/health" and request.headers.get("Authorization") != f"Bearer {self._token}":
            raise web.HTTPUnauthorized
        try:
            answer: web.StreamResponse = await handler(request)
        except (ValidationError, ValueError, KeyError) as error:
            return web.json_response({"code": "bank.misuse", "message": type(error).__name__}, status=400)
        return answer

    async def health(self, request: web.Request) -> web.Response:
        """The process runs."""
        return web.json_response({"status": "ok"})

    async def book(self, request: web.Request) -> web.Response:
        """One request to the books."""
        asked = _Booking.model_validate(await request.json())
        await self.faults.before(asked.kind)
        refuse = self.faults.take(asked.kind, "refuse") is not None
        try:
            answer = await self.ledger.book(asked.request_id, asked.kind, asked.fields, refuse)
        except ContentDiffersError:
            return web.json_response({"code": "bank.misuse", "message": "known with another content"}, status=409)
        await self.faults.after(asked.kind)
        return web.json_response(answer)

    async def account(self, request: web.Request) -> web.Response:
        """Facts of a customer's account."""
        await self.faults.before("account")
        facts = await self.ledger.account(request.match_info["number"])
        if facts is None:
            return web.json_response({"code": "bank.no_account"}, status=404)
        return web.json_response(facts)

    async def phone_check(self, request: web.Request) -> web.Response:
        """Whether a phone number is on file for a person; the number itself is never told."""
        await self.faults.before("phone")
        asked = _PhoneCheck.model_validate(await request.json())
        return web.json_response({"held": await self.ledger.holds(asked.id_number, asked.phone)})

    async def trial_balance(self, request: web.Request) -> web.Response:
        """What an auditor checks."""
        return web.json_response(await self.ledger.trial_balance())

    async def set_faults(self, request: web.Request) -> web.Response:
        """Replace the faults that are set: a list of them."""
        self.faults.pending = [Fault.model_validate(fault) for fault in await request.json()]
        return web.json_response({})

    async def letter_box(self, request: web.Request) -> web.Response:
        """The messages taken for a phone (``?phone=``), newest first: what a real phone would show."""
        rows = select(message).where(message.c.phone == request.query["phone"])
        async with self._engine.begin() as connection:
            taken = (await connection.execute(rows.order_by(message.c.at.desc()).limit(LETTERS))).all()
        return web.json_response([{"text": row.text, "at": row.at.isoformat()} for row in taken])

    async def sms(self, request: web.Request) -> web.Response:
        """Take a short message, once per id."""
        asked = _Sms.model_validate(await request.json())
        await self.faults.before("sms")
        if self.faults.take("sms", "refuse"):
            return web.json_response({"code": "sms.refused"}, status=422)
        row = insert(message).values(id=asked.id, phone=asked.phone, text=asked.text, at=now())
        async with self._engine.begin() as connection:
            await connection.execute(row.on_conflict_do_nothing())
        await self.faults.after("sms")
        return web.json_response({})
