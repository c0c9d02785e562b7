"""Object store: a local folder, S3 or compatible, behind one small interface (obstore)."""

from collections.abc import AsyncIterator
from pathlib import Path

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

from core.errors import NotFoundError, UnavailableError


class Store:
    """Objects by key. What is sensitive is encrypted before it gets here."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def put(self, key: str, data: bytes | Path) -> None:
        """Store an object whole; an existing one is replaced only when the new one is complete.

        Raises:
            UnavailableError: ``store.write_failed``.
        """
        try:
            await obstore.put_async(self._store, key, data)
        except (obstore.exceptions.BaseError, OSError) as error:
            raise UnavailableError(f"cannot store {key}: {error}", code="store.write_failed") from error

    async def size_b(self, key: str) -> int:
        """Size of an object in bytes. NotFoundError when there is none."""
        try:
            return int((await obstore.head_async(self._store, key))["size"])
        except (obstore.exceptions.NotFoundError, FileNotFoundError):
            raise NotFoundError(f"no object {key}", code="store.not_found") from None

    async def get(self, key: str) -> bytes:
        """A whole object. NotFoundError when there is none."""
        try:
            result = await obstore.get_async(self._store, key)
            return bytes(await result.bytes_async())
        except (obstore.exceptions.NotFoundError, FileNotFoundError):
            raise NotFoundError(f"no object {key}", code="store.not_found") from None

    async def get_range(self, key: str, start: int, end: int) -> bytes:
        """Bytes ``start`` up to, not including, ``end``."""
        try:
            return bytes(await obstore.get_range_async(self._store, key, start=start, end=end))
        except (obstore.exceptions.NotFoundError, FileNotFoundError):
            raise NotFoundError(f"no object {key}", code="store.not_found") from None

    async def stream(self, key: str, chunk_b: int = 1 << 20) -> AsyncIterator[bytes]:
        """An object piece by piece, so that large ones need little memory."""
        size = await self.size_b(key)
        for start in range(0, size, chunk_b):
            yield await self.get_range(key, start, min(start + chunk_b, size))

    async def delete(self, key: str) -> None:
        """Remove an object; it is fine when there is none."""
        try:
            await obstore.delete_async(self._store, key)
        except (obstore.exceptions.NotFoundError, FileNotFoundError):
            return

    async def keys(self, folder: str) -> list[str]:
        """Keys of all objects under a folder, sorted."""
        found: list[str] = []
        async for batch in obstore.list(self._store, prefix=folder):
            found += [str(meta["path"]) for meta in batch]
        return sorted(found)


def open_store(url: str | None, data_dir: Path) -> Store:
    """Open the configured store, or the local folder ``<data_dir>/objects``."""
    if url is None:
        folder = data_dir.resolve() / "objects"
        folder.mkdir(parents=True, exist_ok=True)
        return Store(LocalStore(str(folder)))
    return Store(from_url(url))
