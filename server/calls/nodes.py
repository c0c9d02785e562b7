"""Which media node carries a call. Chosen by the media client, stored here because server.calls writes calls."""

from sqlalchemy import update
from sqlmodel import col, select

from core.db import Database
from core.errors import NotFoundError
from core.models.call import Call
from core.security.actor import system_actor


class NodeBook:
    """Reads and stores `Call.media_node`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def media_node_of(self, call_id: str) -> str | None:
        """The media node that carries a call."""
        async with self._database.read() as session:
            return (await session.scalars(select(Call.media_node).where(col(Call.id) == call_id))).first()

    async def set_media_node(self, call_id: str, node: str, replacing: str | None = None) -> str:
        """Store a call's media node if the stored one still is `replacing`. Returns the one stored then.

        Not a move of the call: its version stays, so that a warm-up never makes an offer stale.

        Raises:
            NotFoundError: ``call.not_found``.
        """
        here = update(Call).where(col(Call.id) == call_id, col(Call.media_node).is_not_distinct_from(replacing))
        async with self._database.unit_of_work(system_actor("calls")) as work:
            await work.session.execute(here.values(media_node=node))
            stored = (await work.session.scalars(select(Call.media_node).where(col(Call.id) == call_id))).first()
        if stored is None:
            raise NotFoundError("there is no such call", code="call.not_found")
        return str(stored)
