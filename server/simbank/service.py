"""Running the simulator as a process: its own database on the house's server, unless another address is given."""

import asyncio

import asyncpg
import structlog
from aiohttp import web
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from server.simbank.app import Simulator
from server.simbank.customers import seed
from server.simbank.ledger import prepare

log = structlog.get_logger(__name__)

DATABASE = "aircounter_bank"


async def own_database(house_url: str) -> str:
    """The address of the simulator's own database beside the house's; made when it is not there."""
    url = make_url(house_url)
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(plain)
    try:
        if not await connection.fetchval("select 1 from pg_database where datname = $1", DATABASE):
            await connection.execute(f"create database {DATABASE}")
    finally:
        await connection.close()
    return url.set(database=DATABASE).render_as_string(hide_password=False)


async def serve(database_url: str, host: str, port: int, token: str, demo: bool, stop: asyncio.Event) -> None:
    """Serve until `stop` is set."""
    engine = create_async_engine(database_url, pool_size=5, max_overflow=10)
    try:
        await prepare(engine)
        simulator = Simulator(engine, token)
        if demo:
            await seed(simulator.ledger)
        runner = web.AppRunner(simulator.application(), access_log=None, shutdown_timeout=2.0)
        await runner.setup()
        await web.TCPSite(runner, host, port, reuse_address=True).start()
        log.info("simulated bank ready", port=port)
        await stop.wait()
        await runner.cleanup()
    finally:
        await engine.dispose()
