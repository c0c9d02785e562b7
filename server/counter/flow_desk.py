"""The catalogue for its editors: what is in force, older versions, kinds of steps, what is wrong with a draft."""

from typing import Any

import yaml
from sqlmodel import col, func, select

from core.db import Database
from core.errors import ConflictError, NotFoundError
from core.models.business import Business
from core.models.case import BusinessFlow
from core.models.change import ChangeState, ControlledChange
from core.models.queue import SkillGroup
from core.security.actor import Actor
from server.counter.changes.subjects import skill_groups
from server.counter.flow_rules import read_flow
from server.counter.flows import Flow
from server.counter.kinds import Kinds
from server.counter.schemas import (
    BusinessFields,
    BusinessOffer,
    BusinessOfferRequest,
    CatalogueView,
    FlowCheck,
    FlowCheckRequest,
    FlowProblem,
    FlowRow,
    FlowVersionView,
    FlowView,
    StepKindView,
)


class FlowDesk:
    """Reads and checks; changing goes through `server.counter.changes`."""

    def __init__(self, database: Database, kinds: Kinds) -> None:
        self._database = database
        self._kinds = kinds

    async def catalogue(self) -> CatalogueView:
        """Every business with a flow, and what flows are made of."""
        counts = select(BusinessFlow.business_code, func.count().label("versions")).group_by(
            col(BusinessFlow.business_code)
        )
        query = (
            select(Business, BusinessFlow)
            .join(BusinessFlow, col(BusinessFlow.business_code) == col(Business.code))
            .where(col(BusinessFlow.active).is_(True))
            .order_by(col(Business.position), col(Business.code))
        )
        waiting = select(ControlledChange.subject).where(
            col(ControlledChange.kind) == "flow", col(ControlledChange.state) == ChangeState.WAITING
        )
        async with self._database.read() as session:
            versions = {row.business_code: row.versions for row in (await session.execute(counts)).all()}
            changing = set((await session.scalars(waiting)).all())
            found = (await session.execute(query)).all()
            groups = sorted(await skill_groups(session))
        rows = [
            FlowRow(
                code=business.code,
                name_zh=business.name_zh,
                name_en=business.name_en,
                enabled=business.enabled,
                version=flow.version,
                versions=versions[business.code],
                changing=business.code in changing,
            )
            for business, flow in found
        ]
        return CatalogueView(rows=rows, kinds=self._kind_views(), skill_groups=groups)

    def _kind_views(self) -> list[StepKindView]:
        return [
            StepKindView(name=kind.name, doers=sorted(kind.doers), config=kind.config.model_json_schema())
            for kind in sorted(self._kinds.values(), key=lambda kind: kind.name)
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
            newest=rows[0].version,
            business=BusinessFields.model_validate(business, from_attributes=True, extra="ignore"),
            flow=Flow.model_validate(chosen.content).model_dump(mode="json"),
            history=[FlowVersionView.model_validate(row, from_attributes=True) for row in rows],
        )

    def check(self, code: str, request: FlowCheckRequest) -> FlowCheck:
        """What is wrong with a draft, and the draft as text and as data. Nothing is stored."""
        content: Any = request.flow
        if request.text is not None:
            try:
                content = yaml.safe_load(request.text)
            except (yaml.YAMLError, RecursionError) as error:
                return FlowCheck(problems=[FlowProblem(at="", problem="yaml", text=str(error))], flow=None, text="")
        flow, problems = read_flow(content, code, self._kinds)
        told = [FlowProblem(at=each.at, problem=each.problem, text=each.text) for each in problems]
        shown = flow.model_dump(mode="json") if flow else None
        return FlowCheck(problems=told, flow=shown, text=as_text(shown if shown is not None else content))

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


def as_text(content: Any) -> str:
    """A flow as YAML, to keep or to carry to another house."""
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=110)
