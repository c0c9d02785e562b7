"""Starting: the all-in-one, single processes, the schema; and taking media nodes out."""

import asyncio
import contextlib
import os
import socket
import sys
from typing import Annotated

import typer

from core.errors import CounterError
from core.logs import configure_logs
from core.security.local_ca import authority_path, server_certificate
from core.settings import Settings
from core.store import open_store
from server.app import roles, schema, seed
from server.app.supervisor import Supervisor, check_data_dir
from server.backup.backup import check_finished
from server.cli.common import (
    DatabaseOption,
    DataOption,
    RedisOption,
    StoreOption,
    console,
    plain_errors,
    settings_from,
    until_stopped,
)
from server.cli.models import ensure_models
from server.identity.seed import DEMO_LOGINS, DEMO_PASSWORD
from server.media.config import primary_address

app = typer.Typer()

PortOption = Annotated[int | None, typer.Option(min=1, max=65535, help="HTTP port (default: 8300).")]


@app.command()
def run(
    data: DataOption = None,
    port: PortOption = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on (default: 127.0.0.1).")] = None,
    database_url: DatabaseOption = None,
    redis_url: RedisOption = None,
    store_url: StoreOption = None,
    tls: Annotated[bool, typer.Option("--tls", help="https with a local CA, reachable by phones nearby.")] = False,
    demo: Annotated[bool, typer.Option("--demo", help="Demo staff with a known password.")] = False,
) -> None:
    """Start the all-in-one and keep it running until Ctrl-C."""
    with plain_errors():
        settings = settings_from(
            data_dir=data,
            port=port,
            host=host,
            database_url=database_url,
            redis_url=redis_url,
            store_url=store_url,
            demo=demo or None,
        )
        configure_logs(settings.log_level, "supervisor")
        if tls:
            _bring_tls(settings, host)
        ensure_models(settings)
        supervisor = Supervisor(settings)
        with contextlib.suppress(asyncio.CancelledError):
            until_stopped(_serve(supervisor), lambda: _stop(supervisor))


def _role(name: str, help_text: str) -> None:
    """A command that runs one process of an installation on many machines."""

    def start(
        data: DataOption = None,
        database_url: DatabaseOption = None,
        redis_url: RedisOption = None,
        store_url: StoreOption = None,
    ) -> None:
        with plain_errors():
            settings = settings_from(data_dir=data, database_url=database_url, redis_url=redis_url, store_url=store_url)
            roles.check(settings, name)
            asyncio.run(schema.check(str(settings.database_url), settings.allow_newer_schema))
            asyncio.run(check_finished(open_store(settings.store_url, settings.data_dir)))
        os.environ |= roles.environment(settings)
        os.execv(sys.executable, [sys.executable, "-m", "server.app.process", name])

    start.__doc__ = help_text
    app.command(name)(start)


_role("edge", "Run one edge: pages, HTTP, sockets. Needs --database-url and --redis-url.")
_role("media", "Run one media node. Ends on SIGTERM when its calls have, at most AIRCOUNTER_DRAIN_S later.")
_role("worker", "Run one worker: recordings, transcripts, checks, messages.")


@app.command()
def migrate(
    database_url: DatabaseOption = None,
    demo: Annotated[bool, typer.Option("--demo", help="Demo staff with a known password.")] = False,
    back_to: Annotated[
        str | None, typer.Option(help="Go back to an older release's schema, with all its processes stopped.")
    ] = None,
    discard: Annotated[
        bool, typer.Option("--discard", help="Going back may delete what the older release does not know.")
    ] = False,
) -> None:
    """Bring a database to this release's schema and catalogue, before its processes start."""
    with plain_errors():
        settings = settings_from(database_url=database_url, demo=demo or None)
        if settings.database_url is None:
            raise CounterError("name the database with --database-url", code="start.no_database")
        if back_to is not None:
            lost = asyncio.run(schema.downgrade(settings.database_url, back_to, discard=discard))
            console.print(f"schema {back_to}; deleted: {', '.join(lost) or 'nothing'}", highlight=False)
            return
        asyncio.run(schema.upgrade(settings.database_url))
        asyncio.run(seed.seed(settings))


@app.command()
def nodes(redis_url: RedisOption = None) -> None:
    """List the media nodes that are alive: name, calls, whether they drain."""
    with plain_errors():
        found = asyncio.run(roles.nodes(settings_from(redis_url=redis_url)))
    for name, facts in sorted(found.items()):
        console.print(f"{name}  {facts['load']} calls  {'draining' if facts['draining'] else 'open'}", highlight=False)


@app.command()
def drain(
    node: Annotated[str, typer.Argument(help="Name of a media node (AIRCOUNTER_MEDIA_NODE_ID).")],
    undo: Annotated[bool, typer.Option("--undo", help="Let it take new calls again.")] = False,
    redis_url: RedisOption = None,
) -> None:
    """Let a media node take no new calls; those it has go on."""
    with plain_errors():
        asyncio.run(roles.drain(settings_from(redis_url=redis_url), node, not undo))


async def _serve(supervisor: Supervisor) -> None:
    with console.status("starting engines and processes"):
        await supervisor.start()
    _print_addresses(supervisor)
    await asyncio.Event().wait()


async def _stop(supervisor: Supervisor) -> None:
    with console.status("stopping"):
        await supervisor.stop()
    console.print("stopped")


def _bring_tls(settings: Settings, host: str | None) -> None:
    """Listen on all addresses unless told otherwise, with a certificate for those that phones may use."""
    nearby = primary_address() or "127.0.0.1"
    check_data_dir(settings.data_dir)
    if host is None:
        settings.host = "0.0.0.0"
    elif host != "0.0.0.0":
        nearby = host
    if settings.tls_pem is None:
        hosts = list(dict.fromkeys([nearby, "127.0.0.1", "localhost", socket.gethostname()]))
        settings.tls_pem = server_certificate(settings.data_dir.resolve(), hosts)
    settings.public_url = settings.public_url or f"https://{nearby}:{settings.port}"


def _print_addresses(supervisor: Supervisor) -> None:
    address = supervisor.settings.public_url or supervisor.base_url
    console.print(f"\n[bold]AirCounter is ready[/]\n  customers  {address}/")
    console.print(f"  staff      {address}/staff")
    authority = authority_path(supervisor.settings.data_dir.resolve())
    if supervisor.settings.tls_pem == authority.with_name("server.pem"):
        console.print(f"  install this certificate once on each phone and computer:\n    {authority}", soft_wrap=True)
    if supervisor.settings.demo:
        console.print(f"  demo logins (password [bold]{DEMO_PASSWORD}[/]):", highlight=False)
        for login in DEMO_LOGINS:
            console.print(f"    {login.username:<12} {login.role.value:<10} {login.display_name}", highlight=False)
    console.print("  Ctrl-C stops everything\n")
