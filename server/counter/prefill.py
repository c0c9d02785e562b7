"""Forms filled in before the call: while waiting, or earlier under a link or QR code that works once."""

import io
from datetime import timedelta
from typing import Any

import segno
from sqlmodel import col, select

from core.db import Database, UnitOfWork
from core.errors import BadInputError, ConflictError, NotFoundError
from core.ids import new_id
from core.models.case import Prefill
from core.models.visit import Visit
from core.rate_limit import RateLimiter, address_key
from core.security.actor import Actor, system_actor
from core.security.sealing import Sealer
from core.security.tokens import new_secret, sha256_hex
from server.counter.flow_store import active_flow
from server.counter.flows import Flow
from server.counter.kinds.form import FormConfig
from server.counter.schemas import PrefillForm, PrefillLink

LINK_DAYS = 7
VISIT_H = 12
LINKS_PER_MINUTE = 10
TRIES_PER_MINUTE = 30


class PrefillDesk:
    """Takes forms before there is a case; the form step of the case loads them (`server.counter.prefill_load`)."""

    def __init__(self, database: Database, limiter: RateLimiter, sealer: Sealer, site_url: str) -> None:
        """`site_url`: where a phone that scans the QR code finds the pages."""
        self._site_url = site_url
        self._database = database
        self._limiter = limiter
        self._sealer = sealer

    async def form(self, actor: Actor) -> PrefillForm:
        """The form of the visit's business, with what was filled in so far. NotFoundError ``visit.not_found``."""
        async with self._database.unit_of_work(actor) as work:
            visit = await self._visit(work, actor)
            _, flow = await active_flow(work.session, visit.business_code)
            row = await self._of_visit(work, visit)
            values = self._sealer.open(row.sealed, row.id) if row and row.sealed else {}
        return _shown(flow, values)

    async def fill(self, actor: Actor, values: dict[str, Any]) -> PrefillForm:
        """Keep what the waiting customer wrote; until the teller loads it, it can be changed.

        Raises:
            BadInputError: ``fields.invalid``. NotFoundError: ``visit.not_found``. ConflictError: ``prefill.none``.
        """
        await self._limiter.hit(f"prefill:{actor.visit_id}", TRIES_PER_MINUTE, 60)
        async with self._database.unit_of_work(actor) as work:
            visit = await self._visit(work, actor)
            version, flow = await active_flow(work.session, visit.business_code)
            filled = _checked(flow, values)
            row = await self._of_visit(work, visit)
            if row is None:
                row = self._new(work, flow.code, version, sha256_hex(new_secret()), timedelta(hours=VISIT_H))
                row.visit_id = visit.id
            self._write(work, row, filled)
        return _shown(flow, filled)

    async def blank(self, business_code: str) -> PrefillForm:
        """The empty form of a business, for everybody. NotFoundError ``business.not_found``."""
        async with self._database.read() as session:
            _, flow = await active_flow(session, business_code)
        return _shown(flow, {})

    async def link(self, business_code: str, values: dict[str, Any], address: str | None) -> PrefillLink:
        """Keep a form filled in before the visit. The link gives it to one visit and shows nobody what is in it.

        Raises:
            NotFoundError: ``business.not_found``. ConflictError: ``prefill.none``. BadInputError: ``fields.invalid``.
            RateLimitedError: too many from this address.
        """
        await self._limiter.hit(f"prefill-link:{address_key(address)}", LINKS_PER_MINUTE, 60)
        token = new_secret()
        async with self._database.unit_of_work(system_actor("prefill")) as work:
            version, flow = await active_flow(work.session, business_code)
            filled = _checked(flow, values)
            row = self._new(work, flow.code, version, sha256_hex(token), timedelta(days=LINK_DAYS))
            self._write(work, row, filled)
        url = f"{self._site_url}/?business={business_code}&prefill={token}"
        svg = io.BytesIO()
        segno.make(url, error="m").save(svg, kind="svg", scale=4, border=2, xmldecl=False)
        return PrefillLink(url=url, qr_svg=svg.getvalue().decode(), expires_at=row.expires_at)

    async def claim(self, actor: Actor, token: str) -> PrefillForm:
        """Take the link along on this visit: from now on it opens nothing for anybody else.

        Raises:
            NotFoundError: ``prefill.not_found`` for unknown and expired links, and for those of another business.
            ConflictError: ``prefill.used``. Who holds the secret may know: it tells nothing of what was filled in.
        """
        await self._limiter.hit(f"prefill:{actor.visit_id}", TRIES_PER_MINUTE, 60)
        async with self._database.unit_of_work(actor) as work:
            visit = await self._visit(work, actor)
            query = select(Prefill).where(col(Prefill.token_sha256) == sha256_hex(token)).with_for_update()
            row = (await work.session.scalars(query)).first()
            if row is None or row.expires_at <= work.clock.now() or row.business_code != visit.business_code:
                raise NotFoundError("this link is not valid any more", code="prefill.not_found")
            if row.case_id is not None or row.visit_id not in (None, visit.id):
                raise ConflictError("this link was used before", code="prefill.used")
            if row.visit_id is None:  # the page was loaded again: it is this visit's already
                row.visit_id = visit.id
                work.audit("prefill.claim", "prefill", row.id, visit_id=visit.id)
            _, flow = await active_flow(work.session, row.business_code)
            values = self._sealer.open(row.sealed, row.id) if row.sealed else {}
        return _shown(flow, values)

    async def _visit(self, work: UnitOfWork, actor: Actor) -> Visit:
        visit = await work.session.get(Visit, actor.visit_id or "", with_for_update=True)
        if visit is None:
            raise NotFoundError("there is no such visit", code="visit.not_found")
        return visit

    async def _of_visit(self, work: UnitOfWork, visit: Visit) -> Prefill | None:
        query = select(Prefill).where(
            col(Prefill.visit_id) == visit.id,
            col(Prefill.business_code) == visit.business_code,
            col(Prefill.case_id).is_(None),
        )
        return (await work.session.scalars(query.order_by(col(Prefill.created_at).desc()).limit(1))).first()

    def _new(self, work: UnitOfWork, code: str, version: int, token_sha256: str, lives: timedelta) -> Prefill:
        now = work.clock.now()
        row = Prefill(
            id=new_id("prefill"),
            token_sha256=token_sha256,
            business_code=code,
            flow_version=version,
            created_at=now,
            expires_at=now + lives,
        )
        work.session.add(row)
        return row

    def _write(self, work: UnitOfWork, row: Prefill, values: dict[str, Any]) -> None:
        row.sealed = self._sealer.seal(values, row.id)
        row.filled_at = work.clock.now()
        work.audit("prefill.fill", "prefill", row.id, business=row.business_code)


def _form(flow: Flow) -> FormConfig:
    """The flow's first form that is the customer's. ConflictError ``prefill.none``."""
    for step in flow.steps:
        if step.kind == "form" and step.doer == "customer":
            return FormConfig.model_validate(step.config)
    raise ConflictError("this business has nothing to fill in before", code="prefill.none")


def _checked(flow: Flow, values: dict[str, Any]) -> dict[str, Any]:
    filled = {key: value for key, value in values.items() if value != ""}
    problems = _form(flow).problems(filled)
    if problems:
        raise BadInputError("the form has fields that cannot be right", code="fields.invalid", problems=problems)
    return filled


def _shown(flow: Flow, values: dict[str, Any]) -> PrefillForm:
    try:
        fields = [field.model_dump(mode="json") for field in _form(flow).fields]
    except ConflictError:
        return PrefillForm(business_code=flow.code, fields=None, values={})
    return PrefillForm(business_code=flow.code, fields=fields, values=values)
