"""What the processes measure, for Prometheus. docs/operations.md lists everything; a test compares."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import structlog
from aiohttp import web
from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from core.db import Database

log = structlog.get_logger(__name__)

REQUESTS = Counter("aircounter_http_requests", "HTTP requests, by method and class of status.", ["method", "status"])
REQUEST_S = Histogram(
    "aircounter_http_request_seconds", "Duration of HTTP requests.", buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
)
CALLS = Gauge("aircounter_calls", "Calls that wait or run, by state.", ["state"])
BACKLOG = Gauge("aircounter_jobs_waiting", "Deliveries of facts to handlers that are not done.")
BACKLOG_S = Gauge("aircounter_jobs_oldest_seconds", "Age of the oldest of them.")
FAILED = Gauge("aircounter_jobs_failed", "Jobs that were given up and wait for a person.")
OUTBOX = Gauge("aircounter_outbox_waiting", "Facts that are not handed to the jobs yet.")
ALARMS = Gauge("aircounter_alarms_open", "Alarms nobody has seen to, by kind.", ["kind"])
BACKUP_S = Gauge("aircounter_backup_age_seconds", "Age of the newest good backup made by a worker; 0: there is none.")
WORK_EVERY_S = 5.0

_STATES = ("queued", "offered", "accepted", "connected", "wrap_up")
_CALLS = text("select state, count(*) from call where state <> 'closed' group by state")
_JOBS = text(
    "select count(*), coalesce(extract(epoch from now() - min(o.at)), 0) "
    "from event_delivery d join outbox_event o using (event_id) where d.state = 'pending'"
)
_FAILED = text("select count(*) from event_delivery where state = 'failed'")
_OUTBOX = text("select count(*) from outbox_event where relayed_at is null")
_BACKUP = text(
    "select coalesce(extract(epoch from now() - max(finished_at)), 0) from backup_run "
    "where kind = 'backup' and state = 'done'"
)
_ALARMS = text("select kind, count(*) from alarm where cleared_at is null group by kind")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def http_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count and time. Sockets are no requests: they last as long as a page is open."""
    if request.path.startswith("/socket.io/"):
        return await handler(request)
    began_s, status = time.monotonic(), 500
    try:
        response = await handler(request)
        status = response.status
        return response
    except web.HTTPException as error:
        status = error.status
        raise
    finally:
        REQUESTS.labels(request.method, f"{status // 100}xx").inc()
        REQUEST_S.observe(time.monotonic() - began_s)


async def watch_work(database: Database) -> None:
    """Keep what all workers share up to date: calls, jobs, alarms. The same in every worker: take the maximum."""
    while True:
        try:
            async with database.read() as session:
                calls = {str(state): int(count) for state, count in (await session.execute(_CALLS)).all()}
                waiting, oldest_s = (await session.execute(_JOBS)).one()
                failed = (await session.execute(_FAILED)).scalar_one()
                outbox = (await session.execute(_OUTBOX)).scalar_one()
                alarms = (await session.execute(_ALARMS)).all()
                backup_s = (await session.execute(_BACKUP)).scalar_one()
        except (SQLAlchemyError, OSError) as error:
            log.warning("figures not read", error=str(error))
        else:
            for state in _STATES:
                CALLS.labels(state).set(calls.get(state, 0))
            BACKLOG.set(waiting)
            BACKLOG_S.set(float(oldest_s))
            FAILED.set(failed)
            OUTBOX.set(outbox)
            BACKUP_S.set(float(backup_s))
            ALARMS.clear()
            for kind, count in alarms:
                ALARMS.labels(kind).set(count)
        await asyncio.sleep(WORK_EVERY_S)


class MediaCollector(Collector):
    """A media node's own figures, read when somebody asks."""

    def __init__(self, stats: Callable[[], dict[str, Any]]) -> None:
        self._stats = stats

    def collect(self) -> Iterable[Metric]:
        """Calls, transports and dropped packets."""
        found = self._stats()
        yield GaugeMetricFamily("aircounter_media_calls", "Calls this node carries.", value=found["calls"])
        yield GaugeMetricFamily("aircounter_media_peers", "Transports of this node.", value=found["peers"])
        # A gauge: what a transport dropped goes with it.
        dropped = GaugeMetricFamily(
            "aircounter_media_dropped",
            "Packets that the present transports have dropped, by reason.",
            labels=["reason"],
        )
        for reason, count in found["dropped"].items():
            dropped.add_metric([reason], count)
        yield dropped


def watch_media(stats: Callable[[], dict[str, Any]]) -> None:
    """Offer a node's figures."""
    REGISTRY.register(MediaCollector(stats))
