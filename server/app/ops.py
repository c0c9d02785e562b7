"""``/health``, ``/ready`` and ``/metrics`` of one process, on a port of its own that customers do not reach."""

import asyncio
from collections.abc import Iterable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from core.heartbeats import alive
from core.settings import Settings
from server.app.connections import Connections

CHECK_S = 2.0
OFFSETS = {"media": 0, "worker": 1, "edge": 2}
_UP = Gauge("aircounter_up", "1 while the process runs.", ["process"])


async def missing(connections: Connections, kinds: Iterable[str] = ()) -> list[str]:
    """What this process lacks: ``database``, ``redis``, or a live process of one of the kinds."""
    found = []
    try:
        async with asyncio.timeout(CHECK_S), connections.database.read() as session:
            await session.execute(text("select 1"))
    except (SQLAlchemyError, OSError, TimeoutError):
        found.append("database")
    try:
        async with asyncio.timeout(CHECK_S):
            await connections.redis.ping()
            found += [kind for kind in kinds if not await alive(connections.redis, kind)]
    except (RedisError, OSError, TimeoutError):
        found.append("redis")
    return found


async def serve(settings: Settings, process: str, connections: Connections) -> web.AppRunner:
    """Start; returns the runner to clean up. OSError when the port is in use."""
    _UP.labels(process).set(1)

    async def health(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "process": process})

    async def ready(request: web.Request) -> web.Response:
        lacking = await missing(connections)
        status = "ok" if not lacking else "waiting for " + ", ".join(lacking)
        return web.json_response({"status": status, "process": process}, status=503 if lacking else 200)

    async def metrics(request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/health", health), web.get("/ready", ready), web.get("/metrics", metrics)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    if settings.ops_port:
        await web.TCPSite(runner, settings.ops_host, settings.ops_port).start()
    return runner
