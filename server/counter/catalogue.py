"""The business catalogue: packaged data, kept in the database so that rows can refer to it."""

from functools import lru_cache
from importlib import resources

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import UnitOfWork
from core.errors import NotFoundError
from core.models.business import Business
from core.models.change import ChangeState, ControlledChange


class BusinessEntry(BaseModel):
    """One entry of ``data/businesses.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    name_zh: str = Field(min_length=1)
    name_en: str = Field(min_length=1)
    hint_zh: str = Field(min_length=1)
    hint_en: str = Field(min_length=1)
    skill_group: str = Field(min_length=1)
    recording_required: bool


@lru_cache(maxsize=1)
def packaged_businesses() -> tuple[BusinessEntry, ...]:
    """The catalogue as shipped, in the order shown to customers."""
    text = (resources.files("server.counter") / "data" / "businesses.yaml").read_text(encoding="utf-8")
    entries = TypeAdapter(tuple[BusinessEntry, ...]).validate_python(yaml.safe_load(text)["businesses"])
    if len({entry.code for entry in entries}) != len(entries):
        raise ValueError("business codes must be unique")
    return entries


async def seed_businesses(work: UnitOfWork) -> None:
    """Bring the rows up to the shipped catalogue. What the bank has changed of a business stays as it is."""
    changed_here = select(ControlledChange.subject).where(
        col(ControlledChange.kind) == "flow", col(ControlledChange.state) == ChangeState.APPROVED
    )
    kept = set((await work.session.scalars(changed_here)).all())
    for position, entry in enumerate(packaged_businesses()):
        if entry.code in kept:
            continue
        values = {**entry.model_dump(), "position": position}
        row = insert(Business).values(**values, enabled=True)
        changed = {name: value for name, value in values.items() if name != "code"}
        await work.session.execute(row.on_conflict_do_update(index_elements=["code"], set_=changed))


async def enabled_businesses(session: AsyncSession) -> list[Business]:
    """What customers can choose now."""
    query = select(Business).where(col(Business.enabled).is_(True))
    return list((await session.scalars(query.order_by(col(Business.position), col(Business.code)))).all())


async def enabled_business(session: AsyncSession, code: str) -> Business:
    """One business that can be chosen. NotFoundError ``business.not_found``."""
    business = await session.get(Business, code)
    if business is None or not business.enabled:
        raise NotFoundError("this business is not offered", code="business.not_found")
    return business
