"""Composition of the transactions side of the counter: core banking, review, fraud, signature, voucher, messages."""

from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import aiohttp

from core.http import RouteTable
from core.jobs import Subscription
from core.models.notice import NoticeChannel
from core.ports.notices import MessageGateway
from core.rate_limit import RateLimiter
from core.security.seal import load_seal
from core.security.sealing import Sealer
from core.settings import Settings
from core.vault import Vault
from server.app.connections import Connections
from server.counter.banking import answers, runner
from server.counter.banking.client import HttpCoreBanking
from server.counter.banking.desk import PostingDesk
from server.counter.banking.routes import routes as posting_routes
from server.counter.documents.shelf import DocumentShelf
from server.counter.fraud import watch
from server.counter.fraud.desk import FraudDesk
from server.counter.fraud.routes import routes as fraud_routes
from server.counter.notices import deliver
from server.counter.notices.outbox import NoticeOutbox
from server.counter.notices.routes import routes as notice_routes
from server.counter.notices.service import NoticeService
from server.counter.notices.sms import HttpSmsGateway
from server.counter.notices.smtp import SmtpGateway, SmtpServer
from server.counter.review.desk import ReviewDesk
from server.counter.review.keeper import ReviewKeeper
from server.counter.review.routes import routes as review_routes
from server.counter.room import CounterRoom
from server.counter.signing import jobs as signing
from server.counter.vouchers import jobs as vouchers
from server.counter.vouchers.routes import routes as voucher_routes
from server.counter.vouchers.service import DocumentService


@dataclass(frozen=True, slots=True)
class TransactionJobs:
    """What a worker runs: handlers of facts, and loops by name."""

    subscriptions: list[Subscription]
    loops: dict[str, Coroutine[Any, Any, None]]


def transaction_routes(connections: Connections, room: CounterRoom) -> list[RouteTable]:
    """Endpoints of the edge."""
    database, settings, secrets = connections.database, connections.settings, connections.secrets
    engine, sealer = room.cases.engine, Sealer(secrets.master_key)
    appeal = {"zh-CN": settings.appeal_zh, "en": settings.appeal_en}
    documents = DocumentService(
        database,
        Vault(connections.store, secrets.master_key),
        RateLimiter(connections.redis),
        load_seal(settings.data_dir),
    )
    return [
        notice_routes(NoticeService(database)),
        posting_routes(PostingDesk(database)),
        review_routes(
            ReviewDesk(database, engine, engine.book, sealer, DocumentShelf(connections.store, secrets.master_key))
        ),
        fraud_routes(FraudDesk(database, engine, engine.book, NoticeOutbox(secrets.master_key), appeal)),
        voucher_routes(documents),
    ]


def transaction_jobs(connections: Connections, room: CounterRoom, http: aiohttp.ClientSession) -> TransactionJobs:
    """Jobs and loops of a worker; `http` has to stay open while they run."""
    database, settings, secrets = connections.database, connections.settings, connections.secrets
    engine, sealer = room.cases.engine, Sealer(secrets.master_key)
    vault, seal = Vault(connections.store, secrets.master_key), load_seal(settings.data_dir)
    outbox = NoticeOutbox(secrets.master_key)
    fraud = watch.FraudWatch(database, connections.bus)
    keeper = ReviewKeeper(database, engine, engine.book)
    bank = core_banking(settings, http)
    delivery = deliver.NoticeDelivery(database, message_gateways(settings, http), secrets.master_key)
    makers = signing.SigningJobs(database, engine, engine.book, vault, sealer, seal, settings.site_url)
    printing = vouchers.VoucherJobs(database, vault, sealer, seal, outbox, settings.site_url)
    return TransactionJobs(
        [
            *deliver.subscriptions(delivery),
            *runner.subscriptions(runner.PostingRunner(database, bank, sealer)),
            *answers.subscriptions(answers.BankAnswers(database, bank, engine, engine.book)),
            *signing.subscriptions(makers),
            *vouchers.subscriptions(printing),
            *watch.subscriptions(fraud),
        ],
        {"reviews": keeper.run(), "fraud": fraud.listen(), "fraud time": fraud.keep_time()},
    )


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
