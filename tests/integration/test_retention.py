"""Deletion by two persons: listed, seen, approved, done to the last row and object. Holds win; killed, it goes on."""

import asyncio
import base64
import io
import json
import shutil
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from call_rows import GOOD_TRANSFER, CallRows
from edge_house import Belongings, add_belongings
from fake_clock import FakeClock
from sqlalchemy import func, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import col, select

from core.bus import Bus
from core.db import Database
from core.errors import ConflictError, CounterError, DeniedError
from core.events import CaseEnded, PurgeApproved, SubjectExportAsked
from core.models import AuditEntry, BusinessCase, Call, LegalHold, OutboxEvent, PurgeItem, PurgeRun, Tombstone
from core.security.actor import Actor, staff_actor, system_actor
from core.security.seal import load_seal
from core.security.sealing import Sealer
from core.settings import Settings
from core.store import Store, open_store
from recording.retention import extent, ledger
from recording.retention.desk import RetentionDesk
from recording.retention.extent import Root
from recording.retention.holds import HoldService
from recording.retention.ledger import Ledger
from recording.retention.persons import PersonIndex
from recording.retention.purge import PurgeService
from recording.retention.rules import DataClass
from recording.retention.schemas import LegalHoldRequest, ProductEndRequest, RetentionRuleChange
from recording.subject.package import SubjectPackages
from recording.subject.schemas import SubjectAskRequest, SubjectRequestView
from recording.subject.service import SubjectDesk
from server.app import backups
from server.backup.backup import check_finished, put_keys
from server.counter.wordings import wording_texts

KEY = bytes(range(32))
DAY_S = 86_400.0
NUMBER = "11010519491231002X"


class Killed(BaseException):
    """As kill -9 would end it."""


