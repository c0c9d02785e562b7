"""The first administrator, and the last resort of one who is locked out."""

import asyncio
from typing import Annotated

import typer

from core.clock import SystemClock
from core.db import Database
from core.settings import Settings
from server.app import backups
from server.app.access import account_rules
from server.cli.common import DatabaseOption, DataOption, console, plain_errors, settings_from
from server.identity.accounts import OneTimePassword, StaffAccounts

app = typer.Typer()


@app.command("admin")
def admin(
    username: Annotated[str, typer.Argument(help="User name of the administrator.")],
    name: Annotated[str, typer.Option(help="Name as shown; for a new one.")] = "管理员",
    number: Annotated[str, typer.Option(help="Staff number; for a new one.")] = "9999",
    data: DataOption = None,
    database_url: DatabaseOption = None,
) -> None:
    """Print a one-time password for an administrator; creates the account when there is none."""
    settings = settings_from(data_dir=data, database_url=database_url)
    with plain_errors(), backups.house_database(settings) as url:
        issued = asyncio.run(_admin(url, settings, username, name, number))
    print(issued.password)
    console.print(f"good for one sign-in until {issued.expires_at:%Y-%m-%d %H:%M} UTC", highlight=False)


async def _admin(url: str, settings: Settings, username: str, name: str, number: str) -> OneTimePassword:
    database = Database(url, None, SystemClock())
    try:
        return await StaffAccounts(database, account_rules(settings)).ensure_admin(username, name, number)
    finally:
        await database.close()
