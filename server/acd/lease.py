"""One dispatcher at a time: a lease in Redis with a fencing token."""

from redis.asyncio import Redis

from core.clock import Clock

LEASE_S = 5.0
RENEW_S = 1.5

_RENEW = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0"
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class Lease:
    """Held by at most one process. The lease only avoids double work: offers are compare-and-set on their rows, so a
    process that believes too long that it holds the lease does no harm.

    Attributes:
        token: Rises with every new holder; None when not held.
    """

    def __init__(self, redis: Redis, clock: Clock, name: str) -> None:
        self._redis = redis
        self._clock = clock
        self._key = f"lease:{name}"
        self._renew = redis.register_script(_RENEW)
        self._release = redis.register_script(_RELEASE)
        self._renewed_s = 0.0
        self.token: int | None = None

    async def hold(self) -> bool:
        """Take or keep the lease; asks Redis only when it is time to renew."""
        now = self._clock.monotonic_s()
        if self.token is not None:
            if now - self._renewed_s < RENEW_S:
                return True
            if await self._renew(keys=[self._key], args=[self.token, int(LEASE_S * 1000)]):
                self._renewed_s = now
                return True
            self.token = None
        if await self._redis.exists(self._key):
            return False
        token = int(await self._redis.incr(f"{self._key}:token"))
        if await self._redis.set(self._key, token, nx=True, px=int(LEASE_S * 1000)):
            self.token, self._renewed_s = token, now
        return self.token is not None

    async def release(self) -> None:
        """Let another process take over at once."""
        if self.token is not None:
            await self._release(keys=[self._key], args=[self.token])
            self.token = None
