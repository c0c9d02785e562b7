"""Editing how businesses are done: checked, versioned, audited. A running case keeps the version it began with."""

from typing import Any

import yaml
from pydantic import ValidationError
from sqlmodel import col, select

from core.db import Database, UnitOfWork
from core.errors import BadInputError, ConflictError, NotFoundError
from core.models.business import Business
from core.models.case import BusinessFlow
from core.models.queue import SkillGroup
from core.security.actor import Actor
from server.counter.flow_store import add_version
from server.counter.flows import Flow
from server.counter.kinds import Kinds, check_flow
from server.counter.schemas import (
    BusinessFields,
    BusinessOffer,
    BusinessOfferRequest,
    FlowCheck,
    FlowRequest,
    FlowRow,
    FlowVersionView,
    FlowView,
)


class FlowDesk:
    """The catalogue for its editors."""

    def __init__(self, database: Database, kinds: Kinds) -> None:
        self._database = database
        self._kinds = kinds

    async def rows(self) -> list[FlowRow]:
        """Every business with a flow."""
        async with self._database.read() as session:
            query = select(Business, BusinessFlow).join(
                BusinessFlow, col(BusinessFlow.business_code) == col(Business.code)
            )
            found = (await session.execute(query.order_by(col(Business.position), col(Business.code)))).all()
        counts: dict[str, int] = {}
        for business, _ in found:
            counts[business.code] = counts.get(business.code, 0) + 1
        return [
            FlowRow(
                code=business.code,
                name_zh=business.name_zh,
                name_en=business.name_en,
                enabled=business.enabled,
                version=flow.version,
                versions=counts[business.code],
                note=flow.note,
                created_by=flow.created_by,
                created_at=flow.created_at,
            )
            for business, flow in found
            if flow.active
        ]

    async def view(self, code: str, version: int | None = None) -> FlowView:
        """A flow to edit: the version in force, or another one to look at. NotFoundError ``business.not_found``."""
        async with self._database.read() as session:
            business = await session.get(Business, code)
            query = select(BusinessFlow).where(col(BusinessFlow.business_code) == code)
            rows = list((await session.scalars(query.order_by(col(BusinessFlow.version).desc()))).all())
        chosen = next((row for row in rows if (row.active if version is None else row.version == version)), None)
        if business is None or chosen is None:
            raise NotFoundError("there is no such business", code="business.not_found")
        return FlowView(
            code=code,
            version=chosen.version,
            business=BusinessFields.model_validate(business, from_attributes=True, extra="ignore"),
            text=as_text(chosen.content),
            history=[FlowVersionView.model_validate(row, from_attributes=True) for row in rows],
        )

    def check(self, code: str, text: str) -> FlowCheck:
        """What is wrong with a text, in the editor's words."""
        try:
            flow = self._flow(code, text)
        except BadInputError as error:
            return FlowCheck(problems=list(error.fields.get("problems", [])) or [str(error)], steps=[])
        return FlowCheck(problems=[], steps=[step.title_zh for step in flow.steps])

    async def save(self, actor: Actor, code: str, request: FlowRequest) -> FlowView:
        """A new version that new cases use from now on.

        Raises:
            BadInputError: ``flow.invalid``. ConflictError: ``flow.stale``: somebody has saved meanwhile.
        """
        flow = self._flow(code, request.text)
        async with self._database.unit_of_work(actor) as work:
            newest = await self._newest(work, code)
            if newest != request.based_on:
                raise ConflictError("somebody has saved another version", code="flow.stale", version=newest)
            business = await work.session.get(Business, code, with_for_update=True)
            before = None if business is None else {"enabled": business.enabled, "name_zh": business.name_zh}
            values = request.business.model_dump()
            if business is None:
                work.session.add(Business(code=code, position=100, **values))
                await work.session.flush()
            else:
                business.sqlmodel_update(values)
            await add_version(work, code, newest + 1, flow.model_dump(mode="json"), request.note)
            after = {"version": newest + 1, "enabled": values["enabled"], "name_zh": values["name_zh"]}
            work.audit("flow.save", "business", code, before=before, after=after, note=request.note)
        return await self.view(code)

    async def offer(self, actor: Actor, code: str, request: BusinessOfferRequest) -> BusinessOffer:
        """Offer a business or take it off, without a new version of its flow. Who waits already stays in the queue.

        Raises:
            NotFoundError: ``business.not_found``, ``group.not_found``.
            ConflictError: ``business.stale``: somebody else was faster.
        """
        wanted = BusinessOffer(enabled=request.enabled, skill_group=request.skill_group)
        async with self._database.unit_of_work(actor) as work:
            row = await work.session.get(Business, code, with_for_update=True)
            if row is None:
                raise NotFoundError("there is no such business", code="business.not_found")
            before = BusinessOffer(enabled=row.enabled, skill_group=row.skill_group)
            if before != request.seen:
                raise ConflictError("somebody else has changed this business", code="business.stale")
            moved = wanted.skill_group != before.skill_group
            if moved and await work.session.get(SkillGroup, wanted.skill_group) is None:
                raise NotFoundError("there is no such group", code="group.not_found")
            row.sqlmodel_update(wanted.model_dump())
            work.audit("business.offer", "business", code, before=before.model_dump(), after=wanted.model_dump())
        return wanted

    async def _newest(self, work: UnitOfWork, code: str) -> int:
        query = select(BusinessFlow.version).where(col(BusinessFlow.business_code) == code)
        return (await work.session.scalars(query.order_by(col(BusinessFlow.version).desc()).limit(1))).first() or 0

    def _flow(self, code: str, text: str) -> Flow:
        try:
            content: Any = yaml.safe_load(text)
            flow = Flow.model_validate(content)
        except (yaml.YAMLError, RecursionError) as error:
            raise BadInputError(f"this is no YAML: {error}", code="flow.invalid", problems=[str(error)]) from None
        except ValidationError as error:
            problems = [f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()]
            raise BadInputError("the flow is not right", code="flow.invalid", problems=problems) from None
        if flow.code != code:
            raise BadInputError("code: another business", code="flow.invalid", problems=["code: another business"])
        return check_flow(flow, self._kinds)


def as_text(content: dict[str, Any]) -> str:
    """A flow's content as people edit it."""
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=110)
