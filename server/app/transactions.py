"""Composition of the transactions side of the counter: the bank's systems and messages to customers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from core.http import RouteTable
from core.jobs import Subscription
from core.models.notice import NoticeChannel
from core.ports.notices import MessageGateway
from core.security.sealing import Sealer
from core.settings import Settings
from server.app.connections import Connections
from server.counter.banking.client import HttpCoreBanking
from server.counter.banking.desk import PostingDesk
from server.counter.banking.routes import routes as posting_routes
from server.counter.banking.runner import PostingRunner
from server.counter.banking.runner import subscriptions as posting_subscriptions
from server.counter.notices.deliver import NoticeDelivery
from server.counter.notices.deliver import subscriptions as notice_subscriptions
from server.counter.notices.routes import routes as notice_routes
from server.counter.notices.service import NoticeService
from server.counter.notices.sms import HttpSmsGateway
from server.counter.notices.smtp import SmtpGateway, SmtpServer


def transaction_routes(connections: Connections) -> list[RouteTable]:
    """Endpoints of the edge."""
    database = connections.database
    return [notice_routes(NoticeService(database)), posting_routes(PostingDesk(database))]


@asynccontextmanager
async def transaction_jobs(connections: Connections) -> AsyncIterator[list[Subscription]]:
    """Jobs of the worker; they need an HTTP session while they run."""
    async with aiohttp.ClientSession() as http:
        gateways = message_gateways(connections.settings, http)
        delivery = NoticeDelivery(connections.database, gateways, connections.secrets.master_key)
        bank = core_banking(connections.settings, http)
        runner = PostingRunner(connections.database, bank, Sealer(connections.secrets.master_key))
        yield [*notice_subscriptions(delivery), *posting_subscriptions(runner)]


def core_banking(settings: Settings, http: aiohttp.ClientSession) -> HttpCoreBanking:
    """The core system; the supervisor has put the address of the simulated one where no other is given."""
    if settings.bank_url is None:
        raise RuntimeError("a process of the house is started by the supervisor, which knows the core system's address")
    return HttpCoreBanking(http, settings.bank_url, settings.bank_token)


def message_gateways(settings: Settings, http: aiohttp.ClientSession) -> dict[NoticeChannel, MessageGateway]:
    """The channels that are set up."""
    found: dict[NoticeChannel, MessageGateway] = {}
    if settings.smtp_url:
        found[NoticeChannel.EMAIL] = SmtpGateway(SmtpServer.from_url(settings.smtp_url), settings.smtp_from)
    if settings.sms_url:
        found[NoticeChannel.SMS] = HttpSmsGateway(http, settings.sms_url, settings.sms_token)
    return found
