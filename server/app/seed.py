"""What a fresh database needs before the first customer comes."""

from core.clock import SystemClock
from core.db import Database
from core.security.actor import system_actor
from core.settings import Settings
from qa.rules.book import seed_rules
from qa.sampling.seed import seed_demo_plan
from server.acd.seed import seed_routing
from server.counter.catalogue import seed_businesses
from server.counter.flow_store import seed_flows
from server.counter.review.requests import seed_demo_levels, seed_review_rules
from server.identity.seed import seed_demo_staff
from server.knowledge.seed import seed_articles


async def seed(settings: Settings) -> None:
    """Bring the packaged catalogue up to date; add demo staff when asked for. Safe to run at every start."""
    assert settings.database_url is not None
    database = Database(settings.database_url, None, SystemClock())
    try:
        async with database.unit_of_work(system_actor("seed")) as work:
            await seed_businesses(work)
            await seed_rules(work)
            await seed_articles(work)
            await seed_flows(work)
            await seed_routing(work, always_open=settings.demo)
            await seed_review_rules(work)
            if settings.demo:
                await seed_demo_staff(work)
                await seed_demo_plan(work)
                await work.session.flush()
                await seed_demo_levels(work)
    finally:
        await database.close()
