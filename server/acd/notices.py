"""Lines on the waiting page: notices with validity, and broadcasts to those who wait now."""

from datetime import datetime, timedelta
from typing import Literal

from sqlmodel import col, select

from core.db import Database
from core.errors import BadInputError, NotFoundError
from core.events import QueueNoticeChanged
from core.ids import new_id
from core.models.business import Business
from core.models.queue import QueueNotice
from core.ports.calls import NoticeText
from core.security.actor import Actor
from server.acd.schemas import NoticeRequest, NoticeView

BROADCAST_S = 1800.0  # those who come later hear it too, as long as it is news
LISTED = 200


class NoticeBoard:
    """The only writer of `QueueNotice`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def current(self, business_code: str | None) -> list[NoticeView]:
        """What is valid now for those who wait for this business, newest first."""
        now = self._database.clock.now()
        query = select(QueueNotice).where(
            col(QueueNotice.withdrawn_at).is_(None),
            col(QueueNotice.valid_from) <= now,
            col(QueueNotice.valid_until) > now,
            (col(QueueNotice.business_code).is_(None)) | (col(QueueNotice.business_code) == business_code),
        )
        async with self._database.read() as session:
            rows = (await session.scalars(query.order_by(col(QueueNotice.valid_from).desc()).limit(LISTED))).all()
        return [_view(row) for row in rows]

    async def all(self) -> list[NoticeView]:
        """Also those to come, over and withdrawn; newest first."""
        async with self._database.read() as session:
            query = select(QueueNotice).order_by(col(QueueNotice.created_at).desc()).limit(LISTED)
            return [_view(row) for row in (await session.scalars(query)).all()]

    async def notice(self, notice_id: str) -> NoticeText | None:
        """One notice, if it is valid by now or was withdrawn; see `QueueNotices.notice`."""
        async with self._database.read() as session:
            row = await session.get(QueueNotice, notice_id)
        now = self._database.clock.now()
        return None if row is None or row.valid_from > now else _line(row, now)

    async def turned(self, since: datetime | None) -> tuple[datetime, list[NoticeText]]:
        """What began or ended by the clock alone; see `QueueNotices.turned`."""
        now = self._database.clock.now()
        if since is None:
            return now, []
        began = (col(QueueNotice.valid_from) > since) & (col(QueueNotice.valid_from) <= now)
        ended = (col(QueueNotice.valid_until) > since) & (col(QueueNotice.valid_until) <= now)
        query = select(QueueNotice).where(began | ended).order_by(col(QueueNotice.valid_from)).limit(LISTED)
        async with self._database.read() as session:
            return now, [_line(row, now) for row in (await session.scalars(query)).all()]

    async def publish(self, actor: Actor, request: NoticeRequest) -> NoticeView:
        """Announce something.

        Raises:
            NotFoundError: ``business.not_found``. BadInputError: ``notice.never_valid``.
        """
        async with self._database.unit_of_work(actor) as work:
            now = work.clock.now()
            if request.business_code is not None and await work.session.get(Business, request.business_code) is None:
                raise NotFoundError("there is no such business", code="business.not_found")
            until = request.valid_until or now + timedelta(seconds=BROADCAST_S)
            begins = now if request.kind == "broadcast" else request.valid_from or now
            if until <= max(begins, now):
                raise BadInputError("this notice would never be valid", code="notice.never_valid")
            row = QueueNotice(
                id=new_id("notice"),
                kind=request.kind,
                business_code=request.business_code,
                text_zh=request.text_zh,
                text_en=request.text_en,
                valid_from=begins,
                valid_until=until,
                created_by=actor.staff_id or actor.name,
                created_at=now,
            )
            work.session.add(row)
            work.emit(_changed(row, now))
            work.audit("notice.publish", "queue_notice", row.id, kind=row.kind, text=row.text_zh)
        return _view(row)

    async def withdraw(self, actor: Actor, notice_id: str) -> None:
        """Take it off the pages. NotFoundError ``notice.not_found``."""
        async with self._database.unit_of_work(actor) as work:
            row = await work.session.get(QueueNotice, notice_id, with_for_update=True)
            if row is None:
                raise NotFoundError("there is no such notice", code="notice.not_found")
            if row.withdrawn_at is None:
                row.withdrawn_at = work.clock.now()
                work.emit(_changed(row, row.withdrawn_at))
                work.audit("notice.withdraw", "queue_notice", row.id)


def _changed(row: QueueNotice, at: datetime) -> QueueNoticeChanged:
    return QueueNoticeChanged(at=at, notice_id=row.id)


def _line(row: QueueNotice, now: datetime) -> NoticeText:
    return NoticeText(
        id=row.id,
        kind=_kind(row),
        business_code=row.business_code,
        text_zh=row.text_zh,
        text_en=row.text_en,
        valid_until=row.valid_until,
        withdrawn=row.withdrawn_at is not None or row.valid_until <= now,
    )


def _kind(row: QueueNotice) -> Literal["notice", "broadcast"]:
    return "broadcast" if row.kind == "broadcast" else "notice"


def _view(row: QueueNotice) -> NoticeView:
    return NoticeView(
        id=row.id,
        kind=_kind(row),
        business_code=row.business_code,
        text_zh=row.text_zh,
        text_en=row.text_en,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        withdrawn_at=row.withdrawn_at,
    )
