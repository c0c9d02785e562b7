"""How often something may be tried, counted in Redis for all processes together."""

import ipaddress

from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.errors import RateLimitedError, UnavailableError


class RateLimiter:
    """Fixed windows: at most `limit` hits per key and window."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def hit(self, key: str, limit: int, window_s: int) -> None:
        """Count one attempt.

        Args:
            key: What is limited and for whom, e.g. ``login:192.0.2.7``.

        Raises:
            RateLimitedError: with ``retry_after_s`` when there were too many.
            UnavailableError: when nobody can count; an uncounted attempt is not let through.
        """
        name = f"rate:{key}"
        try:
            async with self._redis.pipeline(transaction=True) as pipe:
                # The window begins with its first hit: SET NX gives the counter its end exactly once.
                pipe.set(name, 0, ex=window_s, nx=True)
                pipe.incr(name)
                pipe.ttl(name)
                _, count, left_s = await pipe.execute()
        except (RedisError, OSError) as error:
            raise UnavailableError(f"attempts cannot be counted: {error}") from error
        if count > limit:
            raise RateLimitedError("too many attempts", retry_after_s=max(int(left_s), 1))


def address_key(address: str | None) -> str:
    """The part of an address that one party controls: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
