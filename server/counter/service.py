"""Entering: visits with signed tokens, and consents."""

from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web
from sqlmodel import col, select

from core.db import Database
from core.errors import NotFoundError, NotSignedInError
from core.http import SignedIn
from core.ids import new_id
from core.models.call import Call, CallState
from core.models.visit import Visit
from core.rate_limit import RateLimiter, address_key
from core.security.actor import Actor, customer_actor
from core.security.tokens import issue_visit_token, read_visit_token
from server.counter.address import address_class
from server.counter.catalogue import enabled_business, enabled_businesses
from server.counter.consents import add_consent, forget_faces, newest_consents, worded
from server.counter.schemas import BusinessView, ConsentGiven, ConsentRequest, VisitRequest, VisitView
from server.counter.wordings import wording_texts

EndCall = Callable[[Actor], Awaitable[None]]

WINDOW_S = 60
CONSENTS_PER_WINDOW = 20
_GOING_ON = {CallState.QUEUED, CallState.OFFERED, CallState.ACCEPTED, CallState.CONNECTED}


class CounterService:
    """Catalogue, visits and consents."""

    def __init__(
        self,
        database: Database,
        limiter: RateLimiter,
        token_key: str,
        visit_token_s: float,
        end_call: EndCall,
        visits_per_minute: int = 60,
    ) -> None:
        """`visits_per_minute` counts per client address (a branch's kiosks share one). `end_call`: the visit's own."""
        self._end_call = end_call
        self._database = database
        self._limiter = limiter
        self._token_key = token_key
        self._visit_token_s = visit_token_s
        self._visits_per_minute = visits_per_minute

    async def businesses(self) -> list[BusinessView]:
        """What customers can choose, in order."""
        async with self._database.read() as session:
            rows = await enabled_businesses(session)
        return [BusinessView.model_validate(row, from_attributes=True) for row in rows]

    async def enter(self, request: VisitRequest, address: str | None) -> VisitView:
        """Record an entry and hand out its token.

        Raises:
            NotFoundError: ``business.not_found``. RateLimitedError: too many entries from this address.
        """
        await self._limiter.hit(f"visit:{address_key(address)}", self._visits_per_minute, WINDOW_S)
        visit_id = new_id("visit")
        async with self._database.unit_of_work(customer_actor(visit_id)) as work:
            business = await enabled_business(work.session, request.business_code)
            now = work.clock.now()
            work.session.add(
                Visit(
                    id=visit_id,
                    business_code=business.code,
                    channel=request.channel,
                    device=request.device,
                    address_class=address_class(address),
                    language=request.language,
                    created_at=now,
                )
            )
        return VisitView(
            visit_id=visit_id, token=issue_visit_token(self._token_key, visit_id, now, self._visit_token_s)
        )

    async def record_consent(self, actor: Actor, request: ConsentRequest) -> str:
        """Store a consent or a refusal; the latest one of a purpose counts.

        Taking one back has effect at once: without recording the call ends, also one that still waits; a face is
        compared no more, and its pictures cannot be opened any more.

        Returns:
            The consent's id.

        Raises:
            ConflictError: ``consent.outdated`` when another wording is current: show that one and ask again.
            NotFoundError: ``visit.not_found``.
        """
        visit_id = actor.visit_id or ""
        await self._limiter.hit(f"consent:{visit_id}", CONSENTS_PER_WINDOW, WINDOW_S)
        wording = worded(request.purpose, request.wording_version, request.granted)
        if request.purpose == "recording" and not request.granted and await self._has_video_call(visit_id):
            await self._end_call(actor)  # first: whatever dies in between, nobody is recorded against the own word
        async with self._database.unit_of_work(actor) as work:
            visit = await work.session.get(Visit, visit_id)
            if visit is None:
                raise NotFoundError("there is no such visit", code="visit.not_found")
            consent = add_consent(work, visit_id, visit.language, wording, request.granted)
            if request.purpose == "face" and not request.granted:
                await forget_faces(work, visit_id)
        return consent.id

    async def _has_video_call(self, visit_id: str) -> bool:
        query = select(Call.id).where(
            col(Call.visit_id) == visit_id, col(Call.channel) == "video", col(Call.state).in_(sorted(_GOING_ON))
        )
        async with self._database.read() as session:
            return (await session.scalars(query.limit(1))).first() is not None

    async def consents(self, actor: Actor) -> list[ConsentGiven]:
        """What the customer has agreed to or refused, as it counts now, with the words that were shown."""
        async with self._database.read() as session:
            rows = await newest_consents(session, actor.visit_id or "")
        return [
            ConsentGiven(
                purpose=row.purpose,
                wording_version=row.wording_version,
                granted=row.granted,
                at=row.at,
                text_zh=(texts := wording_texts(row.purpose, row.wording_version) or {}).get("zh-CN", ""),
                text_en=texts.get("en", ""),
            )
            for row in rows
        ]

    async def authenticate_bearer(self, request: web.Request) -> SignedIn | None:
        """For the HTTP guard: the customer behind ``Authorization: Bearer <visit token>``.

        An expired or foreign token counts as none, so that public endpoints still answer.
        """
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return None
        try:
            return SignedIn(customer_actor(read_visit_token(self._token_key, token.strip())))
        except NotSignedInError:
            return None
