"""Contents of a call's objects, in the clear, one after the other; and how a finished package is put away."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO

from core.errors import CounterError, NotFoundError, UnavailableError
from core.store import Store
from core.vault import Vault
from recording.catalogue.service import Catalogue
from recording.evidence.collect import Collected
from recording.evidence.package import PackageFile
from recording.export.service import ExportFile
from recording.seal import HEADER_B, Sealed, SealedFile, seal

_SUFFIX = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


class Contents:
    """Opens objects for packages."""

    def __init__(self, store: Store, vault: Vault, catalogue: Catalogue) -> None:
        self._store = store
        self._vault = vault
        self._catalogue = catalogue

    async def of(self, found: Collected) -> AsyncIterator[PackageFile]:
        """Contents, one after the other; a recording lies in a private folder while it is packed."""
        recording = found.recording
        for file in found.files:
            suffix = "" if file.track == "main" else f"-{file.track}"
            async with self._catalogue.plain_file(file.id) as path:
                if await asyncio.to_thread(_sha256, path) != file.sha256:
                    raise CounterError("a recording is not as it was stored", code="evidence.recording_changed")
                yield PackageFile(f"recordings/{file.party}{suffix}{path.suffix}", "recording", path)
        if recording is not None and recording.manifest_key is not None:
            manifest = await self._get(recording.manifest_key)
            yield PackageFile("recordings/manifest.json", "recording_manifest", manifest)
        for row in found.documents:
            if not row.wrapped_key:  # a face whose consent was taken back: its row says that it was there
                continue
            content = await self._own_object(row.object_key, row.wrapped_key, row.id, row.id)
            name = f"documents/{row.code}-{row.id}.{_SUFFIX.get(row.content_type, 'bin')}"
            yield PackageFile(name, "document", content)
        for signed in found.signed:
            yield PackageFile(
                f"signatures/{signed.code}.read.pdf", "document", await self._vault_object(signed.object_key)
            )
            if signed.sealed_key is not None:
                sealed = await self._vault_object(signed.sealed_key)
                yield PackageFile(f"signatures/{signed.code}.signed.pdf", "sealed_pdf", sealed)
        for voucher in found.vouchers:
            if voucher.object_key is not None:
                pdf = await self._vault_object(voucher.object_key)
                yield PackageFile(f"vouchers/{voucher.code}.pdf", "sealed_pdf", pdf)
        for image in found.images:
            if image.object_key is not None and image.wrapped_key is not None:
                key = image.object_key
                content = await self._own_object(key, image.wrapped_key, key, key)
                yield PackageFile(f"chat/{image.id}.{_SUFFIX.get(image.media_type or '', 'bin')}", "chat", content)

    async def _get(self, key: str) -> bytes:
        return await _there(self._store.get(key))

    async def _vault_object(self, key: str) -> bytes:
        return await _there(self._vault.get(key))

    async def _own_object(self, key: str, wrapped_key: bytes, owner: str, context: str) -> bytes:
        return await _there(self._vault.get_own(key, wrapped_key, owner, context))


async def put_verified(store: Store, key: str, path: Path, made: Sealed, data_key: bytes, file_id: str) -> None:
    """Store a sealed file and read it back. UnavailableError ``recording.verify_failed`` when it differs."""
    await store.put(key, path)
    file = ExportFile(store, key, SealedFile(await store.get_range(key, 0, HEADER_B), data_key, file_id))
    digest = hashlib.sha256()
    for start in range(0, file.size_b, file.step_b):
        digest.update(await file.read(start))
    if digest.hexdigest() != made.plain_sha256:
        raise UnavailableError("the stored file differs from the one made", code="recording.verify_failed")


async def _there(getting: Any) -> bytes:
    """An object's content; one that is gone will not come back by trying again."""
    try:
        content: bytes = await getting
    except NotFoundError as error:
        raise CounterError(str(error), code="evidence.object_gone") from error
    return content


def seal_into(plain: BinaryIO, target_path: Path, data_key: bytes, file_id: str) -> Sealed:
    """Seal a whole open file under a key."""
    size_b = plain.seek(0, os.SEEK_END)
    plain.seek(0)
    with target_path.open("wb") as target:
        return seal(plain, size_b, target, data_key, file_id)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
