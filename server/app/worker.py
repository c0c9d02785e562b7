"""The worker process: facts to jobs, live and final speech, script check, pre-score."""

import asyncio
from contextlib import AsyncExitStack

import aiohttp
import structlog

from core.heartbeats import AliveBook, beat
from core.ids import new_id
from core.jobs import Names, Relay, Subscription, Worker, make_broker
from core.rate_limit import RateLimiter
from core.settings import Settings
from core.tasks import TaskOwner
from qa.compliance import service as compliance
from qa.compliance.live import LiveScript
from qa.rules.book import RuleBook, RuleSource
from qa.scoring import service as scoring
from qa.scoring.form import load_form
from qa.search import service as searching
from qa.stt.worker import SpeechWorker
from qa.upkeep import Upkeep
from recording.catalogue.service import Catalogue
from recording.export import service as exporting
from recording.finalize import script as script_verdict
from recording.finalize import service as finalizing
from server.acd import estimates
from server.app import metrics, ops
from server.app.backups import backup_jobs
from server.app.connections import Connections, open_connections
from server.app.keeping import keeping_jobs
from server.app.open_api import open_jobs
from server.app.operations import OwnFacts, watch
from server.app.people import people_jobs
from server.app.transactions import transaction_jobs
from server.calls.room import subscriptions as calls_subscriptions
from server.counter import room as counter_room
from server.tickets.watch import watch as watch_tickets

log = structlog.get_logger(__name__)


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Work until `stop` is set or a part of the process dies."""

    def on_crash(task: str, error: BaseException) -> None:
        log.error("the worker ends because a part of it died", task=task)
        stop.set()

    async with open_connections(settings) as connections, AsyncExitStack() as stack:
        name = new_id("worker")
        rules = RuleBook(connections.database)
        catalogue = Catalogue(connections.database, connections.store, connections.secrets.master_key)
        speech = SpeechWorker(connections.database, connections.bus, connections.redis, catalogue, settings)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        business = counter_room.build(
            connections.database,
            connections.bus,
            connections.store,
            connections.secrets.master_key,
            settings,
            RateLimiter(connections.redis),
            http,
        )
        people, tickets = people_jobs(connections)
        transactions = transaction_jobs(connections, business, http)
        keeping, keeping_loops = keeping_jobs(connections)
        backing_up, backup_loops = backup_jobs(connections)
        subscriptions = [
            *_subscriptions(connections, rules, speech),
            *business.subscriptions,
            *people,
            *transactions.subscriptions,
            *open_jobs(connections),
            *keeping,
            *backing_up,
        ]
        broker = make_broker(str(settings.redis_url))
        handlers = _names(subscriptions)
        workers = AliveBook(connections.redis, connections.clock, "worker")

        async def announced() -> list[Names]:
            return [facts.get("handlers", {}) for facts in (await workers.now()).values()]

        relay = Relay(connections.database, connections.bus, broker, handlers, announced)
        worker = Worker(connections.database, broker, subscriptions)
        script = LiveScript(connections.bus, connections.redis, connections.database, rules)
        owner = TaskOwner("worker process", on_crash)
        owner.start("jobs", worker.run())
        owner.start("metrics", metrics.watch_work(connections.database))
        owner.start("relay", relay.run())
        owner.start("live script", script.run())
        owner.start("speech", speech.run())
        owner.start("tickets", watch_tickets(tickets))
        owner.start("cases", business.keeper.run())
        owner.start("QA upkeep", Upkeep(connections.database).run())
        owner.start("search", searching.SearchService(connections.database).keep_up())
        for loop, work in {**transactions.loops, **keeping_loops, **backup_loops}.items():
            owner.start(loop, work)
        told = OwnFacts(settings)
        owner.start("disk", told.run())
        owner.start(
            "beat",
            beat(
                connections.redis,
                "worker",
                name,
                lambda: {"speech": speech.engines.reasons, "handlers": handlers, **told()},
            ),
        )
        owner.start("watch", watch(connections).run())
        operations = await ops.serve(settings, "worker", connections)
        await stop.wait()
        await owner.close()
        await operations.cleanup()


def _subscriptions(connections: Connections, rules: RuleSource, speech: SpeechWorker) -> list[Subscription]:
    finalizer = finalizing.Finalizer(
        connections.database,
        connections.store,
        connections.settings.journal_path,
        connections.secrets.master_key,
    )
    return [
        *calls_subscriptions(connections.database, connections.bus),
        *estimates.subscriptions(connections.database, connections.settings.ring_s),
        *finalizing.subscriptions(finalizer),
        *script_verdict.subscriptions(script_verdict.ScriptVerdict(connections.database)),
        *exporting.subscriptions(
            exporting.ExportService(connections.database, connections.store, connections.secrets.master_key)
        ),
        *speech.subscriptions,
        *compliance.subscriptions(compliance.ComplianceService(connections.database, rules)),
        *searching.subscriptions(searching.SearchService(connections.database)),
        *scoring.subscriptions(scoring.ScoringService(connections.database, load_form())),
    ]


def _names(subscriptions: list[Subscription]) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for subscription in subscriptions:
        names.setdefault(subscription.event.__name__, []).append(subscription.name)
    return names
