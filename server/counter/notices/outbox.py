"""Queueing messages in the unit of work of whatever they tell of."""

from core.db import UnitOfWork
from core.errors import BadInputError
from core.events import NoticeQueued
from core.ids import new_id
from core.models.notice import NoticeChannel, NoticeMessage, NoticeState
from core.ports.notices import Notice
from core.security.keys import MasterKey
from server.counter.notices.addresses import check_email, check_phone, mask_email, mask_phone, seal_address

TITLE_MAX, TEXT_MAX = 120, 4000


class NoticeOutbox:
    """Writes messages; implements `core.ports.notices.Notices`."""

    def __init__(self, master_key: MasterKey) -> None:
        self._master_key = master_key

    async def queue(self, work: UnitOfWork, notice: Notice) -> list[str]:
        """One message per address; see the port."""
        _check_text(notice)
        to = notice.recipient
        ids = []
        if to.visit_id is not None:
            ids.append(self._add(work, notice, NoticeChannel.IN_APP, None, ""))
        if to.email is not None:
            email = check_email(to.email)
            ids.append(self._add(work, notice, NoticeChannel.EMAIL, email, mask_email(email)))
        if to.phone is not None:
            phone = check_phone(to.phone)
            ids.append(self._add(work, notice, NoticeChannel.SMS, phone, mask_phone(phone)))
        if not ids:
            raise BadInputError("a notice needs an address", code="notice.bad_address")
        await work.session.flush()
        return ids

    def _add(self, work: UnitOfWork, notice: Notice, channel: NoticeChannel, address: str | None, masked: str) -> str:
        message_id, now, in_app = new_id("notice"), work.clock.now(), channel is NoticeChannel.IN_APP
        work.session.add(
            NoticeMessage(
                id=message_id,
                kind=notice.kind,
                channel=channel,
                visit_id=notice.recipient.visit_id,
                call_id=notice.call_id,
                subject_id=notice.subject_id,
                sealed_address=None if address is None else seal_address(self._master_key, address, message_id),
                masked_address=masked,
                title=notice.title,
                text=notice.text,
                state=NoticeState.SENT if in_app else NoticeState.WAITING,
                created_at=now,
                sent_at=now if in_app else None,
            )
        )
        work.audit("notice.queue", "notice", message_id, kind=notice.kind, channel=channel, to=masked)
        work.emit(NoticeQueued(at=now, notice_id=message_id, call_id=notice.call_id, channel=channel, round=1))
        return message_id


def _check_text(notice: Notice) -> None:
    title, text = notice.title, notice.text
    broken = "\x00" in title + text or any(character < " " for character in title)
    if broken or not 0 < len(title) <= TITLE_MAX or not 0 < len(text) <= TEXT_MAX:
        raise BadInputError("a notice has a title of one line and a text", code="notice.bad_text")
