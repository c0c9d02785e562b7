"""The job that packs what is kept about a customer: one signed ZIP, the own data in full, others covered."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlmodel import col, select

from core.db import Database
from core.errors import CounterError, UnavailableError
from core.events import SubjectExportAsked
from core.jobs import Subscription
from core.models import Call, CallState
from core.models.retention import SubjectRequest, SubjectRequestState
from core.security.actor import system_actor
from core.security.keys import MasterKey, new_data_key, wrap_key
from core.security.seal import Seal
from core.security.sealing import Sealer
from core.store import Store
from core.vault import Vault
from recording.catalogue.service import Catalogue
from recording.evidence.collect import Collected, Collector
from recording.evidence.contents import Contents, put_verified, seal_into
from recording.evidence.maker import Wording
from recording.evidence.package import PackageFile, PackageWriter, canonical
from recording.seal import Sealed
from recording.subject.masking import subject_json
from recording.subject.service import calls_in_order

log = structlog.get_logger(__name__)

_ACTOR = system_actor("subject requests")
KEPT_FOR = timedelta(days=7)
UPKEEP_S = 600.0
README = """本文件包是本行保存的与您本人有关的资料。其他人的姓名和账号已遮盖；录像只包含您本人的画面和声音。
manifest.json 列出全部文件及其 SHA-256，manifest.sig 为本行签名，certificate.pem 为签名证书。

This package holds what the bank keeps about you. Names and accounts of others are covered; the recordings are your
own picture and voice only. manifest.json names every file with its SHA-256 and is signed by the bank.
"""


class SubjectPackages:
    """The worker's part of customers' exports."""

    def __init__(self, database: Database, store: Store, master_key: MasterKey, seal: Seal, wording: Wording) -> None:
        self._database = database
        self._store = store
        self._master_key = master_key
        self._seal = seal
        self._wording = wording
        self._contents = Contents(store, Vault(store, master_key), Catalogue(database, store, master_key))

    async def on_asked(self, event: SubjectExportAsked) -> None:
        """Make the package. What is missing or damaged ends it as FAILED with a code; all else is tried again."""
        async with self._database.read() as session:
            row = await session.get_one(SubjectRequest, event.request_id)
        if row.state != SubjectRequestState.RUNNING:
            return
        try:
            await self._make(row)
        except CounterError as error:
            if error.retryable:
                raise
            log.error("customer's package not made", request_id=row.id, code=error.code, exc_info=error)
            async with self._database.unit_of_work(_ACTOR) as work:
                stored = await work.session.get_one(SubjectRequest, row.id, with_for_update=True)
                stored.state, stored.error, stored.finished_at = (
                    SubjectRequestState.FAILED,
                    error.code,
                    work.clock.now(),
                )

    async def _make(self, row: SubjectRequest) -> None:
        data_key, key = new_data_key(), f"subjects/{row.id}.sealed"
        folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="aircounter-")
        try:
            path = Path(folder.name) / "package.sealed"
            with tempfile.TemporaryFile(dir=folder.name) as plain:  # never has a name
                outcome = await self._write(plain, row)
                made = await asyncio.to_thread(seal_into, plain, path, data_key, row.id)
            await put_verified(self._store, key, path, made, data_key, row.id)
        finally:
            await asyncio.to_thread(folder.cleanup)
        await self._done(row.id, key, wrap_key(self._master_key, data_key, row.id), made, outcome)

    async def _write(self, plain: BinaryIO, row: SubjectRequest) -> list[dict[str, object]]:
        writer, outcome = PackageWriter(plain), list[dict[str, object]]()
        async with self._database.read() as session:
            calls = await calls_in_order(session, row.calls)
        for call in calls:
            told: dict[str, object] = {"call_number": call.number, "data_class": None, "until": None}
            if call.state != CallState.CLOSED:
                outcome.append({**told, "result": "refused", "code": "not_over"})
                continue
            async for file in self._of(call):
                await asyncio.to_thread(writer.add, replace(file, path=f"calls/{call.number}/{file.path}"))
            outcome.append({**told, "result": "given", "code": None})
        writer.add(PackageFile("README.txt", "page", README.encode()))
        head = {
            "request_id": row.id,
            "subject": row.subject,
            "made_at": self._database.clock.now().isoformat(),
        }
        await asyncio.to_thread(writer.close, head, self._seal)
        return outcome

    async def _of(self, call: Call) -> AsyncIterator[PackageFile]:
        async with self._database.read() as session:
            await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            found = await Collector(session, Sealer(self._master_key), call).collect()
        for consent in found.json["consents.json"]:
            consent["wording"] = self._wording(consent["purpose"], consent["wording_version"])
        async for file in self._contents.of(_own(found)):
            yield file
        for name, content in subject_json(found.json).items():
            yield PackageFile(name, "data", canonical(content))

    async def _done(
        self, request_id: str, key: str, wrapped: bytes, made: Sealed, outcome: list[dict[str, object]]
    ) -> None:
        async with self._database.unit_of_work(_ACTOR) as work:
            row = await work.session.get_one(SubjectRequest, request_id, with_for_update=True)
            now = work.clock.now()
            refused = any(line["result"] == "refused" for line in outcome)
            row.state = SubjectRequestState.PARTLY if refused else SubjectRequestState.DONE
            row.object_key, row.wrapped_key, row.size_b, row.sha256 = key, wrapped, made.plain_b, made.plain_sha256
            row.outcome, row.finished_at, row.expires_at = outcome, now, now + KEPT_FOR
            work.audit("subject.packed", "subject_request", row.id, sha256=row.sha256, calls=len(outcome))

    async def run(self) -> None:
        """Remove old packages, until cancelled."""
        while True:
            try:
                await self.expire()
            except (OperationalError, InterfaceError, OSError, UnavailableError) as error:
                log.warning("old packages of customers not removed", error=str(error))
            await asyncio.sleep(UPKEEP_S)

    async def expire(self) -> int:
        """One pass; how many were removed. The object goes first: a crash between leaves a row to try again."""
        query = select(SubjectRequest).where(
            col(SubjectRequest.object_key).is_not(None),
            col(SubjectRequest.expires_at) <= self._database.clock.now(),
        )
        async with self._database.read() as session:
            rows = (await session.scalars(query)).all()
        for row in rows:
            await self._store.delete(str(row.object_key))
            async with self._database.unit_of_work(_ACTOR) as work:
                stored = await work.session.get_one(SubjectRequest, row.id, with_for_update=True)
                stored.object_key, stored.wrapped_key = None, None
                work.audit("subject.expired", "subject_request", row.id)
        return len(rows)


def _own(found: Collected) -> Collected:
    """The customer's own picture and voice; papers and pictures the customer handed in or was given."""
    return replace(
        found,
        files=[file for file in found.files if (file.party, file.track) == ("customer", "main")],
        images=[image for image in found.images if image.party == "customer"],
        recording=None,
    )


def subscriptions(packages: SubjectPackages) -> list[Subscription]:
    """The job that makes packages."""
    return [Subscription(SubjectExportAsked, "subject.export", packages.on_asked, max_attempts=3)]
