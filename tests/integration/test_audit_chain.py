"""Whoever edits, deletes or inserts audit rows by SQL is found out; parallel writers keep one chain."""

import asyncio
import json
from pathlib import Path

import pytest
from call_rows import CallRows
from http_app import always, serving
from sqlalchemy import text

from core import audit
from core.db import Database
from core.security.actor import staff_actor, system_actor
from core.security.seal import load_seal
from core.store import open_store
from server.audit.anchors import FOLDER, Anchors
from server.audit.routes import routes
from server.audit.service import PAGE_SIZE, AuditSearch

DETAIL = {"before": {"score": "81.50"}, "after": {"score": "90.00", "note": "复核"}, "x": [1.0, 1e22, None, True, 0.1]}


async def write(database: Database, number: int) -> None:
    async with database.unit_of_work(system_actor("test")) as work:
        work.audit("test.write", "thing", f"thing_{number}", number=number, **DETAIL)


async def tamper(database: Database, statement: str) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(text(statement))


async def test_an_untouched_chain_holds(database: Database) -> None:
    assert await audit.verify_database(database) == audit.ChainReport(0, audit.GENESIS)
    for number in range(3):
        await write(database, number)
    report = await audit.verify_database(database)
    assert (report.entries, report.broken_at) == (3, None)


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("update audit_entry set actor = 'system:nobody' where seq = 3", 3),
        ("update audit_entry set at = at + interval '1 microsecond' where seq = 3", 3),
        ("update audit_entry set object_id = 'thing_9' where seq = 1", 1),
        ("update audit_entry set detail = jsonb_set(detail, '{after,score}', '\"100.00\"') where seq = 4", 4),
        ("update audit_entry set detail = detail - 'before' where seq = 5", 5),
        ("update audit_entry set hash = repeat('0', 64) where seq = 2", 2),
        ("delete from audit_entry where seq = 3", 3),
        ("delete from audit_entry where seq = 1", 1),
        ("delete from audit_entry where seq = 3; update audit_entry set seq = seq - 1 where seq > 3", 3),
        (
            "insert into audit_entry select 6, at, actor, 'test.forged', object_type, object_id, detail, prev_hash, "
            "hash from audit_entry where seq = 5",
            6,
        ),
        (
            "update audit_entry set seq = seq + 1 where seq > 2; insert into audit_entry select 3, at, actor, action, "
            "object_type, object_id, detail, prev_hash, hash from audit_entry where seq = 2",
            3,
        ),
    ],
)
async def test_tampering_is_found(database: Database, statement: str, broken_at: int) -> None:
    for number in range(5):
        await write(database, number)
    for part in statement.split("; "):
        # Renumbering meets neighbours on the way, so it goes over free numbers as a forger would.
        if part.startswith("update audit_entry set seq"):
            sign = "+" if "+ 1" in part else "-"
            bound = part.rsplit(" ", 1)[1]
            await tamper(database, f"update audit_entry set seq = seq + 1000 where seq > {bound}")
            await tamper(database, f"update audit_entry set seq = seq - 1000 {sign} 1 where seq > 1000")
        else:
            await tamper(database, part)
    report = await audit.verify_database(database)
    assert report.broken_at == broken_at
    assert report.reason


async def test_a_cut_off_end_shows_in_count_and_head(database: Database) -> None:
    for number in range(5):
        await write(database, number)
    before = await audit.verify_database(database)
    await tamper(database, "delete from audit_entry where seq = 5")
    after = await audit.verify_database(database)
    assert after.broken_at is None  # a shorter chain is a valid chain …
    assert (after.entries, after.head) != (before.entries, before.head)  # … but not the one noted down


async def test_twenty_writers_at_once_keep_one_chain(database: Database) -> None:
    async def work_alone(number: int) -> None:
        async with database.unit_of_work(system_actor("test")) as work:
            for part in range(3):
                work.audit("test.write", "thing", f"{number}/{part}")

    await asyncio.gather(*(work_alone(number) for number in range(20)))
    report = await audit.verify_database(database)
    assert (report.entries, report.broken_at) == (60, None)


