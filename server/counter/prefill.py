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
from server.counter.fields import FieldSpec, problems_of
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

    def __init__(self, database: Database, limiter: RateLimiter, sealer: Sealer) -> None:
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

    async def link(self, business_code: str, address: str | None) -> PrefillLink:
        """A new link. NotFoundError ``business.not_found``. ConflictError ``prefill.none``. RateLimitedError."""
        await self._limiter.hit(f"prefill-link:{address_key(address)}", LINKS_PER_MINUTE, 60)
        token = new_secret()
        async with self._database.unit_of_work(system_actor("prefill")) as work:
            version, flow = await active_flow(work.session, business_code)
            _fields(flow)
            row = self._new(work, flow.code, version, sha256_hex(token), timedelta(days=LINK_DAYS))
        path = f"/?business={business_code}&prefill={token}"
        svg = io.BytesIO()
        segno.make(path, error="m").save(svg, kind="svg", scale=4, border=2, xmldecl=False)
        return PrefillLink(token=token, path=path, qr_svg=svg.getvalue().decode(), expires_at=row.expires_at)

    async def claim(self, actor: Actor, token: str) -> PrefillForm:
        """Take the link along on this visit: from now on it opens nothing for anybody else.

        Raises:
            NotFoundError: ``prefill.not_found`` for unknown, used and expired links alike.
        """
        await self._limiter.hit(f"prefill:{actor.visit_id}", TRIES_PER_MINUTE, 60)
        async with self._database.unit_of_work(actor) as work:
            visit = await self._visit(work, actor)
            query = select(Prefill).where(col(Prefill.token_sha256) == sha256_hex(token)).with_for_update()
            row = (await work.session.scalars(query)).first()
            usable = row is not None and row.case_id is None and row.expires_at > work.clock.now()
            if row is None or not usable or row.visit_id is not None or row.business_code != visit.business_code:
                raise NotFoundError("this link is not valid any more", code="prefill.not_found")
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


def _fields(flow: Flow) -> tuple[FieldSpec, ...]:
    """Fields of the flow's first form that is the customer's. ConflictError ``prefill.none``."""
    for step in flow.steps:
        if step.kind == "form" and step.doer == "customer":
            return FormConfig.model_validate(step.config).fields
    raise ConflictError("this business has nothing to fill in before", code="prefill.none")


def _checked(flow: Flow, values: dict[str, Any]) -> dict[str, Any]:
    filled = {key: value for key, value in values.items() if value != ""}
    problems = problems_of(_fields(flow), filled)
    if problems:
        raise BadInputError("the form has fields that cannot be right", code="fields.invalid", problems=problems)
    return filled


def _shown(flow: Flow, values: dict[str, Any]) -> PrefillForm:
    try:
        fields = [field.model_dump(mode="json") for field in _fields(flow)]
    except ConflictError:
        return PrefillForm(business_code=flow.code, fields=None, values={})
    return PrefillForm(business_code=flow.code, fields=fields, values=values)
