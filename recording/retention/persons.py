"""Whose call it was, without saying who: a keyed digest of the ID number, under a key that only this house has."""

import asyncio
import hashlib
import hmac

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from core.db import Database
from core.events import CaseEnded
from core.jobs import Subscription
from core.models.case import BusinessCase
from core.models.retention import DataKey, PersonCall
from core.security.actor import system_actor
from core.security.keys import MasterKey, new_data_key, unwrap_key, wrap_key
from core.security.sealing import Sealer

_ACTOR = system_actor("retention")
_PURPOSE = "person index"


class PersonIndex:
    """Finds all calls of a person by the ID number. The number itself is never stored in the clear."""

    def __init__(self, database: Database, master_key: MasterKey) -> None:
        self._database = database
        self._master_key = master_key
        self._sealer = Sealer(master_key)
        self._key: bytes | None = None
        self._making = asyncio.Lock()

    async def person_key(self, id_number: str) -> str:
        """The digest that stands for a person."""
        key = await self._index_key()
        return hmac.new(key, id_number.strip().upper().encode(), hashlib.sha256).hexdigest()

    async def calls_of(self, person_key: str) -> list[str]:
        """Ids of this person's calls, oldest first."""
        query = select(PersonCall.call_id).where(col(PersonCall.person_key) == person_key).order_by(col(PersonCall.at))
        async with self._database.read() as session:
            return list((await session.scalars(query)).all())

    async def on_case_ended(self, event: CaseEnded) -> None:
        """Note whose call it was, once the identity was read."""
        async with self._database.read() as session:
            case = await session.get(BusinessCase, event.case_id)
        if case is None:
            return
        number = self._sealer.open(case.sealed, case.id).get("id_number")
        if not number:
            return
        row = {"person_key": await self.person_key(number), "call_id": case.call_id, "at": event.at}
        async with self._database.unit_of_work(_ACTOR) as work:
            await work.session.execute(insert(PersonCall).values(row).on_conflict_do_nothing())

    async def _index_key(self) -> bytes:
        async with self._making:
            if self._key is None:
                self._key = await self._load() or await self._make()
        return self._key

    async def _load(self) -> bytes | None:
        async with self._database.read() as session:
            row = await session.get(DataKey, _PURPOSE)
        return unwrap_key(self._master_key, row.wrapped_key, _PURPOSE) if row else None

    async def _make(self) -> bytes:
        wrapped = wrap_key(self._master_key, new_data_key(), _PURPOSE)
        row = {"purpose": _PURPOSE, "wrapped_key": wrapped, "created_at": self._database.clock.now()}
        async with self._database.unit_of_work(_ACTOR) as work:  # another process may have been faster
            await work.session.execute(insert(DataKey).values(row).on_conflict_do_nothing())
        made = await self._load()
        assert made is not None
        return made


def subscriptions(index: PersonIndex) -> list[Subscription]:
    """The job that keeps the index."""
    return [Subscription(CaseEnded, "retention.persons", index.on_case_ended)]