async def test_a_writer_that_takes_its_time_keeps_nobody_from_the_chain(database: Database) -> None:
    slow = audit.AuditNote(database.clock.now(), "system:test", "test.slow", "thing", "1", {"text": '复核 "x"'})
    async with database.transaction() as session:
        await audit.append(session, [slow, slow])
        await write(database, 1)  # would wait for ever if the chain were locked before the commit
        assert (await audit.verify_database(database)).entries == 1
    report = await audit.verify_database(database)
    assert (report.entries, report.broken_at) == (3, None)
    async with database.read() as session:
        assert (await session.scalars(text("select count(*) from audit_pending"))).one() == 0


async def test_a_rolled_back_use_case_leaves_no_entry_and_no_hole(database: Database) -> None:
    await write(database, 1)
    with pytest.raises(RuntimeError, match="changed my mind"):
        async with database.unit_of_work(system_actor("test")) as work:
            work.audit("test.write", "thing", "never")
            raise RuntimeError("changed my mind")
    await write(database, 2)
    report = await audit.verify_database(database)
    assert (report.entries, report.broken_at) == (2, None)


async def test_anchors_tell_what_the_chain_alone_cannot(database: Database, tmp_path: Path) -> None:
    store, seal = open_store(None, tmp_path), load_seal(tmp_path)
    anchors = Anchors(database, store, seal)
    assert await anchors.write() is None
    for number in range(3):
        await write(database, number)
    first = await anchors.write()
    assert first is not None
    assert await anchors.write() is None
    await write(database, 3)
    await write(database, 4)
    await anchors.write()
    report = await anchors.verify()
    assert (report.good, report.anchors, report.chain.entries) == (True, 2, 5)

    await tamper(database, "delete from audit_entry where seq = 5")
    report = await anchors.verify()
    assert (report.good, report.chain.broken_at, report.lost_after) == (False, None, 5)
    await write(database, 99)  # the place is taken again, by another entry
    report = await anchors.verify()
    assert (report.good, report.chain.broken_at, report.rewritten_at) == (False, None, 5)

    key = f"{FOLDER}/{3:020d}.json"
    forged = json.loads(await store.get(key)) | {"hash": "0" * 64}
    await store.put(key, json.dumps(forged).encode())
    report = await anchors.verify()
    assert (report.good, report.bad) == (False, [key])


async def test_auditors_search_and_export_the_log(database: Database) -> None:
    rows = CallRows(database)
    auditor = await rows.staff("auditor5", "auditor")
    for number in range(PAGE_SIZE + 5):
        await write(database, number)
    async with database.unit_of_work(staff_actor(auditor.id, ["auditor"])) as work:
        work.audit("recording.play", "recording_file", "file_1", call_id="call_7", note="=1+1")
    search = AuditSearch(database, "Asia/Shanghai")
    async with serving([routes(search)], always(staff_actor(auditor.id, ["auditor"]))) as client:
        newest = await (await client.get("/api/audit")).json()
        assert (len(newest["items"]), newest["items"][0]["who"][-3:]) == (PAGE_SIZE, "的姓名")
        older = await (await client.get("/api/audit", params={"before": newest["next"]})).json()
        assert (len(older["items"]), older["next"]) == (6, 0)
        for query in (
            {"what": "recording."},
            {"what": "播放"},
            {"object_id": "call_7"},
            {"who": auditor.staff_number},
            {"words": "1+1"},
        ):
            found = await (await client.get("/api/audit", params=query)).json()
            assert [row["object_id"] for row in found["items"]] == ["file_1"], query
            assert found["items"][0]["name_zh"] == "播放录像"
        assert (await (await client.get("/api/audit", params={"words": "100%"})).json())["items"] == []
        assert (await client.get("/api/audit", params={"first": "yesterday"})).status == 400
        exported = await (await client.get("/api/audit/export", params={"what": "recording."})).text()
        assert exported.count("file_1") == 1
        newest = await (await client.get("/api/audit")).json()
        assert (newest["items"][0]["action"], newest["items"][0]["detail"]["entries"]) == ("audit.export", 1)
    async with serving([routes(search)], always(staff_actor(auditor.id, ["admin"]))) as client:
        assert (await client.get("/api/audit")).status == 403
