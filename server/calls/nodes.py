"""Which media node carries a call. Chosen by the media client, stored here because server.calls writes calls."""

from sqlalchemy import update
from sqlmodel import col, select

from core.db import Database
from core.models.call import Call
from core.ports.media import is_lobby
from core.security.actor import system_actor
from server.calls.warm import WarmBook


class NodeBook:
    """Reads and stores `Call.media_node`; before there is a row, what `WarmBook` keeps."""

    def __init__(self, database: Database, warm: WarmBook) -> None:
        self._database = database
        self._warm = warm

    async def media_node_of(self, call_id: str) -> str | None:
        """The media node that carries a call, or holds a transport that waits for one."""
        if is_lobby(call_id):
            return await self._warm.node_of(call_id)
        async with self._database.read() as session:
            row = (await session.execute(select(Call.media_node).where(col(Call.id) == call_id))).first()
        if row is not None and row[0] is not None:
            return str(row[0])
        node = await self._warm.node_of(call_id)
        if row is not None and node is not None:  # it joined while its transport was being opened
            return await self.set_media_node(call_id, node)
        return node

    async def set_media_node(self, call_id: str, node: str, replacing: str | None = None) -> str:
        """Store a call's media node if the stored one still is `replacing`. Returns the one stored then.

        Not a move of the call: its version stays, so that a warm-up never makes an offer stale.
        """
        if is_lobby(call_id):
            return await self._warm.set_node(call_id, node, replacing)
        here = update(Call).where(col(Call.id) == call_id, col(Call.media_node).is_not_distinct_from(replacing))
        async with self._database.unit_of_work(system_actor("calls")) as work:
            await work.session.execute(here.values(media_node=node))
            stored = (await work.session.scalars(select(Call.media_node).where(col(Call.id) == call_id))).first()
        return str(stored) if stored is not None else await self._warm.set_node(call_id, node, replacing)
