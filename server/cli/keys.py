"""The installation's keys."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn

from core.clock import SystemClock
from core.db import Database
from core.errors import ConflictError
from core.security.keys import FRESH_S, KeyRing, add_master_key, drop_former_keys, load_secrets
from core.security.seal import load_seal
from core.settings import Settings
from core.store import open_store
from server.app import backups, rotation
from server.backup.backup import KEY_FILES
from server.cli.common import DatabaseOption, DataOption, StoreOption, console, plain_errors, settings_from

keys_app = typer.Typer(no_args_is_help=True, help="The installation's keys.")


@keys_app.command("make")
def keys_make(
    folder: Annotated[Path, typer.Argument(help="Where to put them; give each machine a copy, keep one apart.")],
) -> None:
    """Make the keys of a new installation, before its processes start. Nothing is ever overwritten."""
    with plain_errors():
        there = [name for name in KEY_FILES if (folder / name).exists()]
        if there:
            raise ConflictError(f"{folder} holds {', '.join(there)} already", code="keys.exist")
        os.environ.pop("AIRCOUNTER_SECRETS_FILE", None)  # here the folder counts
        load_secrets(folder)
        load_seal(folder)
    console.print(f"{' and '.join(KEY_FILES)} in {folder}", highlight=False)


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
