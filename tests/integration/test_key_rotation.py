"""A new master key: everything wrapped anew, in the middle of work, after being killed; old things stay readable."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from call_rows import CallRows
from edge_house import add_belongings
from sqlalchemy import select, update
from sqlmodel import SQLModel

from core import models
from core.db import Database
from core.errors import ConflictError
from core.models import Recording, SignedDocument, StaffTotp, Voucher
from core.security.actor import system_actor
from core.security.keys import (
    KeyRing,
    SecretsError,
    add_master_key,
    drop_former_keys,
    is_current,
    load_secrets,
    unwrap_key,
    wrap_key,
)
from core.store import open_store
from core.vault import Vault
from recording.retention.persons import PersonIndex
from server.app.rotation import COLUMNS, Progress, Rotation, sealed_columns


def tables() -> list[type[SQLModel]]:
    return [each for each in vars(models).values() if isinstance(each, type) and hasattr(each, "__table__")]


def test_every_binary_column_is_rotated() -> None:
    assert {each.name for each in COLUMNS} == sealed_columns(tables())


def test_the_ring_follows_the_file(tmp_path: Path) -> None:
    ring = load_secrets(tmp_path).master_key
    assert isinstance(ring, KeyRing)
    old = wrap_key(ring, b"data", "x")
    add_master_key(tmp_path)
    other = load_secrets(tmp_path).master_key
    new = wrap_key(other, b"data", "x")
    assert unwrap_key(ring, new, "x") == b"data"  # it looked again, as it could not open it
    assert unwrap_key(ring, old, "x") == b"data"
    assert not is_current(ring, old, "x")
    assert is_current(ring, wrap_key(ring, b"more", "x"), "x")
    with pytest.raises(SecretsError):
        unwrap_key(ring, new, "y")
    drop_former_keys(tmp_path)
    with pytest.raises(SecretsError):
        unwrap_key(load_secrets(tmp_path).master_key, old, "x")
    stored = json.loads((tmp_path / "secrets.json").read_text())
    assert stored["former_master_keys"] == []
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    (tmp_path / "secrets.json").write_text("broken")
    assert unwrap_key(ring, new, "x") == b"data"  # a running house goes on with what it knows


class Killed(BaseException):
    pass


async def test_everything_is_wrapped_anew_and_stays_readable(database: Database, tmp_path: Path) -> None:
    ring = load_secrets(tmp_path).master_key
    beside = SimpleNamespace(database=database, connections=SimpleNamespace(secrets=SimpleNamespace(master_key=ring)))
    teller = await CallRows(database).staff("teller8", "teller")
    await add_belongings(beside, "teller8")  # type: ignore[arg-type]
    store = open_store(None, tmp_path)
    vault, index = Vault(store, ring), PersonIndex(database, ring)
    person = await index.person_key("11010519491231002X")
    async with database.unit_of_work(system_actor("test")) as work:
        work.session.add(StaffTotp(staff_id=teller.id, secret_sealed=b"x", created_at=work.clock.now()))
    async with database.transaction() as session:
        for each in COLUMNS:
            if each.table is models.DataKey:
                continue
            value = getattr(each.table, each.column)
            bound = [getattr(each.table, name) for name in each.bound]
            for row in (await session.execute(select(value, *bound).where(value.is_not(None)))).all():
                owner = each.owner(*row[1:])
                mine = [column == key for column, key in zip(bound, row[1:], strict=True)]
                await session.execute(
                    update(each.table).where(*mine).values({each.column: wrap_key(ring, owner.encode(), owner)})
                )
        documents = [
            key
            for column in (SignedDocument.object_key, Voucher.object_key)
            for key in (await session.scalars(select(column).where(column.is_not(None)))).all()  # type: ignore[call-overload, union-attr]
        ]
    for key in documents:
        await vault.put(key, key.encode())

    add_master_key(tmp_path)
    rotation = Rotation(database, store, ring)
    with pytest.raises(ConflictError) as early:
        await rotation.assert_unused()
    assert early.value.code == "keys.in_use"

    def die(progress: Progress) -> None:
        if progress.changed > 5:
            raise Killed

    with pytest.raises(Killed):
        await rotation.run(die)
    total = (await rotation.run(dry=True)).changed
    done = await rotation.run()
    assert done.changed == total < done.seen  # what was wrapped before the kill is passed over
    assert (await rotation.run()).changed == 0
    await rotation.assert_unused()
    drop_former_keys(tmp_path)
    fresh = load_secrets(tmp_path).master_key
    async with database.read() as session:
        for each in COLUMNS:
            value = getattr(each.table, each.column)
            bound = [getattr(each.table, name) for name in each.bound]
            for row in (await session.execute(select(value, *bound).where(value.is_not(None)))).all():
                owner = each.owner(*row[1:])
                plain = unwrap_key(fresh, row[0], owner)
                assert plain == owner.encode() or each.table is models.DataKey
    for key in documents:
        assert await Vault(store, fresh).get(key) == key.encode()
    assert await PersonIndex(database, fresh).person_key("11010519491231002x") == person
    async with database.unit_of_work(system_actor("test")) as work:
        await work.session.execute(update(Recording).values(state="captured"))
    with pytest.raises(ConflictError):  # its journal on a media machine may need the former key
        await rotation.assert_unused()
