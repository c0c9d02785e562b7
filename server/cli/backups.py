"""Backup, restore and the drill."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from server.app import backups
from server.backup.backup import copy_keys, put_keys
from server.cli.common import (
    DatabaseOption,
    DataOption,
    JsonOption,
    StoreOption,
    console,
    plain_errors,
    settings_from,
)

app = typer.Typer()

TargetArgument = Annotated[str, typer.Argument(help="Where backups lie: a folder, or an object store's address.")]
IdOption = Annotated[str | None, typer.Option("--id", help="Which backup (default: the newest).")]


@app.command()
def backup(
    target: TargetArgument,
    keys: Annotated[Path, typer.Option(help="Folder for the keys; keep it apart from the backups.")],
    data: DataOption = None,
    database_url: DatabaseOption = None,
    store_url: StoreOption = None,
) -> None:
    """Copy database and objects, encrypted, to another store, and the keys to a folder apart."""
    with plain_errors():
        settings = settings_from(data_dir=data, database_url=database_url, store_url=store_url)
        with backups.house_database(settings) as url:
            manifest = asyncio.run(backups.backup(settings, url, target))
        copied = copy_keys(settings.data_dir, keys)
    rows, objects = sum(manifest["rows"].values()), len(manifest["objects"])
    console.print(
        f"[green]{manifest['id']}[/]: {rows} rows and {objects} objects as of {manifest['taken_at']}; "
        f"keys ({', '.join(copied)}) in {keys}. It restores to that moment only.",
        highlight=False,
    )


@app.command()
def restore(
    target: TargetArgument,
    keys: Annotated[Path, typer.Option(help="Folder with the keys of the installation that was backed up.")],
    data: DataOption = None,
    database_url: DatabaseOption = None,
    store_url: StoreOption = None,
    backup_id: IdOption = None,
    deletions: Annotated[
        str | None,
        typer.Option(help="The former house's store, if still there: deletions newer than the backup."),
    ] = None,
) -> None:
    """Bring a backup into an empty data folder, or an empty database and store, and delete again what was since."""
    with plain_errors():
        settings = settings_from(data_dir=data, database_url=database_url, store_url=store_url)
        put_keys(keys, settings.data_dir)
        with backups.house_database(settings, make=True) as url:
            manifest, again = asyncio.run(backups.restore(settings, url, target, backup_id, deletions))
    console.print(
        f"[green]restored[/] {manifest['id']}, as of {manifest['taken_at']}; {again} later deletions made again",
        highlight=False,
    )


@app.command()
def drill(
    target: TargetArgument,
    data: DataOption = None,
    database_url: DatabaseOption = None,
    backup_id: IdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Restore a backup into a scratch place and prove it: counts, digests, a played recording. Exit code 1: failed."""
    with plain_errors():
        settings = settings_from(data_dir=data, database_url=database_url)
        with backups.house_database(settings) as url:
            report = asyncio.run(backups.rehearse(settings, target, backup_id))
            asyncio.run(backups.note(url, report))
    if as_json:
        typer.echo(json.dumps({"good": report.good, **asdict(report)}, ensure_ascii=False))
    else:
        typer.echo(report.words(), nl=False)
    if not report.good:
        raise typer.Exit(1)
