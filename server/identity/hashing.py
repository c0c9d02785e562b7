"""Password hashing off the loop, and not more of it at once than the machine can bear."""

import asyncio

from core.security.passwords import hash_password, password_matches

HASHING_AT_ONCE = 4  # Argon2 takes 64 MiB and a core each: more at once would starve the calls


class Hashing:
    """Argon2 in threads. One per process."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(HASHING_AT_ONCE)

    async def hash(self, password: str) -> str:
        """A hash for storage."""
        async with self._free:
            return await asyncio.to_thread(hash_password, password)

    async def matches(self, password: str, stored: str | None) -> bool:
        """Whether it is the password; takes as long when there is none."""
        async with self._free:
            return await asyncio.to_thread(password_matches, password, stored)
