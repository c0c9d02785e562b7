"""Composition of the open interface: other systems of the bank, their keys and webhooks."""

from dataclasses import dataclass

from aiohttp import hdrs, web

from core.http import RouteTable, SignedIn
from core.jobs import Subscription
from core.ports.booking import AppointmentPlaces
from core.rate_limit import RateLimiter
from core.security.actor import system_actor
from core.vault import Vault
from server.app.connections import Connections
from server.calls.result import ResultReader
from server.open import deliver
from server.open.calls import OpenDesk
from server.open.keys import PREFIX, KeyBook
from server.open.passes import PassBook
from server.open.routes import admin_routes, open_routes
from server.open.targets import networks_from
from server.open.webhooks import WebhookBook


@dataclass(frozen=True, slots=True)
class OpenInterface:
    """What the edge mounts and asks."""

    keys: KeyBook
    tables: list[RouteTable]

    async def authenticate_key(self, request: web.Request) -> SignedIn | None:
        """The other system behind ``Authorization: Bearer ack_…``."""
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() != "bearer" or not token.startswith(PREFIX):
            return None
        actor = await self.keys.authenticate(token.strip())
        return SignedIn(actor) if actor else None


def open_interface(connections: Connections, places: AppointmentPlaces, results: ResultReader) -> OpenInterface:
    """For the edge."""
    settings, database, secrets = connections.settings, connections.database, connections.secrets
    reader = system_actor("open interface")

    async def stages(call_id: str) -> dict[str, str]:
        return (await results.result(reader, call_id)).stages.model_dump()

    limiter = RateLimiter(connections.redis)
    keys = KeyBook(database, limiter)
    desk = OpenDesk(database, places, stages, Vault(connections.store, secrets.master_key).get, settings.site_url)
    webhooks = WebhookBook(database, secrets.master_key, networks_from(settings.webhook_networks))
    passes = PassBook(database, limiter, settings.site_url)
    return OpenInterface(keys, [open_routes(desk, passes), admin_routes(keys, webhooks)])


def open_jobs(connections: Connections) -> list[Subscription]:
    """For the worker."""
    networks = networks_from(connections.settings.webhook_networks)
    master_key = connections.secrets.master_key
    return [
        *WebhookBook(connections.database, master_key, networks).subscriptions(),
        *deliver.subscriptions(deliver.WebhookSender(connections.database, master_key, networks)),
    ]
