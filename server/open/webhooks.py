"""Webhooks: set up by administrators, filled by facts, sent by jobs, replayed by people."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, func, select

from core.db import Database, UnitOfWork
from core.errors import ConflictError, NotFoundError
from core.events import CallEvent, WebhookQueued
from core.ids import new_id
from core.jobs import Subscription
from core.models.booking import Appointment
from core.models.call import Call
from core.models.open import ApiKey, OpenBooking, Webhook, WebhookDelivery, WebhookState
from core.security.actor import Actor, system_actor
from core.security.keys import MasterKey, wrap_key
from core.security.permissions import Permission, permissions_of_scopes
from core.security.tokens import new_secret
from server.open.keys import state_of
from server.open.messages import EVENTS, body_of
from server.open.schemas import (
    DeliveryFilter,
    DeliveryList,
    DeliveryView,
    NewWebhook,
    WebhookRequest,
    WebhookView,
)
from server.open.targets import Network, check_url

SHOWN = 200


class WebhookBook:
    """The only writer of `Webhook`; with `deliver` of `WebhookDelivery`."""

    def __init__(self, database: Database, master_key: MasterKey, networks: Sequence[Network]) -> None:
        self._database = database
        self._master_key = master_key
        self._networks = networks
        self._system = system_actor("webhooks")

    async def all(self) -> Sequence[WebhookView]:
        """All webhooks, newest first, with how many messages wait or failed."""
        async with self._database.read() as session:
            query = select(Webhook, ApiKey.name).join(ApiKey, col(ApiKey.id) == col(Webhook.key_id))
            rows = (await session.execute(query.order_by(col(Webhook.created_at).desc()))).all()
            per_state = select(WebhookDelivery.webhook_id, WebhookDelivery.state, func.count()).where(
                col(WebhookDelivery.state) != WebhookState.SENT
            )
            per_state = per_state.group_by(col(WebhookDelivery.webhook_id), col(WebhookDelivery.state))
            counts = {(webhook_id, state): n for webhook_id, state, n in (await session.execute(per_state)).all()}
        return [
            _view(row, name, counts.get((row.id, "waiting"), 0), counts.get((row.id, "failed"), 0))
            for row, name in rows
        ]

    async def make(self, actor: Actor, request: WebhookRequest) -> NewWebhook:
        """A new webhook; its secret is shown this once.

        Raises:
            TargetError: ``webhook.target_denied``. NotFoundError: ``key.not_found``. ConflictError: ``key.not_active``.
        """
        check_url(request.url, self._networks)
        secret = "whs_" + new_secret()
        async with self._database.unit_of_work(actor) as work:
            key = await work.session.get(ApiKey, request.key_id)
            if key is None:
                raise NotFoundError("there is no such key", code="key.not_found")
            if state_of(key, work.clock.now()) != "active":
                raise ConflictError("this key lets nobody in any more", code="key.not_active")
            webhook_id = new_id("webhook")
            row = Webhook(
                id=webhook_id,
                key_id=key.id,
                url=request.url,
                sealed_secret=wrap_key(self._master_key, secret.encode(), webhook_id),
                events=sorted(set(request.events)),
                created_by=actor.name,
                created_at=work.clock.now(),
            )
            work.session.add(row)
            work.audit("webhook.make", "webhook", row.id, url=row.url, events=row.events, key=key.id)
        return NewWebhook(webhook=_view(row, key.name, 0, 0), secret=secret)

    async def switch(self, actor: Actor, webhook_id: str, enabled: bool) -> None:
        """Tell it or stop telling it; what was missed meanwhile is not made up for. NotFoundError."""
        async with self._database.unit_of_work(actor) as work:
            row = await work.session.get(Webhook, webhook_id, with_for_update=True)
            if row is None:
                raise NotFoundError("there is no such webhook", code="webhook.not_found")
            if row.enabled != enabled:
                row.enabled = enabled
                work.audit("webhook.switch", "webhook", row.id, enabled=enabled)

    async def deliveries(self, state: DeliveryFilter) -> DeliveryList:
        """The newest messages in this state."""
        query = select(WebhookDelivery, Webhook.url).join(Webhook, col(Webhook.id) == col(WebhookDelivery.webhook_id))
        if state != "all":
            query = query.where(col(WebhookDelivery.state) == state)
        failed = select(func.count()).where(col(WebhookDelivery.state) == WebhookState.FAILED)
        async with self._database.read() as session:
            newest = query.order_by(col(WebhookDelivery.created_at).desc(), col(WebhookDelivery.id).desc())
            rows = (await session.execute(newest.limit(SHOWN))).all()
            count = (await session.scalars(failed)).one()
        items = [DeliveryView.model_validate({**row.model_dump(), "url": url}) for row, url in rows]
        return DeliveryList(items=items, failed=count)

    async def replay(self, actor: Actor, delivery_id: str) -> None:
        """Send a message once more, byte for byte the same. One that still waits is on its way already.

        Raises:
            NotFoundError: ``webhook.delivery_not_found``. ConflictError: ``webhook.waiting``.
        """
        async with self._database.unit_of_work(actor) as work:
            row = await work.session.get(WebhookDelivery, delivery_id, with_for_update=True)
            if row is None:
                raise NotFoundError("there is no such message", code="webhook.delivery_not_found")
            if row.state == WebhookState.WAITING:
                raise ConflictError("this message is on its way", code="webhook.waiting")
            row.state, row.round, row.attempts, row.error = WebhookState.WAITING, row.round + 1, 0, None
            work.audit("webhook.replay", "webhook_delivery", row.id, round=row.round)
            _emit(work, row)

    async def tell(self, event: CallEvent) -> None:
        """Queue a message for every webhook that may and wants to know of this fact. Safe to repeat."""
        name = EVENTS[type(event)]
        async with self._database.unit_of_work(self._system) as work:
            now = work.clock.now()
            query = select(Webhook, ApiKey).join(ApiKey, col(ApiKey.id) == col(Webhook.key_id))
            wanted = query.where(col(Webhook.enabled), col(Webhook.events).contains([name]))
            for row, key in (await work.session.execute(wanted)).all():
                held = permissions_of_scopes(key.scopes)
                reference = await _reference(work.session, key.id, event.call_id)
                if state_of(key, now) != "active" or Permission.OPEN_CALLS not in held:
                    continue
                if reference is None and Permission.OPEN_EVERYBODY not in held:
                    continue
                known = select(WebhookDelivery.id).where(
                    col(WebhookDelivery.webhook_id) == row.id, col(WebhookDelivery.event_id) == event.event_id
                )
                if (await work.session.scalars(known)).first() is not None:
                    continue
                delivery_id = new_id("delivery")
                delivery = WebhookDelivery(
                    id=delivery_id,
                    webhook_id=row.id,
                    event_id=event.event_id,
                    event=name,
                    call_id=event.call_id,
                    body=body_of(delivery_id, event, reference),
                    state=WebhookState.WAITING,
                    created_at=now,
                )
                work.session.add(delivery)
                _emit(work, delivery)

    def subscriptions(self) -> list[Subscription]:
        """One job per kind of fact that travels."""
        return [Subscription(kind, "open.webhooks.tell", self.tell) for kind in EVENTS]


def _emit(work: UnitOfWork, row: WebhookDelivery) -> None:
    work.emit(WebhookQueued(at=work.clock.now(), call_id=row.call_id, delivery_id=row.id, round=row.round))


async def _reference(session: AsyncSession, key_id: str, call_id: str) -> str | None:
    query = (
        select(OpenBooking.reference)
        .join(Appointment, col(Appointment.id) == col(OpenBooking.appointment_id))
        .join(Call, col(Call.visit_id) == col(Appointment.visit_id))
        .where(col(OpenBooking.key_id) == key_id, col(Call.id) == call_id)
    )
    return (await session.scalars(query)).first()


def _view(row: Webhook, key_name: str, waiting: int, failed: int) -> WebhookView:
    return WebhookView(
        id=row.id,
        key_id=row.key_id,
        key_name=key_name,
        url=row.url,
        events=row.events,
        enabled=row.enabled,
        created_at=row.created_at,
        waiting=waiting,
        failed=failed,
    )
