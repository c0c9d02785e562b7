"""Retention."""

import asyncio
import json

import typer

from core.clock import SystemClock
from core.db import Database
from recording.retention.purge import Lister
from server.app import backups
from server.cli.common import DatabaseOption, DataOption, JsonOption, console, plain_errors, settings_from

retention_app = typer.Typer(no_args_is_help=True, help="How long what is kept.")


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
