"""Object store: a local folder, S3 or compatible, behind one small interface (obstore)."""

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

from core.errors import NotFoundError, UnavailableError

if TYPE_CHECKING:  # it is in the stubs only
    from obstore.store import RetryConfig

_RETRY: "RetryConfig" = {
    "max_retries": 5,
    "retry_timeout": timedelta(seconds=30),
    "backoff": {"base": 2, "init_backoff": timedelta(milliseconds=200), "max_backoff": timedelta(seconds=5)},
}
"""A store that restarts or is overloaded is asked again for half a minute; then the caller is told."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What a store says of an object without giving it."""

    key: str
    size_b: int
    modified_at: datetime


class Store:
    """Objects by key. What is sensitive is encrypted before it gets here.

    Every method raises UnavailableError (``store.write_failed``, ``store.read_failed``) when the store does not do it,
    after several attempts.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def put(self, key: str, data: bytes | Path | AsyncIterator[bytes]) -> None:
        """Store an object whole; an existing one is replaced only when the new one is complete.

        Large files and pieces that come one after the other go up in parts, so that little memory is needed.
        """
        with _writing(key):
            await obstore.put_async(self._store, key, data)

    async def size_b(self, key: str) -> int:
        """Size of an object in bytes. NotFoundError when there is none."""
        with _reading(key):
            return int((await obstore.head_async(self._store, key))["size"])

    async def get(self, key: str) -> bytes:
        """A whole object. NotFoundError when there is none."""
        with _reading(key):
            result = await obstore.get_async(self._store, key)
            return bytes(await result.bytes_async())

    async def get_range(self, key: str, start: int, end: int) -> bytes:
        """Bytes ``start`` up to, not including, ``end``."""
        with _reading(key):
            return bytes(await obstore.get_range_async(self._store, key, start=start, end=end))

    async def stream(self, key: str, chunk_b: int = 1 << 20) -> AsyncIterator[bytes]:
        """An object piece by piece, so that large ones need little memory."""
        size = await self.size_b(key)
        for start in range(0, size, chunk_b):
            yield await self.get_range(key, start, min(start + chunk_b, size))

    async def delete(self, key: str) -> None:
        """Remove an object; it is fine when there is none."""
        with _writing(key), contextlib.suppress(*_GONE):
            await obstore.delete_async(self._store, key)

    async def keys(self, folder: str) -> list[str]:
        """Keys of all objects under a folder, sorted."""
        return [found.key for found in await self.objects(folder)]

    async def objects(self, folder: str) -> list[StoredObject]:
        """All objects under a folder, by key."""
        found: list[StoredObject] = []
        with _reading(folder):
            async for batch in obstore.list(self._store, prefix=folder):
                found += [StoredObject(meta["path"], meta["size"], meta["last_modified"]) for meta in batch]
        return sorted(found, key=lambda each: each.key)


_GONE = (obstore.exceptions.NotFoundError, FileNotFoundError)
_FAILED = (obstore.exceptions.BaseError, OSError)


@contextlib.contextmanager
def _reading(key: str) -> Iterator[None]:
    try:
        yield
    except _GONE:
        raise NotFoundError(f"no object {key}", code="store.not_found") from None
    except _FAILED as error:
        raise UnavailableError(f"the store does not give {key}: {error}", code="store.read_failed") from error


@contextlib.contextmanager
def _writing(key: str) -> Iterator[None]:
    try:
        yield
    except _FAILED as error:
        raise UnavailableError(f"the store does not take {key}: {error}", code="store.write_failed") from error


def open_store(url: str | None, data_dir: Path, config: Mapping[str, str] | None = None) -> Store:
    """Open the configured store, or the local folder ``<data_dir>/objects``.

    Args:
        config: Names as in the environment (``aws_endpoint`` …); what is not in it is read from there.
    """
    if url is None:
        folder = data_dir.resolve() / "objects"
        folder.mkdir(parents=True, exist_ok=True)
        return Store(LocalStore(str(folder)))
    if url.startswith("file:"):
        return Store(from_url(url))
    own: Any = dict(config or {})
    # The library takes this one from the environment, but not from a configuration.
    plain = own.pop("aws_allow_http", "").casefold() == "true"
    options: Any = {"allow_http": True} if plain else None
    return Store(from_url(url, config=own, client_options=options, retry_config=_RETRY))
