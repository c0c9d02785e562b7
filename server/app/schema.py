"""The database schema: migrated forward at start, refused when it is not this release's, back only on request."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from core.db import CONNECT
from core.errors import CounterError

_MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


class SchemaError(CounterError):
    """The database cannot be used by this release."""

    code = "schema.unusable"


def config(connection: Connection | None = None) -> Config:
    """Alembic's view of this release's migrations."""
    made = Config()
    made.set_main_option("script_location", str(_MIGRATIONS))
    made.attributes["connection"] = connection
    return made


def _upgrade(connection: Connection) -> None:
    current = MigrationContext.configure(connection).get_current_revision()
    script = ScriptDirectory.from_config(config())
    known = {revision.revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        raise SchemaError(
            f"the database has schema {current}, which this release does not know: "
            "it was used by a newer release; upgrade, or restore a backup"
        )
    command.upgrade(config(connection), "head")


def _check(connection: Connection, allow_newer: bool) -> None:
    current = MigrationContext.configure(connection).get_current_revision()
    script = ScriptDirectory.from_config(config())
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


def _downgrade(connection: Connection, revision: str, discard: bool) -> list[str]:
    script = ScriptDirectory.from_config(config())
    current = MigrationContext.configure(connection).get_current_revision()
    older = [each.revision for each in script.iterate_revisions(current, "base")] if current else []
    if revision not in older[1:]:
        raise SchemaError(f"there is no schema {revision} before the database's {current or 'none'}")
    before = _held(connection)
    command.downgrade(config(connection), revision)
    after = _held(connection)
    gone = {name: count for name, count in before.items() if count and name not in after}
    # A table that goes says it for its columns.
    lost = [f"{name} ({n} rows)" for name, n in sorted(gone.items()) if name.rpartition(".")[0] not in gone]
    if lost and not discard:
        raise SchemaError(f"going back to {revision} deletes {', '.join(lost)}", code="schema.would_lose")
    return lost


def _held(connection: Connection) -> dict[str, int]:
    """Rows of each table, and of each column those that hold something."""
    found = MetaData()
    found.reflect(connection)
    held: dict[str, int] = {}
    for table in found.sorted_tables:
        names = [column.name for column in table.columns if column.computed is None]
        counts = select(func.count(), *(func.count(table.columns[name]) for name in names)).select_from(table)
        total, *each = connection.execute(counts).one()
        held |= {table.name: total, **{f"{table.name}.{name}": n for name, n in zip(names, each, strict=True)}}
    return held


async def downgrade(database_url: str, revision: str, *, discard: bool) -> list[str]:
    """Bring the schema back to an older release's, whole or not at all. Returns what was deleted.

    Raises:
        SchemaError: no such older schema; ``schema.would_lose``: rows would be deleted and `discard` is not set.
    """
    engine = create_async_engine(database_url, connect_args=CONNECT)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(_downgrade, revision, discard)
    except (OSError, DBAPIError) as error:
        raise SchemaError(f"the schema cannot be brought back ({error}); check --database-url") from error
    finally:
        await engine.dispose()


async def check(database_url: str, allow_newer: bool = False) -> None:
    """Refuse to work with a schema that is not this release's.

    Args:
        allow_newer: A newer one is fine: the next release only adds what this one can ignore.

    Raises:
        SchemaError: older or newer schema, or the database cannot be reached.
    """
    engine = create_async_engine(database_url, connect_args=CONNECT)
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
    engine = create_async_engine(database_url, connect_args=CONNECT)
    try:
        async with asyncio.timeout(60), engine.begin() as connection:
            await connection.run_sync(_upgrade)
    except (OSError, DBAPIError, TimeoutError) as error:
        raise SchemaError(f"the database does not answer ({error}); check --database-url") from error
    finally:
        await engine.dispose()
