"""Sending webhook messages."""

from collections.abc import Sequence
from typing import Any

import aiohttp

from core.db import Database
from core.errors import UnavailableError
from core.events import WebhookQueued
from core.jobs import Subscription
from core.models.open import ApiKey, Webhook, WebhookDelivery
from core.outgoing import Outgoing
from core.security.actor import system_actor
from core.security.keys import MasterKey, unwrap_key
from server.open.keys import state_of
from server.open.messages import DELIVERY_HEADER, EVENT_HEADER, SIGNATURE_HEADER, signature
from server.open.targets import GuardedResolver, Network, TargetDeniedOSError, TargetError, check_url

MAX_ATTEMPTS = 12
BACKOFF_S = 2.0  # doubles: the last attempt is made after about an hour
_TIMEOUT = aiohttp.ClientTimeout(total=10, connect=5)


class TargetDownError(UnavailableError):
    """The other system did not say yes; ``webhook.unreachable`` or ``webhook.refused``."""

    code = "webhook.unreachable"


class WebhookSender(Outgoing[WebhookDelivery]):
    """Posts messages to the addresses of their webhooks."""

    def __init__(
        self, database: Database, master_key: MasterKey, networks: Sequence[Network], max_attempts: int = MAX_ATTEMPTS
    ) -> None:
        super().__init__(database, WebhookDelivery, system_actor("webhooks"), max_attempts)
        self._master_key = master_key
        self._networks = networks

    async def deliver(self, event: WebhookQueued) -> None:
        """See `Outgoing.deliver_row`. TargetDownError: to be tried again."""
        await self.deliver_row(event.delivery_id, event.round)

    async def _send(self, row: WebhookDelivery) -> dict[str, Any]:
        async with self._database.read() as session:
            webhook = await session.get_one(Webhook, row.webhook_id)
            key = await session.get_one(ApiKey, webhook.key_id)
        if not webhook.enabled or state_of(key, self._database.clock.now()) != "active":
            raise TargetError("this webhook is switched off", code="webhook.off")
        return {"status": await self._post(row, webhook)}

    async def _post(self, delivery: WebhookDelivery, webhook: Webhook) -> int:
        named_only = check_url(webhook.url, self._networks)
        secret = unwrap_key(self._master_key, webhook.sealed_secret, webhook.id).decode()
        body = delivery.body.encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "AirCounter",
            EVENT_HEADER: delivery.event,
            DELIVERY_HEADER: delivery.id,
            SIGNATURE_HEADER: signature(secret, int(self._database.clock.now().timestamp()), body),
        }
        # A connection of its own each time: what the name leads to is asked, checked and used in one go.
        connector = aiohttp.TCPConnector(resolver=GuardedResolver(self._networks, named_only), use_dns_cache=False)
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT, trust_env=False) as http,
                http.post(webhook.url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                if 200 <= answer.status < 300:
                    return answer.status
                raise TargetDownError("the other system refuses", code="webhook.refused", status=answer.status)
        except (TimeoutError, aiohttp.ClientError) as error:
            if isinstance(error.__cause__, TargetDeniedOSError) or isinstance(
                getattr(error, "os_error", None), TargetDeniedOSError
            ):
                raise TargetError("this name leads to an address that is not open to webhooks") from error
            raise TargetDownError("the other system cannot be reached") from error

    def _alarm(self, row: WebhookDelivery, code: str) -> tuple[str, str, dict[str, object]]:
        return "webhook.failed", f"a webhook message ({row.event}) was not delivered: {code}", {"delivery_id": row.id}


def subscriptions(sender: WebhookSender) -> list[Subscription]:
    """The job. It gives up by itself, so the job engine's own limit is only a backstop."""
    return [
        Subscription(
            WebhookQueued,
            "open.webhooks.deliver",
            sender.deliver,
            max_attempts=2 * MAX_ATTEMPTS,
            backoff_s=BACKOFF_S,
        )
    ]
