"""Documents in the object store: encrypted with the master key and bound to their object key."""

from core.security.keys import unwrap_key, wrap_key
from core.store import Store


class Vault:
    """Puts and gets small documents (they are encrypted in one piece)."""

    def __init__(self, store: Store, master_key: bytes) -> None:
        self._store = store
        self._master_key = master_key

    async def put(self, key: str, data: bytes) -> None:
        """Store a document. UnavailableError ``store.write_failed``."""
        await self._store.put(key, wrap_key(self._master_key, data, f"object {key}"))

    async def get(self, key: str) -> bytes:
        """A document again. NotFoundError ``store.not_found``; SecretsError when it was changed or moved."""
        return unwrap_key(self._master_key, await self._store.get(key), f"object {key}")
