"""Single processes of an installation on many machines: what they need, and asking media nodes to drain."""

from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.errors import NotFoundError, UnavailableError
from core.heartbeats import alive, ask_to_drain
from core.settings import Settings
from server.app.supervisor import StartError, check_data_dir, check_pages


def check(settings: Settings, role: str) -> None:
    """Refuse to start without what all machines share. StartError says what is missing."""
    if settings.database_url is None:
        raise StartError(f"the {role} needs --database-url (or AIRCOUNTER_DATABASE_URL)", code="start.no_database")
    if settings.redis_url is None:
        raise StartError(f"the {role} needs --redis-url (or AIRCOUNTER_REDIS_URL)", code="start.no_redis")
    if settings.bank_url is None and role != "media":
        raise StartError(f"the {role} needs AIRCOUNTER_BANK_URL: the core system", code="start.no_bank")
    check_data_dir(settings.data_dir)
    if role == "edge":
        check_pages()


def environment(settings: Settings) -> dict[str, str]:
    """The settings for the process that takes this one's place."""
    chosen = settings.model_dump(exclude_none=True)
    return {f"AIRCOUNTER_{key.upper()}": str(value) for key, value in chosen.items()}


async def nodes(settings: Settings) -> dict[str, dict[str, Any]]:
    """Media nodes that are alive. UnavailableError ``redis.unreachable``."""
    redis = _connect(settings)
    try:
        found = await alive(redis, "media")
    except (RedisError, OSError) as error:
        raise _unreachable(error) from error
    finally:
        await redis.aclose()
    return found


async def drain(settings: Settings, node: str, on: bool) -> None:
    """Ask a node to drain, or to take calls again.

    Raises:
        NotFoundError: ``node.not_found``. UnavailableError: ``redis.unreachable``.
    """
    redis = _connect(settings)
    try:
        if on and node not in (found := await alive(redis, "media")):
            raise NotFoundError(f"no such media node is alive; there are: {', '.join(found)}", code="node.not_found")
        await ask_to_drain(redis, node, on)
    except (RedisError, OSError) as error:
        raise _unreachable(error) from error
    finally:
        await redis.aclose()


def _connect(settings: Settings) -> Redis:
    if settings.redis_url is None:
        raise StartError("name it with --redis-url (or AIRCOUNTER_REDIS_URL)", code="start.no_redis")
    return Redis.from_url(settings.redis_url)


def _unreachable(error: Exception) -> UnavailableError:
    return UnavailableError(f"Redis does not answer ({error})", code="redis.unreachable")
