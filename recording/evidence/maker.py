"""Making evidence packages: collects, checks, packs, seals, verifies what was stored, and removes what is over."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database
from core.errors import CounterError, UnavailableError
from core.events import EvidenceRequested
from core.jobs import Subscription
from core.models.call import Call
from core.models.evidence import EvidenceExport, PackageState
from core.models.staff import Staff
from core.security.actor import system_actor
from core.security.keys import MasterKey, new_data_key, wrap_key
from core.security.seal import Seal
from core.security.sealing import Sealer
from core.store import Store
from core.vault import Vault
from recording.catalogue.service import Catalogue
from recording.evidence.collect import Collected, Collector
from recording.evidence.contents import Contents, put_verified, seal_into
from recording.evidence.package import PackageFile, PackageWriter, canonical
from recording.evidence.report import README, report_html
from recording.seal import Sealed

log = structlog.get_logger(__name__)

_ACTOR = system_actor("evidence")
KEPT_FOR = timedelta(days=7)
"""A package holds everything in one place; it is for handing on, not for keeping here."""

UPKEEP_S = 600.0
Wording = Callable[[str, str], dict[str, str] | None]
"""Texts of a consent by purpose and version, ``{"zh-CN": …, "en": …}``."""


class PackageMaker:
    """The worker's part. A package is made by a job and kept a week."""

    def __init__(self, database: Database, store: Store, master_key: MasterKey, seal: Seal, wording: Wording) -> None:
        self._database = database
        self._store = store
        self._master_key = master_key
        self._seal = seal
        self._wording = wording
        self._contents = Contents(store, Vault(store, master_key), Catalogue(database, store, master_key))

    async def on_requested(self, event: EvidenceRequested) -> None:
        """Make the package. What is missing or damaged ends it as FAILED with a code; all else is tried again."""
        async with self._database.read() as session:
            row = await session.get_one(EvidenceExport, event.export_id)
        if row.state not in (PackageState.WAITING, PackageState.RUNNING):
            return
        await self._set(row.id, state=PackageState.RUNNING, progress=0.0)
        try:
            await self._make(row)
        except CounterError as error:
            if error.retryable:
                raise
            log.error("evidence package not made", export_id=row.id, code=error.code, exc_info=error)
            await self._set(row.id, state=PackageState.FAILED, error=error.code)

    async def _make(self, row: EvidenceExport) -> None:
        async with self._snapshot() as session:
            call = await session.get_one(Call, row.call_id)
            staff = await session.get_one(Staff, row.requested_by)
            found = await Collector(session, Sealer(self._master_key), call).collect()
        for consent in found.json["consents.json"]:
            consent["wording"] = self._wording(consent["purpose"], consent["wording_version"])
        head = {
            "export_id": row.id,
            "call_id": call.id,
            "call_number": call.number,
            "purpose": row.purpose,
            "made_for": f"{staff.staff_number} {staff.display_name}",
            "made_at": self._database.clock.now().isoformat(),
        }
        data_key = new_data_key()
        folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="aircounter-")
        try:
            sealed_path = Path(folder.name) / "package.sealed"
            with tempfile.TemporaryFile(dir=folder.name) as plain:  # never has a name
                manifest_sha256 = await self._write(plain, row.id, found, head)
                made = await asyncio.to_thread(seal_into, plain, sealed_path, data_key, row.id)
            await self._keep(row.id, sealed_path, made, data_key, manifest_sha256)
        finally:
            await asyncio.to_thread(folder.cleanup)

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[AsyncSession]:
        async with self._database.read() as session:
            await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            yield session

    async def _write(self, plain: BinaryIO, export_id: str, found: Collected, head: dict[str, Any]) -> str:
        writer, paths = PackageWriter(plain), list[str]()
        total = len(found.files) + len(found.documents) + 2 * len(found.signed) + len(found.vouchers) + 1
        async for file in self._contents.of(found):
            await asyncio.to_thread(writer.add, file)
            paths.append(file.path)
            await self._set(export_id, progress=min(0.9, 0.9 * len(paths) / total))
        plain_files = [PackageFile(path, "data", canonical(data)) for path, data in found.json.items()]
        paths += [file.path for file in plain_files]
        report = report_html(head, found.json, paths)
        for file in (*plain_files, PackageFile("report.html", "page", report)):
            await asyncio.to_thread(writer.add, file)
        writer.add(PackageFile("README.txt", "page", README.encode()))
        return await asyncio.to_thread(writer.close, head, self._seal)

    async def _keep(self, export_id: str, path: Path, made: Sealed, data_key: bytes, manifest_sha256: str) -> None:
        key = f"evidence/{export_id}.sealed"
        await put_verified(self._store, key, path, made, data_key, export_id)
        now = self._database.clock.now()
        async with self._database.unit_of_work(_ACTOR) as work:
            row = await work.session.get_one(EvidenceExport, export_id, with_for_update=True)
            row.state, row.progress, row.error = PackageState.READY, 1.0, None
            row.object_key, row.wrapped_key = key, wrap_key(self._master_key, data_key, export_id)
            row.size_b, row.sha256, row.manifest_sha256 = made.plain_b, made.plain_sha256, manifest_sha256
            row.finished_at, row.expires_at = now, now + KEPT_FOR
            work.audit(
                "evidence.ready", "call", row.call_id, export=row.id, sha256=row.sha256, manifest=manifest_sha256
            )

    async def _set(self, export_id: str, **fields: object) -> None:
        async with self._database.unit_of_work(_ACTOR) as work:
            row = await work.session.get_one(EvidenceExport, export_id, with_for_update=True)
            for name, value in fields.items():
                setattr(row, name, value)

    async def run(self) -> None:
        """Remove old packages, until cancelled."""
        while True:
            try:
                await self.expire()
            except (OperationalError, InterfaceError, OSError, UnavailableError) as error:
                log.warning("old evidence packages not removed", error=str(error))
            await asyncio.sleep(UPKEEP_S)

    async def expire(self) -> int:
        """One pass; how many were removed. The object goes first: a crash between leaves a row to try again."""
        query = select(EvidenceExport).where(
            col(EvidenceExport.state) == PackageState.READY,
            col(EvidenceExport.expires_at) <= self._database.clock.now(),
        )
        async with self._database.read() as session:
            rows = (await session.scalars(query)).all()
        for row in rows:
            if row.object_key is not None:
                await self._store.delete(row.object_key)
            async with self._database.unit_of_work(_ACTOR) as work:
                stored = await work.session.get_one(EvidenceExport, row.id, with_for_update=True)
                stored.state, stored.object_key, stored.wrapped_key = PackageState.EXPIRED, None, None
                work.audit("evidence.expire", "call", row.call_id, export=row.id)
        return len(rows)


def subscriptions(maker: PackageMaker) -> list[Subscription]:
    """The job that makes packages."""
    return [Subscription(EvidenceRequested, "recording.evidence", maker.on_requested, max_attempts=3)]