class Flaky(Store):
    """A store that dies at the n-th thing asked of it."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner._store)
        self.calls_left: int | None = None
        self.asked = 0

    def _count(self) -> None:
        self.asked += 1
        if self.calls_left is not None:
            self.calls_left -= 1
            if self.calls_left < 0:
                raise Killed

    async def delete(self, key: str) -> None:
        self._count()
        await super().delete(key)

    async def size_b(self, key: str) -> int:
        self._count()
        return await super().size_b(key)


@dataclass
class House:
    database: Database
    clock: FakeClock
    store: Flaky
    desk: RetentionDesk
    holds: HoldService
    purges: PurgeService
    persons: PersonIndex
    theirs: Belongings
    admin: Actor
    auditor: Actor

    async def listed(self) -> str:
        return await self.purges.dry_run(self.admin, "quarterly")

    async def lines(self, run_id: str) -> list[PurgeItem]:
        async with self.database.read() as session:
            query = select(PurgeItem).where(col(PurgeItem.run_id) == run_id).order_by(col(PurgeItem.position))
            return list((await session.scalars(query)).all())

    async def approve(self, run_id: str) -> None:
        seen = await self.desk.purge(self.auditor, run_id, 0)
        await self.purges.approve(self.auditor, run_id, seen.list_sha256)

    async def work_off(self, run_id: str) -> None:
        await self.purges.on_approved(PurgeApproved(at=self.clock.now(), run_id=run_id))

    async def left(self, data_class: DataClass, call: Call) -> dict[str, int]:
        async with self.database.read() as session:
            return await extent.rows_of(session, Root("call", call.id, call.visit_id), data_class)


@pytest.fixture
async def house(database_url: str, bus: Bus, tmp_path: Path) -> AsyncIterator[House]:
    clock = FakeClock()
    database = Database(database_url, bus, clock)
    store = Flaky(open_store(None, tmp_path))
    rows = CallRows(database)
    admin, auditor = await rows.staff("admin8", "admin"), await rows.staff("auditor8", "auditor")
    await rows.staff("teller8", "teller")
    beside = SimpleNamespace(database=database, connections=SimpleNamespace(secrets=SimpleNamespace(master_key=KEY)))
    theirs = await add_belongings(beside, "teller8")  # type: ignore[arg-type]
    await rows.transcript(theirs.done, GOOD_TRANSFER)
    persons = PersonIndex(database, KEY)
    async with database.unit_of_work(system_actor("test")) as work:
        for call in (theirs.live, theirs.done):
            row = await work.session.get_one(Call, call.id)
            row.state, row.ended_at = "closed", clock.now()
        await work.session.execute(text("update ticket set closed_at = now(), visit_id = null"))
        await work.session.execute(text("update appeal set decided_at = now()"))
        await work.session.execute(text("update rectification set closed_at = now()"))
        await work.session.execute(text('update fraud_alert set decided_at = now(), signs = \'[{"words": "x"}]\''))
        for table in ("ticket", "appeal", "rectification", "fraud_alert", "business_case"):
            moment = {"ticket": "closed_at", "fraud_alert": "decided_at", "appeal": "decided_at"}.get(table, "ended_at")
            moment = "closed_at" if table == "rectification" else moment
            await work.session.execute(text(f"update {table} set {moment} = :at"), {"at": clock.now()})
        case = (
            await work.session.scalars(select(BusinessCase).where(col(BusinessCase.call_id) == theirs.done.id))
        ).one()
        case.sealed = Sealer(KEY).seal({"id_number": NUMBER}, case.id)
    for data_class in (DataClass.RECORDING, DataClass.CONVERSATION, DataClass.BUSINESS):
        for call in (theirs.live, theirs.done):
            async with database.read() as session:
                for key in await extent.objects_of(session, Root("call", call.id, call.visit_id), data_class):
                    await store.put(key, b"sealed")
    await store.put(f"recordings/{theirs.done.id}/rec_x/leftover.tmp", b"of a crash")
    ended = CaseEnded(
        at=clock.now(),
        call_id=theirs.done.id,
        case_id=case.id,
        call_s=1.0,
        business_code="transfer",
        outcome="done",
        reason=None,
    )
    await persons.on_case_ended(ended)
    await persons.on_case_ended(ended)
    yield House(
        database,
        clock,
        store,
        RetentionDesk(database, "Asia/Shanghai"),
        HoldService(database, persons),
        PurgeService(database, store, tmp_path / "journals", Ledger(load_seal(tmp_path), [store])),
        persons,
        theirs,
        staff_actor(admin.id, ["admin"]),
        staff_actor(auditor.id, ["auditor"]),
    )
    await database.close()


def pairs(lines: list[PurgeItem]) -> set[tuple[str, str]]:
    return {(line.root_id, line.data_class) for line in lines}


async def test_what_is_due_is_listed_approved_by_another_and_deleted_to_the_last_row_and_object(house: House) -> None:
    done, live = house.theirs.done, house.theirs.live
    with pytest.raises(ConflictError) as early:
        await house.listed()
    assert early.value.code == "purge.nothing_due"
    house.clock.advance(400 * DAY_S)
    run_id = await house.listed()
    lines = await house.lines(run_id)
    # A case with business in both calls: recordings and talk after 12 months, the rest after 10 years.
    assert pairs(lines) == {(call.id, each) for call in (done, live) for each in ("recording", "conversation")}
    assert {line.rule for line in lines} == {"business_done+12 months"}
    before = await house.store.keys("")
    assert all([await house.left(DataClass.RECORDING, call) for call in (done, live)])  # nothing is deleted yet
    seen = await house.desk.purge(house.auditor, run_id, 0)
    with pytest.raises(DeniedError) as own:
        await house.purges.approve(house.admin, run_id, seen.list_sha256)
    assert own.value.code == "purge.own_list"
    with pytest.raises(ConflictError) as other:
        await house.purges.approve(house.auditor, run_id, "0" * 64)
    assert other.value.code == "purge.other_list"
    await house.approve(run_id)
    with pytest.raises(ConflictError) as again:
        await house.approve(run_id)
    assert again.value.code == "purge.state"
    await house.work_off(run_id)
    await house.work_off(run_id)  # delivered twice
    for call in (done, live):
        for data_class in (DataClass.RECORDING, DataClass.CONVERSATION):
            assert await house.left(data_class, call) == {}
        assert await house.left(DataClass.BUSINESS, call)
    gone = set(before) - set(await house.store.keys(""))
    assert f"recordings/{done.id}/rec_x/leftover.tmp" in gone
    kept = set(await house.store.keys(""))
    async with house.database.read() as session:
        stones = (await session.scalars(select(Tombstone))).all()
        audited = (await session.scalars(select(AuditEntry).where(col(AuditEntry.action) == "purge.deleted"))).all()
        run = await session.get_one(PurgeRun, run_id)
        for call in (done, live):
            business = await extent.objects_of(session, Root("call", call.id, call.visit_id), DataClass.BUSINESS)
            assert business
            assert business <= kept
    assert (len(stones), len(audited), run.state) == (4, 4, "done")
    assert sum(stone.objects for stone in stones) == len(gone)
    assert {stone.approved_by for stone in stones} == {house.auditor.staff_id}
    shown = await house.desk.call(house.admin, done.number)
    assert {each.data_class for each in shown.classes if each.deleted_at} == {"recording", "conversation"}
    assert len((await house.desk.tombstones(house.admin, done.number)).items) == 2
    house.clock.advance(3700 * DAY_S)
    last = await house.listed()
    await house.approve(last)
    await house.work_off(last)
    assert {line.state for line in await house.lines(last)} == {"deleted"}
    for call in (done, live):
        for data_class in DataClass:
            if data_class is not DataClass.CONTACT:
                assert await house.left(data_class, call) == {}
    stones = {f"tombstones/{line.root_id}-{line.data_class}.json" for line in [*lines, *await house.lines(last)]}
    assert set(await house.store.keys("")) == stones  # all that is left, outside of the database as well


async def test_killed_at_any_step_it_goes_on_and_nothing_is_half_deleted(house: House) -> None:
    house.clock.advance(400 * DAY_S)
    run_id = await house.listed()
    await house.approve(run_id)
    everything = set(await house.store.keys(""))
    kills = 0
    while True:
        house.store.calls_left = 2 + kills  # it dies a few objects later, each time anew
        try:
            await house.work_off(run_id)
        except Killed:
            kills += 1
            there = set(await house.store.keys(""))
            for line in await house.lines(run_id):
                root = Root("call", line.root_id, house.theirs.visit_id)
                async with house.database.read() as session:
                    named = await extent.objects_of(session, root, DataClass(line.data_class))
                    stone = (
                        await session.scalars(
                            select(func.count())
                            .select_from(Tombstone)
                            .where(col(Tombstone.root_id) == line.root_id, col(Tombstone.data_class) == line.data_class)
                        )
                    ).one()
                # Whole with all its objects, or no row names an object any more; a tombstone only at the very end.
                assert (line.state == "listed") == bool(named)
                assert named <= there
                assert bool(stone) == (line.state == "deleted")
            continue
        break
    assert kills > 2
    assert {line.state for line in await house.lines(run_id)} == {"deleted"}
    assert len(everything - set(await house.store.keys(""))) >= 4


async def test_a_hold_wins_even_when_it_comes_after_the_approval(house: House) -> None:
    done, live = house.theirs.done, house.theirs.live
    house.clock.advance(400 * DAY_S)
    run_id = await house.listed()
    await house.approve(run_id)
    hold_id = await house.holds.set(house.auditor, LegalHoldRequest(id_number=NUMBER, reason="lawsuit 17"))
    await house.work_off(run_id)
    states = {(line.root_id, line.state, line.reason) for line in await house.lines(run_id)}
    assert states == {(done.id, "skipped", "hold"), (live.id, "deleted", None)}
    assert await house.left(DataClass.RECORDING, done)
    (shown,) = (await house.holds.list(house.admin)).items
    assert (shown.whole_person, shown.calls, shown.mine) == (True, 1, False)
    assert NUMBER not in shown.model_dump_json()
    with pytest.raises(DeniedError):  # the one who set it cannot confirm it
        await house.holds.decide(house.auditor, hold_id, True)
    await house.holds.decide(house.admin, hold_id, True)
    await house.holds.ask_lift(house.admin, hold_id, "the case is closed")
    with pytest.raises(ConflictError):  # it still holds
        await house.listed()
    with pytest.raises(DeniedError):
        await house.holds.decide(house.admin, hold_id, True)
    await house.holds.decide(house.auditor, hold_id, True)
    again = await house.lines(await house.listed())
    assert pairs(again) == {(done.id, "recording"), (done.id, "conversation")}
    async with house.database.read() as session:
        row = (await session.scalars(select(LegalHold))).one()
        leaked = select(func.count()).select_from(OutboxEvent).where(col(OutboxEvent.payload).contains(NUMBER))
        assert (await session.scalars(leaked)).one() == 0
    assert (row.state, row.confirmed_by, row.lifted_by) == ("lifted", house.admin.staff_id, house.auditor.staff_id)


async def test_disputes_products_and_the_banks_own_lines_count(house: House) -> None:
    done = house.theirs.done
    number = done.number
    await house.desk.set_product_end(
        house.admin,
        ProductEndRequest(call_number=number, ends_on=house.clock.now().date().replace(year=2028), note="2028"),
    )
    async with house.database.unit_of_work(system_actor("test")) as work:
        await work.session.execute(text("update ticket set closed_at = null where call_id = :id"), {"id": done.id})
    shown = {each.data_class: each for each in (await house.desk.call(house.auditor, number)).classes}
    assert shown[DataClass.RECORDING].why == "not_over"
    async with house.database.unit_of_work(system_actor("test")) as work:
        await work.session.execute(text("update ticket set closed_at = :at"), {"at": house.clock.now()})
    shown = {each.data_class: each for each in (await house.desk.call(house.auditor, number)).classes}
    assert (shown[DataClass.RECORDING].rule_event, str(shown[DataClass.RECORDING].kept_until)[:7]) == (
        "product_end",
        "2028-09",
    )
    for change, code in (
        (
            RetentionRuleChange(data_class="business", event="business_done", amount=60, unit="months"),
            "retention.below_floor",
        ),
        (
            RetentionRuleChange(data_class="contact", event="call_ended", amount=60, unit="months"),
            "retention.no_such_line",
        ),
    ):
        with pytest.raises(CounterError) as refused:
            await house.desk.set_rule(house.admin, change)
        assert refused.value.code == code
    longer = RetentionRuleChange(data_class="conversation", event="call_ended", amount=30, unit="months")
    await house.desk.set_rule(house.admin, longer)
    await house.desk.set_rule(house.admin, longer)
    house.clock.advance(400 * DAY_S)
    assert pairs(await house.lines(await house.listed())) == {(house.theirs.live.id, "recording")}
    lines = {(line.data_class, line.event): line for line in (await house.desk.table(house.auditor)).rules}
    assert lines[DataClass.CONVERSATION, "call_ended"].own
    with pytest.raises(DeniedError):
        await house.desk.set_rule(house.auditor, longer)


async def test_customers_get_what_is_kept_and_lawful_refusals(house: House, tmp_path: Path) -> None:
    done = house.theirs.done
    async with house.database.unit_of_work(system_actor("test")) as work:
        # What the blanks of the fixture cannot stand for: rows whose contents the package opens.
        for statement in (
            "delete from voucher",
            "delete from review_request",
            "delete from case_document",
            "delete from chat_message",
            "delete from recording_file",
            "delete from signature",
            "delete from signed_document",
        ):
            await work.session.execute(text(statement))
    desk = SubjectDesk(house.database, house.store, KEY, house.persons)
    seal = await asyncio.to_thread(load_seal, tmp_path)
    packages = SubjectPackages(house.database, house.store, KEY, seal, wording_texts)
    export_id = await desk.ask(
        house.auditor, SubjectAskRequest(kind="export", id_number=NUMBER, note="letter of 3 May")
    )
    asked = SubjectExportAsked(at=house.clock.now(), request_id=export_id)
    await packages.on_asked(asked)
    await packages.on_asked(asked)
    (shown,) = (await desk.list(house.auditor)).items
    assert (shown.state, shown.calls, [line.result for line in shown.outcome]) == ("done", 1, ["given"])
    opened = await desk.open_file(house.auditor, export_id)
    content = b"".join([await opened.read(start) for start in range(0, opened.size_b, opened.step_b)])
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        names = set(package.namelist())
        words = package.read(f"calls/{done.number}/transcript.json").decode()
        everything = b"".join(package.read(name) for name in names).decode(errors="replace")
    assert {"manifest.json", "manifest.sig", f"calls/{done.number}/consents.json"} <= names
    assert "我同意" in words
    assert "staff_" not in everything
    assert "teller8的姓名" not in everything
    (tmp_path / "package.zip").write_bytes(content)
    with pytest.raises(CounterError):  # somebody else's package
        await desk.open_file(house.admin, export_id)

    async def deletion() -> SubjectRequestView:
        house.clock.advance(1.0)  # the newest comes first
        await desk.ask(
            house.auditor, SubjectAskRequest(kind="deletion", call_number=done.number, note="letter of 4 May")
        )
        return (await desk.list(house.auditor)).items[0]

    refused = await deletion()
    assert refused.state == "refused"
    assert {line.code for line in refused.outcome} == {"kept"}
    house.clock.advance(200 * DAY_S)  # the bank keeps recordings 12 months, the law 180 days
    hold_id = await house.holds.set(house.auditor, LegalHoldRequest(call_number=done.number, reason="lawsuit 17"))
    assert {line.code for line in (await deletion()).outcome} == {"hold"}
    await house.holds.decide(house.admin, hold_id, False)
    asked_for = await deletion()
    results = {(str(line.data_class), line.result, line.code) for line in asked_for.outcome}
    assert asked_for.state == "open"
    assert {("recording", "listed", None), ("conversation", "listed", None), ("business", "refused", "kept")} <= results
    run_id = str(asked_for.purge_id)
    seen = await house.desk.purge(house.admin, run_id, 0)
    with pytest.raises(DeniedError):
        await house.purges.approve(house.auditor, run_id, seen.list_sha256)
    await house.purges.approve(house.admin, run_id, seen.list_sha256)
    await house.work_off(run_id)
    (answered, *_) = (await desk.list(house.auditor)).items
    results = {(str(line.data_class), line.result, line.code) for line in answered.outcome}
    assert answered.state == "partly"
    assert {("recording", "deleted", None), ("business", "refused", "kept")} <= results
    assert await house.left(DataClass.RECORDING, done) == {}
    assert await house.left(DataClass.BUSINESS, done)
    assert await packages.expire() == 1
    with pytest.raises(ConflictError):
        await desk.open_file(house.auditor, export_id)
    with pytest.raises(CounterError) as nobody:
        await desk.ask(house.auditor, SubjectAskRequest(kind="export", id_number="110101199003070011", note="letter"))
    assert nobody.value.code == "subject.nothing_kept"


async def test_what_was_deleted_since_a_backup_is_deleted_again_when_it_is_restored(
    house: House, tmp_path: Path, postgres_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, live = house.theirs.done, house.theirs.live
    keys = {"master_key": base64.b64encode(KEY).decode(), "token_key": "t", "internal_token": "i"}
    (tmp_path / "secrets.json").write_text(json.dumps(keys | {"redis_password": "r"}))
    settings, target = Settings(data_dir=tmp_path), str(tmp_path / "away")
    manifest = await backups.backup(settings, database_url, target)
    house.clock.advance(400 * DAY_S)
    run_id = await house.listed()
    await house.approve(run_id)
    kept_at_home = house.purges._ledger
    house.purges._ledger = Ledger(load_seal(tmp_path), [house.store, backups.open_target(target)])
    await house.work_off(run_id)
    house.purges._ledger = kept_at_home
    gone = [key for key in manifest["objects"] if key not in await house.store.keys("")]
    assert gone

    new = tmp_path / "new"
    put_keys(tmp_path, new)
    name = f"restored_{house.clock.now():%f}_{id(house)}"
    fresh = f"{postgres_url.partition('?')[0].rpartition('/')[0]}/{name}?{postgres_url.partition('?')[2]}"
    engine = create_async_engine(postgres_url, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(text(f"create database {name}"))
        stone = (await backups.open_target(target).keys("tombstones"))[0]
        content = await backups.open_target(target).get(stone)
        await backups.open_target(target).put(stone, content.replace(b'"deleted_at": "', b'"deleted_at": "9'))
        with pytest.raises(CounterError) as forged:
            await backups.restore(Settings(data_dir=new), fresh, target, None)
        assert forged.value.code == "restore.tombstone_damaged"
        await backups.open_target(target).put(stone, content)
        with monkeypatch.context() as broken:
            broken.setattr(ledger, "reapply", _dies)
            with pytest.raises(Killed):
                await backups.restore(Settings(data_dir=new), fresh, target, None)
        with pytest.raises(CounterError) as unfinished:
            await check_finished(open_store(None, new))
        assert unfinished.value.code == "restore.unfinished"
        async with engine.connect() as connection:
            await connection.execute(text(f"drop database {name} with (force)"))
            await connection.execute(text(f"create database {name}"))
        shutil.rmtree(new / "objects")

        _, again = await backups.restore(Settings(data_dir=new), fresh, target, None)
        assert again == 4
        restored, store = Database(fresh, None, house.clock), open_store(None, new)
        await check_finished(store)
        assert not set(gone) & set(await store.keys(""))
        async with restored.read() as session:
            for call in (done, live):
                root = Root("call", call.id, call.visit_id)
                for data_class in (DataClass.RECORDING, DataClass.CONVERSATION):
                    assert await extent.rows_of(session, root, data_class) == {}
                assert await extent.rows_of(session, root, DataClass.BUSINESS)
            stones = (await session.scalars(select(Tombstone))).all()
            # What the backup did not know: neither the list nor its approval.
            assert (await session.scalars(select(func.count()).select_from(PurgeRun))).one() == 0
        assert {stone.run_id for stone in stones} == {run_id}
        assert await ledger.reapply(restored, store, await ledger.read([store], load_seal(new))) == 0
        await restored.close()
    finally:
        async with engine.connect() as connection:
            await connection.execute(text(f"drop database if exists {name} with (force)"))
        await engine.dispose()


async def _dies(*what: object) -> int:
    raise Killed
