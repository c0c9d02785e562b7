"""The routing's first set-up: packaged data, written once; what the bank has set up stays."""

from functools import lru_cache
from importlib import resources
from typing import Any

import yaml
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import select

from core.db import UnitOfWork
from core.models.business import Business
from core.models.queue import OpeningCalendar, ServiceQueue, SkillGroup


@lru_cache(maxsize=1)
def packaged_routing() -> dict[str, Any]:
    """``data/routing.yaml``."""
    text = (resources.files("server.acd") / "data" / "routing.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


async def seed_routing(work: UnitOfWork, always_open: bool) -> None:
    """Add what is missing: calendars, groups, and a queue for every business.

    Args:
        always_open: Queues made now are open around the clock (for demonstrations at any hour).
    """
    data = packaged_routing()
    for calendar in data["calendars"]:
        row = insert(OpeningCalendar).values(timezone="Asia/Shanghai", version=1, **calendar)
        await work.session.execute(row.on_conflict_do_nothing())
    for group in data["groups"]:
        values = {"reject_delay_s": 60.0, "missed_limit": 3, "overflow_after_s": 300.0, "version": 1} | group
        await work.session.execute(insert(SkillGroup).values(**values).on_conflict_do_nothing())
    for code in (await work.session.scalars(select(Business.code))).all():
        calendar_code = "always" if always_open or code in data["always"] else "personal"
        values = data["queue"] | {
            "business_code": code,
            "calendar_code": calendar_code,
            "customer_kind": "personal",
            "points": data["points"].get(code, 0),
            "version": 1,
        }
        await work.session.execute(insert(ServiceQueue).values(**values).on_conflict_do_nothing())
