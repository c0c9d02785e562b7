"""What every process of the house opens first: secrets, Redis, bus, database, object store."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis

from core.bus import Bus
from core.clock import Clock, SystemClock
from core.db import Database
from core.security.keys import Secrets, load_secrets
from core.settings import Settings
from core.store import Store, open_store


@dataclass(frozen=True, slots=True)
class Connections:
    """Open connections of one process."""

    settings: Settings
    secrets: Secrets
    clock: Clock
    redis: Redis
    bus: Bus
    database: Database
    store: Store


@asynccontextmanager
async def open_connections(settings: Settings) -> AsyncIterator[Connections]:
    """Open everything, close everything. The supervisor has put both addresses into the settings."""
    if settings.database_url is None or settings.redis_url is None:
        raise RuntimeError("a process of the house is started by the supervisor, which knows the engines' addresses")
    clock = SystemClock()
    redis = Redis.from_url(settings.redis_url, health_check_interval=15)
    bus = Bus(redis)
    database = Database(settings.database_url, bus, clock)
    try:
        yield Connections(
            settings,
            load_secrets(settings.data_dir),
            clock,
            redis,
            bus,
            database,
            open_store(settings.store_url, settings.data_dir),
        )
    finally:
        await database.close()
        await redis.aclose()
