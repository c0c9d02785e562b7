"""The database schema: migrated forward at start, refused when it is newer than this release."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from core.errors import CounterError

_MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


class SchemaError(CounterError):
    """The database cannot be used by this release."""

    code = "schema.unusable"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    current = MigrationContext.configure(connection).get_current_revision()
    script = ScriptDirectory.from_config(_config())
    known = {revision.revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        raise SchemaError(
            f"the database has schema {current}, which this release does not know: "
            "it was used by a newer release; upgrade, or restore a backup"
        )
    command.upgrade(_config(connection), "head")


def _check(connection: Connection, allow_newer: bool) -> None:
    current = MigrationContext.configure(connection).get_current_revision()
    script = ScriptDirectory.from_config(_config())
    known = {revision.revision for revision in script.walk_revisions()}
    head = script.get_current_head()
    if current == head or (allow_newer and current is not None and current not in known):
        return
    if current in known or current is None:
        raise SchemaError(f"the database has schema {current or 'none'}, this release needs {head}: aircounter migrate")
    raise SchemaError(
        f"the database has schema {current}, which a newer release has made; during a rolling upgrade to the next "
        "release set AIRCOUNTER_ALLOW_NEWER_SCHEMA=true"
    )


async def check(database_url: str, allow_newer: bool = False) -> None:
    """Refuse to work with a schema that is not this release's.

    Args:
        allow_newer: A newer one is fine: the next release only adds what this one can ignore.

    Raises:
        SchemaError: older or newer schema, or the database cannot be reached.
    """
    engine = create_async_engine(database_url)
    try:
        async with asyncio.timeout(60), engine.connect() as connection:
            await connection.run_sync(_check, allow_newer)
    except (OSError, DBAPIError, TimeoutError) as error:
        raise SchemaError(f"the database does not answer ({error}); check --database-url") from error
    finally:
        await engine.dispose()


async def upgrade(database_url: str) -> None:
    """Bring the schema to this release's version.

    Raises:
        SchemaError: newer schema, or the database cannot be reached.
    """
    engine = create_async_engine(database_url)
    try:
        async with asyncio.timeout(60), engine.begin() as connection:
            await connection.run_sync(_upgrade)
    except (OSError, DBAPIError, TimeoutError) as error:
        raise SchemaError(f"the database does not answer ({error}); check --database-url") from error
    finally:
        await engine.dispose()
