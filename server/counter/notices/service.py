"""Lists of messages, and sending a failed one again."""

from typing import Literal

from sqlmodel import col, func, select

from core.db import Database
from core.errors import ConflictError, NotFoundError
from core.events import NoticeQueued
from core.models.notice import NoticeChannel, NoticeMessage, NoticeState
from core.security.actor import Actor
from server.counter.notices.schemas import NoticeList, NoticeRow, OwnNotice

SHOWN = 200
StateFilter = Literal["all", "waiting", "sent", "failed"]


class NoticeService:
    """What customers see of their own messages and supervisors of all."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def own(self, actor: Actor) -> list[OwnNotice]:
        """The in-app messages of the customer's visit, newest first."""
        query = select(NoticeMessage).where(
            col(NoticeMessage.visit_id) == actor.visit_id, col(NoticeMessage.channel) == NoticeChannel.IN_APP
        )
        async with self._database.read() as session:
            rows = (await session.scalars(query.order_by(col(NoticeMessage.id).desc()).limit(SHOWN))).all()
        return [OwnNotice.model_validate(row, from_attributes=True) for row in rows]

    async def list(self, state: StateFilter) -> NoticeList:
        """The newest messages in this state."""
        query = select(NoticeMessage).order_by(col(NoticeMessage.created_at).desc(), col(NoticeMessage.id).desc())
        if state != "all":
            query = query.where(col(NoticeMessage.state) == state)
        failed = select(func.count()).where(col(NoticeMessage.state) == NoticeState.FAILED)
        async with self._database.read() as session:
            rows = (await session.scalars(query.limit(SHOWN))).all()
            count = (await session.scalars(failed)).one()
        return NoticeList(items=[_row(row) for row in rows], failed=count)

    async def retry(self, actor: Actor, notice_id: str) -> None:
        """Begin a new round for a failed message.

        Raises:
            NotFoundError: ``notice.not_found``. ConflictError: ``notice.not_failed``.
        """
        async with self._database.unit_of_work(actor) as work:
            row = await work.session.get(NoticeMessage, notice_id, with_for_update=True)
            if row is None:
                raise NotFoundError("there is no such message", code="notice.not_found")
            if row.state != NoticeState.FAILED:
                raise ConflictError("this message has not failed", code="notice.not_failed")
            row.state, row.round, row.attempts, row.error = NoticeState.WAITING, row.round + 1, 0, None
            work.audit("notice.retry", "notice", row.id, round=row.round)
            work.emit(
                NoticeQueued(
                    at=work.clock.now(),
                    notice_id=row.id,
                    call_id=row.call_id,
                    channel=NoticeChannel(row.channel).value,
                    round=row.round,
                )
            )


def _row(row: NoticeMessage) -> NoticeRow:
    return NoticeRow(
        id=row.id,
        kind=row.kind,
        channel=row.channel,
        to=row.masked_address,
        call_id=row.call_id,
        state=row.state,
        attempts=row.attempts,
        error=row.error,
        created_at=row.created_at,
        sent_at=row.sent_at,
    )
