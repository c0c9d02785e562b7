"""Files that prove a rectification: judged by content, each encrypted under a key of its own."""

import asyncio
import hashlib
import re

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database
from core.errors import ConflictError, NotFoundError
from core.files import SeenFile, look_at
from core.ids import new_id
from core.models.improvement import Rectification, RectificationFile, RectificationState
from core.models.staff import Staff
from core.security.actor import Actor
from core.security.keys import MasterKey, new_data_key, unwrap_key, wrap_key
from core.security.permissions import Permission
from core.store import Store
from qa.access import access_qa_call

MOST = 5
"""Files of one round."""

_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # also what turns a name around
_NAME_MAX = 100


class ProofShelf:
    """Keeps proof. What is in the object store can be opened only with the row's wrapped key."""

    def __init__(self, database: Database, store: Store, master_key: MasterKey) -> None:
        self._database = database
        self._store = store
        self._master_key = master_key

    async def add(self, actor: Actor, rectification_id: str, name: str, content: bytes, declared: str) -> None:
        """Put a file to the running round of an own rectification.

        Raises:
            NotFoundError: ``rectification.not_found``, also for somebody else's. ConflictError:
            ``rectification.wrong_state``, ``rectification.files`` (there are enough). BadInputError: ``document.…``
            when the file is none of JPEG, PNG, PDF, damaged, active or too large. UnavailableError:
            ``store.write_failed``.
        """
        actor.require(Permission.EVALUATION_OWN)
        async with self._database.read() as session:
            owner = await _own_open(session, actor, rectification_id)
        seen = await asyncio.to_thread(look_at, content, declared)
        file_id, key = new_id("proof"), new_data_key()
        row = RectificationFile(
            id=file_id,
            rectification_id=owner.id,
            round=owner.round,
            name=shown_name(name, seen),
            content_type=seen.content_type,
            pages=seen.pages,
            size_b=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            object_key=f"rectifications/{owner.id}/{file_id}",
            wrapped_key=wrap_key(self._master_key, key, file_id),
            added_at=self._database.clock.now(),
        )
        object_key = row.object_key
        await self._store.put(object_key, wrap_key(key, content, file_id))
        try:
            await self._keep(actor, row)
        except BaseException:
            await self._store.delete(object_key)
            raise

    async def _keep(self, actor: Actor, row: RectificationFile) -> None:
        async with self._database.unit_of_work(actor) as work:
            owner = await _own_open(work.session, actor, row.rectification_id, lock=True)
            row.round = owner.round
            count = select(func.count()).where(
                col(RectificationFile.rectification_id) == owner.id, col(RectificationFile.round) == owner.round
            )
            if int((await work.session.scalar(count)) or 0) >= MOST:
                raise ConflictError("there are enough files", code="rectification.files", most=MOST)
            work.session.add(row)
            work.audit("rectification.file_add", "rectification", owner.id, file_id=row.id, sha256=row.sha256)

    async def remove(self, actor: Actor, file_id: str) -> None:
        """Take a file back while the round is open. NotFoundError, ConflictError: as for `add`."""
        actor.require(Permission.EVALUATION_OWN)
        async with self._database.unit_of_work(actor) as work:
            row = await work.session.get(RectificationFile, file_id)
            if row is None:
                raise _no_file()
            owner = await _own_open(work.session, actor, row.rectification_id, lock=True)
            if row.round != owner.round:
                raise ConflictError("this file was handed in", code="rectification.wrong_state")
            object_key = row.object_key
            await work.session.delete(row)
            work.audit("rectification.file_remove", "rectification", owner.id, file_id=file_id, sha256=row.sha256)
        await self._store.delete(object_key)

    async def open(self, actor: Actor, file_id: str) -> tuple[bytes, str]:
        """Bytes and media type, for the teller, the supervisor of the team and who may inspect the call; audited.

        Raises:
            NotFoundError: ``rectification.no_file``, also for whom it does not concern. DeniedError: as for opening
            the call.
        """
        async with self._database.unit_of_work(actor) as work:
            row = await work.session.get(RectificationFile, file_id)
            if row is None:
                raise _no_file()
            await _may_see(work.session, actor, await work.session.get_one(Rectification, row.rectification_id))
            work.audit("rectification.file_open", "rectification", row.rectification_id, file_id=file_id)
        key = unwrap_key(self._master_key, row.wrapped_key, row.id)
        return unwrap_key(key, await self._store.get(row.object_key), row.id), row.content_type


def shown_name(name: str, seen: SeenFile) -> str:
    """A name fit to be shown: no path, nothing that turns text around, and the ending that the content has."""
    stem = _UNFIT.sub("", name).replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0].strip(" .")
    ending = {"image/jpeg": "jpg", "image/png": "png", "application/pdf": "pdf"}[seen.content_type]
    return f"{stem[:_NAME_MAX] or 'proof'}.{ending}"


async def _own_open(session: AsyncSession, actor: Actor, rectification_id: str, *, lock: bool = False) -> Rectification:
    row = await session.get(Rectification, rectification_id, with_for_update=lock)
    if row is None or row.teller_id != actor.staff_id:
        raise NotFoundError("there is no such rectification of yours", code="rectification.not_found")
    if row.state != RectificationState.OPEN:
        raise ConflictError("the proof was handed in", code="rectification.wrong_state", state=row.state)
    return row


async def _may_see(session: AsyncSession, actor: Actor, row: Rectification) -> None:
    if actor.may(Permission.EVALUATION_OWN) and row.teller_id == actor.staff_id:
        return
    if actor.may(Permission.APPEAL_SUPPORT):
        me, teller = await session.get_one(Staff, actor.staff_id), await session.get_one(Staff, row.teller_id)
        if me.team is not None and me.team == teller.team:
            return
    if not actor.may(Permission.QA_VIEW):
        raise _no_file()
    await access_qa_call(session, actor, row.call_id)


def _no_file() -> NotFoundError:
    return NotFoundError("there is no such file", code="rectification.no_file")
