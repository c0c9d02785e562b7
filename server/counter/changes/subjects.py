"""What can be changed: how each kind is checked, what is in force, and how a change comes into force."""

from collections.abc import Mapping
from typing import Any, Protocol

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, func, select

from core.db import UnitOfWork
from core.errors import BadInputError, ConflictError, NotFoundError
from core.models.authorisation import AuthorisationLevel, ReviewRuleRow
from core.models.business import Business
from core.models.case import BusinessFlow
from core.models.change import ChangeState, ControlledChange
from core.models.staff import Role, Staff
from server.counter.flow_rules import Problem, problems_in, read_flow, refuse
from server.counter.flow_store import add_version, newest_version
from server.counter.kinds import Kinds
from server.counter.review.requests import level_of, stored_rules
from server.counter.review.rules import ANY, ReviewRule
from server.counter.schemas import BusinessFields

Json = dict[str, Any]
EVERYWHERE = "all"
_RULES: TypeAdapter[list[ReviewRule]] = TypeAdapter(list[ReviewRule])


class Subject(Protocol):
    """One kind of change."""

    async def check(self, session: AsyncSession, subject: str, content: Json) -> Json:
        """The content as it is kept. BadInputError, NotFoundError for what cannot come into force."""
        ...

    async def standing(self, session: AsyncSession, subject: str) -> tuple[int, Json]:
        """Version and content in force; 0 and nothing for something new."""
        ...

    async def apply(self, work: UnitOfWork, change: ControlledChange, author: Staff) -> None:
        """Bring it into force."""
        ...


class FlowSubject:
    """A business and how it is done; ``{"business", "flow"}``."""

    def __init__(self, kinds: Kinds) -> None:
        self._kinds = kinds

    async def check(self, session: AsyncSession, subject: str, content: Json) -> Json:
        flow, problems = read_flow(content["flow"], subject, self._kinds)
        refuse(problems)
        assert flow is not None
        business = BusinessFields.model_validate(content["business"])
        groups = await skill_groups(session)
        if business.skill_group not in groups:  # nobody could ever take a call for it
            refuse([Problem("business.skill_group", "choice", f"one of {', '.join(sorted(groups))}")])
        return {"business": business.model_dump(), "flow": flow.model_dump(mode="json")}

    async def standing(self, session: AsyncSession, subject: str) -> tuple[int, Json]:
        query = select(BusinessFlow).where(
            col(BusinessFlow.business_code) == subject, col(BusinessFlow.active).is_(True)
        )
        row = (await session.scalars(query)).first()
        business = await session.get(Business, subject)
        if row is None or business is None:
            return 0, {}
        fields = BusinessFields.model_validate(business, from_attributes=True, extra="ignore")
        return await newest_version(session, subject), {"business": fields.model_dump(), "flow": row.content}

    async def apply(self, work: UnitOfWork, change: ControlledChange, author: Staff) -> None:
        business = await work.session.get(Business, change.subject, with_for_update=True)
        if business is None:
            business = Business(code=change.subject, position=100, **change.content["business"])
            work.session.add(business)
        else:
            business.sqlmodel_update(change.content["business"])
        await work.session.flush()
        version = change.based_on + 1
        await add_version(work, change.subject, version, change.content["flow"], change.note, by=author.display_name)


class RulesSubject:
    """The whole table of review rules; ``{"rules"}``."""

    async def check(self, session: AsyncSession, subject: str, content: Json) -> Json:
        try:
            rules = _RULES.validate_python(content["rules"])
        except ValidationError as error:
            found = problems_in(error, "rules")
            told = [{"at": each.at, "problem": each.problem, "text": each.text} for each in found]
            raise BadInputError("a rule is not right", code="review.rules_invalid", problems=told) from None
        known = {ANY, *(await session.scalars(select(Business.code))).all()}
        unknown = [number for number, rule in enumerate(rules) if rule.business not in known]
        if unknown or not rules:
            problems = [{"at": f"rules.{n}.business", "problem": "choice", "text": "no such business"} for n in unknown]
            raise BadInputError("a rule is not right", code="review.rules_invalid", problems=problems)
        return {"rules": [rule.model_dump() for rule in rules]}

    async def standing(self, session: AsyncSession, subject: str) -> tuple[int, Json]:
        query = select(func.count()).where(
            col(ControlledChange.kind) == "review_rules", col(ControlledChange.state) == ChangeState.APPROVED
        )
        rules = [rule.model_dump() for rule in await stored_rules(session)]
        return 1 + (await session.scalars(query)).one(), {"rules": rules}

    async def apply(self, work: UnitOfWork, change: ControlledChange, author: Staff) -> None:
        await work.session.execute(delete(ReviewRuleRow))
        for position, rule in enumerate(change.content["rules"]):
            work.session.add(ReviewRuleRow(position=position, content=rule))


class LevelSubject:
    """The authorisation level of a supervisor; ``{"level"}``, 0 for none. Its version is the level itself."""

    async def check(self, session: AsyncSession, subject: str, content: Json) -> Json:
        staff = await session.get(Staff, subject)
        if staff is None or not staff.active or Role.SUPERVISOR not in staff.roles:
            raise NotFoundError("there is no such supervisor", code="staff.not_found")
        if content["level"] == await level_of(session, subject):
            raise ConflictError("this is the level in force", code="change.nothing")
        return {"level": content["level"]}

    async def standing(self, session: AsyncSession, subject: str) -> tuple[int, Json]:
        level = await level_of(session, subject)
        return level, {"level": level}

    async def apply(self, work: UnitOfWork, change: ControlledChange, author: Staff) -> None:
        row, level = await work.session.get(AuthorisationLevel, change.subject), change.content["level"]
        if not level:
            await work.session.delete(row)
            return
        now = work.clock.now()
        if row is None:
            row = AuthorisationLevel(staff_id=change.subject, level=level, set_by=author.id, at=now)
        row.level, row.set_by, row.at = level, author.id, now
        work.session.add(row)


def subjects(kinds: Kinds) -> Mapping[str, Subject]:
    """Every kind of change, by name."""
    return {"flow": FlowSubject(kinds), "review_rules": RulesSubject(), "authorisation": LevelSubject()}


async def skill_groups(session: AsyncSession) -> set[str]:
    """Groups there are: those of businesses and of tellers."""
    found = set((await session.scalars(select(Business.skill_group).distinct())).all())
    for groups in (await session.scalars(select(Staff.skill_groups).where(col(Staff.active).is_(True)))).all():
        found |= set(groups)
    return found
