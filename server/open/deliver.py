"""Sending webhook messages: a job per message, tried again with growing pauses, then a person is called."""

from collections.abc import Sequence

import aiohttp

from core.alarms import raise_alarm
from core.db import Database
from core.errors import CounterError, UnavailableError
from core.events import WebhookQueued
from core.jobs import Subscription
from core.models.open import ApiKey, Webhook, WebhookDelivery, WebhookState
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


class WebhookSender:
    """Sends what waits. At least once: receivers know a message by its id."""

    def __init__(
        self, database: Database, master_key: MasterKey, networks: Sequence[Network], max_attempts: int = MAX_ATTEMPTS
    ) -> None:
        self._database = database
        self._master_key = master_key
        self._networks = networks
        self._max_attempts = max_attempts
        self._actor = system_actor("webhooks")

    async def deliver(self, event: WebhookQueued) -> None:
        """Send one message, unless it is sent already or a newer round has begun.

        Raises:
            TargetDownError: to be tried again.
        """
        begun = await self._begin(event)
        if begun is None:
            return
        delivery, webhook, key = begun
        try:
            if not webhook.enabled or state_of(key, self._database.clock.now()) != "active":
                raise TargetError("this webhook is switched off", code="webhook.off")
            status = await self._send(delivery, webhook)
        except TargetError as error:
            await self._failed(delivery.id, error, None, final=True)
        except TargetDownError as error:
            final = delivery.attempts >= self._max_attempts
            await self._failed(delivery.id, error, error.fields.get("status"), final)
            if not final:
                raise
        else:
            async with self._database.unit_of_work(self._actor) as work:
                row = await work.session.get_one(WebhookDelivery, delivery.id, with_for_update=True)
                row.state, row.error, row.status, row.sent_at = WebhookState.SENT, None, status, work.clock.now()

    async def _begin(self, event: WebhookQueued) -> tuple[WebhookDelivery, Webhook, ApiKey] | None:
        async with self._database.unit_of_work(self._actor) as work:
            row = await work.session.get(WebhookDelivery, event.delivery_id, with_for_update=True)
            if row is None or row.state != WebhookState.WAITING or row.round != event.round:
                return None
            row.attempts += 1
            webhook = await work.session.get_one(Webhook, row.webhook_id)
            return row, webhook, await work.session.get_one(ApiKey, webhook.key_id)

    async def _send(self, delivery: WebhookDelivery, webhook: Webhook) -> int:
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

    async def _failed(self, delivery_id: str, error: CounterError, status: int | None, final: bool) -> None:
        async with self._database.unit_of_work(self._actor) as work:
            row = await work.session.get_one(WebhookDelivery, delivery_id, with_for_update=True)
            row.error, row.status = error.code, status
            if final:
                row.state = WebhookState.FAILED
                text = f"a webhook message ({row.event}) was not delivered: {error.code}"
                raise_alarm(work, "webhook.failed", text, row.call_id, delivery_id=row.id)


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
