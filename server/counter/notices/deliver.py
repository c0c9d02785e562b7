"""Delivering queued messages: a job per message, tried again with growing pauses, then a person is called."""

import asyncio
from collections.abc import Mapping

from core.alarms import raise_alarm
from core.db import Database
from core.errors import CounterError
from core.events import NoticeQueued
from core.jobs import Subscription
from core.models.notice import NoticeChannel, NoticeMessage, NoticeState
from core.ports.notices import ChannelDownError, DeliveryRefusedError, MessageGateway
from core.security.actor import system_actor
from core.security.keys import MasterKey
from server.counter.notices.addresses import open_address

MAX_ATTEMPTS = 5
BACKOFF_S = 2.0
SEND_S = 20.0


class NoticeDelivery:
    """Sends what waits. At least once: gateways know a message by its id."""

    def __init__(
        self,
        database: Database,
        gateways: Mapping[NoticeChannel, MessageGateway],
        master_key: MasterKey,
        send_s: float = SEND_S,
    ) -> None:
        """A channel without a gateway is off: its messages fail visibly as ``notice.channel_off``."""
        self._database = database
        self._gateways = gateways
        self._master_key = master_key
        self._send_s = send_s
        self._actor = system_actor("notices")

    async def deliver(self, event: NoticeQueued) -> None:
        """Send one message, unless it is sent already or a newer round has begun.

        Raises:
            ChannelDownError: to be tried again.
        """
        message = await self._begin(event)
        if message is None:
            return
        try:
            await self._send(message)
        except DeliveryRefusedError as error:
            await self._failed(message.id, error, final=True)
        except ChannelDownError as error:
            final = message.attempts >= MAX_ATTEMPTS
            await self._failed(message.id, error, final)
            if not final:
                raise
        else:
            async with self._database.unit_of_work(self._actor) as work:
                row = await work.session.get_one(NoticeMessage, message.id, with_for_update=True)
                row.state, row.error, row.sent_at = NoticeState.SENT, None, work.clock.now()

    async def _begin(self, event: NoticeQueued) -> NoticeMessage | None:
        async with self._database.unit_of_work(self._actor) as work:
            row = await work.session.get(NoticeMessage, event.notice_id, with_for_update=True)
            if row is None or row.state != NoticeState.WAITING or row.round != event.round:
                return None
            row.attempts += 1
        return row

    async def _send(self, message: NoticeMessage) -> None:
        gateway = self._gateways.get(NoticeChannel(message.channel))
        if gateway is None or message.sealed_address is None:
            raise DeliveryRefusedError("this channel is not set up", code="notice.channel_off")
        address = open_address(self._master_key, message.sealed_address, message.id)
        try:
            async with asyncio.timeout(self._send_s):
                await gateway.send(message.id, address, message.title, message.text)
        except TimeoutError:
            raise ChannelDownError("the channel does not answer", code="notice.channel_slow") from None

    async def _failed(self, message_id: str, error: CounterError, final: bool) -> None:
        async with self._database.unit_of_work(self._actor) as work:
            row = await work.session.get_one(NoticeMessage, message_id, with_for_update=True)
            row.error = error.code
            if final:
                row.state = NoticeState.FAILED
                text = f"a message by {row.channel} to {row.masked_address} was not delivered: {error.code}"
                raise_alarm(work, "notice.failed", text, row.call_id, notice_id=row.id)


def subscriptions(delivery: NoticeDelivery) -> list[Subscription]:
    """The job. It gives up by itself, so the job engine's own limit is only a backstop."""
    return [
        Subscription(
            NoticeQueued,
            "counter.notices.deliver",
            delivery.deliver,
            max_attempts=2 * MAX_ATTEMPTS,
            backoff_s=BACKOFF_S,
        )
    ]
