"""The customer's verdict after a call."""

from sqlmodel import col, select

from core.db import Database
from core.errors import ConflictError
from core.events import CallRated
from core.models.call import Call, Rating
from core.security.actor import Actor
from server.calls.rows import visit_of


class RatingBook:
    """Stores ratings: one per answered call."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rate(self, actor: Actor, stars: int, tags: list[str], comment: str) -> None:
        """Store the verdict on the visit's last ended call.

        Raises:
            ConflictError: ``rating.no_call`` when no answered call has ended, ``rating.exists`` when it is rated.
        """
        last_ended = (
            select(Call)
            .where(
                col(Call.visit_id) == visit_of(actor),
                col(Call.accepted_at).is_not(None),
                col(Call.ended_at).is_not(None),
            )
            .order_by(col(Call.number).desc())
            .limit(1)
            .with_for_update()
        )
        async with self._database.unit_of_work(actor) as work:
            call = (await work.session.scalars(last_ended)).first()
            if call is None:
                raise ConflictError("there is no call to rate", code="rating.no_call")
            if await work.session.get(Rating, call.id) is not None:
                raise ConflictError("this call has been rated", code="rating.exists")
            now = work.clock.now()
            work.session.add(Rating(call_id=call.id, stars=stars, tags=tags, comment=comment, at=now))
            work.emit(CallRated(at=now, call_id=call.id, stars=stars))
            work.audit("call.rate", "call", call.id, stars=stars)
