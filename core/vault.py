"""Documents in the object store: encrypted with the master key and bound to their object key, or with an own key."""

from core.security.keys import MasterKey, unwrap_key, wrap_key
from core.store import Store


def vault_context(key: str) -> str:
    """What a document of the vault is bound to."""
    return f"object {key}"


class Vault:
    """Puts and gets small documents (they are encrypted in one piece)."""

    def __init__(self, store: Store, master_key: MasterKey) -> None:
        self._store = store
        self._master_key = master_key

    async def put(self, key: str, data: bytes) -> None:
        """Store a document. UnavailableError ``store.write_failed``."""
        await self._store.put(key, wrap_key(self._master_key, data, vault_context(key)))

    async def get(self, key: str) -> bytes:
        """A document again. NotFoundError ``store.not_found``; SecretsError when it was changed or moved."""
        return unwrap_key(self._master_key, await self._store.get(key), vault_context(key))

    async def get_own(self, key: str, wrapped_key: bytes, owner: str, context: str) -> bytes:
        """A document that has a key of its own, wrapped for `owner` and itself bound to `context`."""
        return unwrap_key(unwrap_key(self._master_key, wrapped_key, owner), await self._store.get(key), context)
