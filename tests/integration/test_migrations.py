"""Every migration there and back with rows in every table: what an older schema can hold is still there."""

import asyncio
import datetime
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from typer.testing import CliRunner

from core.models import metadata
from server.app import schema
from server.cli import app

FREE = 11
"""Up to this rank there was no release: afterwards the release before must get on with what a migration adds."""

NOT_KEPT = {"alembic_version", "audit_pending"}
"""The rank itself, and what is gone before its transaction is over."""

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture
def engine(database_url: str) -> AsyncEngine:
    return create_async_engine(database_url, poolclass=sa.NullPool)


@dataclass(slots=True)
class Seen:
    """A schema and all its rows."""

    schema: sa.MetaData
    rows: Rows


def look(connection: sa.Connection) -> Seen:
    found = sa.MetaData()
    found.reflect(connection)
    tables = [table for table in found.sorted_tables if table.name not in NOT_KEPT]
    return Seen(found, {table.name: _rows(connection, table) for table in tables})


def _rows(connection: sa.Connection, table: sa.Table) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in connection.execute(sa.select(table))]


def fill(connection: sa.Connection, seen: Seen) -> Seen:
    """A row in every empty table, with something in every column."""
    for name in [name for name, rows in seen.rows.items() if not rows]:
        table, row = seen.schema.tables[name], {}
        for column in table.columns:
            if column.computed is None and column.identity is None:
                parent = next(iter(column.foreign_keys), None)
                row[column.name] = _of_parent(connection, parent) if parent else _something(column)
        connection.execute(table.insert().values(row))
        seen.rows[name] = _rows(connection, table)
    return seen


def _of_parent(connection: sa.Connection, key: sa.ForeignKey) -> Any:
    return connection.execute(sa.select(key.column).limit(1)).scalar_one_or_none()


def _something(column: sa.Column[Any]) -> Any:
    kind = column.type.python_type
    if kind is datetime.datetime:
        return datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    if kind is datetime.date:
        return datetime.date(2026, 1, 2)
    if kind is datetime.time:
        return datetime.time(9, 30)
    values = {
        str: f"{column.name} 一",
        int: 7,
        float: 1.5,
        Decimal: Decimal("1.5"),
        bool: True,
        bytes: b"\x00\x01",
        object: {"列": [1]},  # JSON
    }
    return values[kind]


def kept(before: Rows, after: Rows) -> list[str]:
    """What is not as it was in what both schemas have."""
    return [
        f"{table}.{name}"
        for table in before.keys() & after.keys()
        for old, new in zip(before[table], after[table] or [{}], strict=True)
        for name in old.keys() & new.keys() or old.keys()
        if old[name] != new.get(name)
    ]


def not_ignorable(before: sa.MetaData, after: sa.MetaData) -> list[str]:
    """What the release before would trip over: something gone, or a column it must fill and does not know."""
    gone = [name for name in before.tables if name not in after.tables]
    for name in before.tables.keys() & after.tables.keys():
        old, new = before.tables[name].columns, after.tables[name].columns
        gone += [f"{name}.{column.name}" for column in old if column.name not in new]
        gone += [
            f"{name}.{column.name}"
            for column in new
            if column.name not in old and not column.nullable and column.server_default is None
        ]
    return gone


def described(found: sa.MetaData) -> dict[str, Any]:
    return {
        name: {
            "columns": [(c.name, str(c.type), c.nullable, c.server_default is not None) for c in table.columns],
            "indexes": sorted(f"{index.name} {index.unique}" for index in table.indexes),
            "keys": sorted(str(key.target_fullname) for key in table.foreign_keys),
        }
        for name, table in found.tables.items()
    }


def there_and_back(connection: sa.Connection) -> None:
    config = schema.config(connection)
    ranks = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]
    before = fill(connection, look(connection))
    at_first = described(before.schema)
    for rank in reversed(ranks):
        command.downgrade(config, "-1")
        after = look(connection)
        assert kept(before.rows, after.rows) == [], f"lost on the way back from {rank}"
        before = after
    assert before.rows == {}
    for rank in ranks:
        command.upgrade(config, rank)
        after = look(connection)
        assert kept(before.rows, after.rows) == [], f"lost by {rank}"
        if int(rank) > FREE:
            assert not_ignorable(before.schema, after.schema) == [], f"the release before {rank} cannot work with it"
        before = fill(connection, after)
    assert {name: table for name, table in described(before.schema).items() if table != at_first[name]} == {}
    differences = compare_metadata(MigrationContext.configure(connection), metadata)
    assert [each for each in differences if each[0] != "remove_index"] == [], "the models are not the schema"


async def test_every_migration_there_and_back_with_rows(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(there_and_back)


async def test_going_back_deletes_nothing_unasked(engine: AsyncEngine, database_url: str) -> None:
    async with engine.begin() as connection:
        before = await connection.run_sync(lambda each: fill(each, look(each)).rows)
    with pytest.raises(schema.SchemaError, match=r"evidence_export \(1 rows\)") as refused:
        await schema.downgrade(database_url, "0010", discard=False)
    assert refused.value.code == "schema.would_lose"
    async with engine.begin() as connection:
        assert (await connection.run_sync(look)).rows == before
    await schema.downgrade(database_url, "0010", discard=True)
    with pytest.raises(schema.SchemaError, match="0010"):
        await schema.check(database_url)
    with pytest.raises(schema.SchemaError, match="no schema 4711"):
        await schema.downgrade(database_url, "4711", discard=True)
    await schema.upgrade(database_url)
    await schema.check(database_url)


@pytest.mark.parametrize(
    ("stamp", "words"), [("0001", "aircounter migrate"), ("9999", "a newer release"), (None, "has schema none")]
)
async def test_a_process_says_in_a_sentence_that_the_schema_is_not_its_own(
    engine: AsyncEngine, database_url: str, tmp_path: Path, stamp: str | None, words: str
) -> None:
    async with engine.begin() as connection:
        await connection.execute(sa.text("delete from alembic_version"))
        if stamp:
            await connection.execute(sa.text("insert into alembic_version values (:stamp)"), {"stamp": stamp})

    def start(*words: str, **more: str) -> Any:
        environment = {"AIRCOUNTER_BANK_URL": "http://127.0.0.1:9", "AIRCOUNTER_DATA_DIR": str(tmp_path), **more}
        return CliRunner().invoke(app, [*words, "--database-url", database_url], env=environment)

    for role in ("media", "worker"):
        result = await asyncio.to_thread(start, role, "--redis-url", "redis://127.0.0.1:1")
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1), result.stderr
        assert words in result.stderr
        assert "schema.unusable" in result.stderr
    if stamp == "9999":
        result = await asyncio.to_thread(start, "migrate")
        assert result.exit_code == 2
        assert "upgrade, or restore a backup" in result.stderr
        await schema.check(database_url, allow_newer=True)
