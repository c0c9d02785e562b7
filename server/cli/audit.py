"""The audit log."""

import asyncio

import typer

from core.clock import SystemClock
from core.db import Database
from core.security.seal import load_seal
from core.settings import Settings
from core.store import open_store
from server.app import backups
from server.audit.anchors import AnchoredReport, Anchors
from server.cli.common import DatabaseOption, DataOption, StoreOption, console, plain_errors, settings_from

audit_app = typer.Typer(no_args_is_help=True, help="The audit log.")


@audit_app.command("verify")
def audit_verify(data: DataOption = None, database_url: DatabaseOption = None, store_url: StoreOption = None) -> None:
    """Walk the audit chain and compare it with the anchors in the store; exit code 1 when it was tampered with."""
    with plain_errors():
        settings = settings_from(data_dir=data, database_url=database_url, store_url=store_url)
        with backups.house_database(settings) as url:
            report = asyncio.run(_verify(settings, url))
    chain = report.chain
    if chain.broken_at is not None:
        console.print(f"[bold red]broken[/] at entry {chain.broken_at}: {chain.reason}", highlight=False)
    if report.lost_after is not None:
        console.print(
            f"[bold red]cut off[/]: {chain.entries} entries, but an anchor says there were {report.lost_after}",
            highlight=False,
        )
    if report.rewritten_at is not None:
        console.print(
            f"[bold red]written anew[/]: entry {report.rewritten_at} is not the anchored one", highlight=False
        )
    for key in report.bad:
        console.print(f"[bold red]bad anchor[/]: {key} is not as it was signed", highlight=False)
    if not report.good:
        raise typer.Exit(1)
    console.print(
        f"[green]intact[/]: {chain.entries} entries, head {chain.head}; {report.anchors} anchors hold", highlight=False
    )


async def _verify(settings: Settings, database_url: str) -> AnchoredReport:
    database = Database(database_url, None, SystemClock())
    try:
        store = open_store(settings.store_url, settings.data_dir)
        return await Anchors(database, store, load_seal(settings.data_dir)).verify()
    finally:
        await database.close()
