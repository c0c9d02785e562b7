"""Looks for tickets whose time has passed."""

import asyncio

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from core.events import CallRated
from core.jobs import Subscription
from server.tickets.service import TicketService

log = structlog.get_logger(__name__)

WATCH_S = 30.0


def subscriptions(service: TicketService) -> list[Subscription]:
    """Facts handled as jobs, for a worker."""
    return [Subscription(CallRated, "tickets.low_rating", service.on_rated)]


async def watch(service: TicketService) -> None:
    """Escalate what is late, for ever. Any number may run: rows are taken one by one."""
    while True:
        try:
            await service.escalate_overdue()
        except (SQLAlchemyError, RedisError, OSError) as error:
            log.warning("ticket watch failed", error=str(error))
        await asyncio.sleep(WATCH_S)
