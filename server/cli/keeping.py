"""Retention and the master key."""

import asyncio
import json

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn

from core.clock import SystemClock
from core.db import Database
from core.security.keys import FRESH_S, KeyRing, add_master_key, drop_former_keys, load_secrets
from core.settings import Settings
from core.store import open_store
from recording.retention.purge import Lister
from server.app import backups, rotation
from server.cli.common import DatabaseOption, DataOption, JsonOption, StoreOption, console, plain_errors, settings_from

retention_app = typer.Typer(no_args_is_help=True, help="How long what is kept.")
keys_app = typer.Typer(no_args_is_help=True, help="The master key.")


@retention_app.command("due")
def due(data: DataOption = None, database_url: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """Show what may be deleted now. Deletes nothing: two people do that on the page."""
    with plain_errors():
        settings = settings_from(data_dir=data, database_url=database_url)
        with backups.house_database(settings) as url:
            lines = asyncio.run(_due(url))
    if as_json:
        typer.echo(json.dumps(lines, ensure_ascii=False))
        return
    for line in lines:
        typer.echo(
            f"{line['root_type']} {line['label']}: {line['data_class']}, {line['row_count']} rows, "
            f"{line['objects']} objects; {line['rule']} was over on {line['kept_until']}"
        )
    console.print(f"{len(lines)} classes of data may be deleted", highlight=False)


async def _due(url: str) -> list[dict[str, object]]:
    database = Database(url, None, SystemClock())
    try:
        async with database.read() as session:
            lines = await Lister(database).due(session, database.clock.now())
    finally:
        await database.close()
    return [
        {
            "root_type": line.root_type,
            "root_id": line.root_id,
            "label": line.label,
            "data_class": line.data_class,
            "rule": line.rule,
            "kept_until": line.kept_until.isoformat() if line.kept_until else None,
            "rows": line.rows,
            "row_count": sum(line.rows.values()),
            "objects": line.object_count,
        }
        for line in lines
    ]


@keys_app.command("rotate")
def rotate(data: DataOption = None, database_url: DatabaseOption = None, store_url: StoreOption = None) -> None:
    """Make a new master key and wrap everything with it. May be stopped; run again, it goes on where it was.

    The house may run meanwhile: its processes notice the new key by themselves where they share the secrets file.
    """
    with plain_errors():
        settings = settings_from(data_dir=data, database_url=database_url, store_url=store_url)
        with backups.house_database(settings) as url:
            ring = _ring(settings)
            if len(ring.keys) == 1:
                add_master_key(settings.data_dir)
                console.print("A new master key is in the secrets file. Make a copy of the keys.", highlight=False)
            progress = asyncio.run(_rotate(settings, url))
    console.print(
        f"[green]done[/]: {progress.changed} of {progress.seen} values wrapped anew. "
        "The former key stays until `aircounter keys retire`.",
        highlight=False,
    )


async def _rotate(settings: Settings, url: str) -> rotation.Progress:
    await asyncio.sleep(FRESH_S + 1)  # until then running processes may still use the former key for new things
    database = Database(url, None, SystemClock())
    try:
        work = rotation.Rotation(database, open_store(settings.store_url, settings.data_dir), _ring(settings))
        with Progress(SpinnerColumn(), TextColumn("{task.description}"), console=console, transient=True) as shown:
            task = shown.add_task("")
            return await work.run(
                lambda at: shown.update(task, description=f"{at.part}: {at.seen} seen, {at.changed} wrapped anew")
            )
    finally:
        await database.close()


@keys_app.command("retire")
def retire(data: DataOption = None, database_url: DatabaseOption = None, store_url: StoreOption = None) -> None:
    """Forget former master keys, after proving that nothing needs them. Backups made before need the keys of then."""
    with plain_errors():
        settings = settings_from(data_dir=data, database_url=database_url, store_url=store_url)
        with backups.house_database(settings) as url:
            asyncio.run(_assert_unused(settings, url))
            drop_former_keys(settings.data_dir)
    console.print("[green]done[/]: there is one master key", highlight=False)


async def _assert_unused(settings: Settings, url: str) -> None:
    database = Database(url, None, SystemClock())
    try:
        store = open_store(settings.store_url, settings.data_dir)
        await rotation.Rotation(database, store, _ring(settings)).assert_unused()
    finally:
        await database.close()


def _ring(settings: Settings) -> KeyRing:
    ring = load_secrets(settings.data_dir).master_key
    assert isinstance(ring, KeyRing)
    return ring
