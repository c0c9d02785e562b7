"""Delivering queued messages over their channels."""

import asyncio
from collections.abc import Mapping
from typing import Any

from core.db import Database
from core.events import NoticeQueued
from core.jobs import Subscription
from core.models.notice import NoticeChannel, NoticeMessage
from core.outgoing import Outgoing
from core.ports.notices import ChannelDownError, DeliveryRefusedError, MessageGateway
from core.security.actor import system_actor
from core.security.keys import MasterKey
from server.counter.notices.addresses import open_address

MAX_ATTEMPTS = 5
BACKOFF_S = 2.0
SEND_S = 20.0


class NoticeDelivery(Outgoing[NoticeMessage]):
    """Hands messages to the gateway of their channel."""

    def __init__(
        self,
        database: Database,
        gateways: Mapping[NoticeChannel, MessageGateway],
        master_key: MasterKey,
        send_s: float = SEND_S,
    ) -> None:
        """A channel without a gateway is off: its messages fail visibly as ``notice.channel_off``."""
        super().__init__(database, NoticeMessage, system_actor("notices"), MAX_ATTEMPTS)
        self._gateways = gateways
        self._master_key = master_key
        self._send_s = send_s

    async def deliver(self, event: NoticeQueued) -> None:
        """See `Outgoing.deliver_row`. ChannelDownError: to be tried again."""
        await self.deliver_row(event.notice_id, event.round)

    async def _send(self, row: NoticeMessage) -> dict[str, Any]:
        gateway = self._gateways.get(NoticeChannel(row.channel))
        if gateway is None or row.sealed_address is None:
            raise DeliveryRefusedError("this channel is not set up", code="notice.channel_off")
        address = open_address(self._master_key, row.sealed_address, row.id)
        try:
            async with asyncio.timeout(self._send_s):
                await gateway.send(row.id, address, row.title, row.text)
        except TimeoutError:
            raise ChannelDownError("the channel does not answer", code="notice.channel_slow") from None
        return {}

    def _alarm(self, row: NoticeMessage, code: str) -> tuple[str, str, dict[str, object]]:
        text = f"a message by {row.channel} to {row.masked_address} was not delivered: {code}"
        return "notice.failed", text, {"notice_id": row.id}


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
