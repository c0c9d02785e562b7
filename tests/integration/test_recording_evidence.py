"""Everything known of a call in one package: asked for with a purpose, verified without the house, tampering found."""

import asyncio
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import av
import pytest
from call_rows import GOOD_TRANSFER, CallRows
from capture_house import MASTER_KEY, CaptureHouse, zero_ns_ago
from http_app import always, serving
from money_house import money_house
from redis.asyncio import Redis
from rtp_streams import Publisher
from sqlalchemy import update
from sqlmodel import col, select

from core.bus import Bus
from core.db import Database
from core.errors import CounterError
from core.events import EvidenceRequested, RecordingStopped
from core.models import AuditEntry, Call, EvidenceExport, Recording
from core.ports.media import Seat
from core.security.actor import staff_actor, system_actor
from core.security.seal import load_seal
from core.store import Store, open_store
from recording.catalogue.service import Catalogue
from recording.evidence.maker import KEPT_FOR, PackageMaker
from recording.evidence.routes import routes, viewing_routes
from recording.evidence.service import EvidenceService
from recording.evidence.verify import Report, verify_package
from recording.evidence.viewing import ViewingService
from recording.finalize.service import Finalizer
from server.counter.signing.pades import verify_pdf
from server.counter.wordings import wording_texts

AIRCOUNTER = Path(sys.executable).with_name("aircounter")


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[CaptureHouse]:
    house = CaptureHouse(database, tmp_path / "journals")
    yield house
    await house.recorder.close()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(None, tmp_path)


@pytest.fixture
def evidence(database: Database, store: Store, tmp_path: Path) -> EvidenceService:
    return EvidenceService(database, store, MASTER_KEY, "Asia/Shanghai")


@pytest.fixture
def maker(database: Database, store: Store, tmp_path: Path) -> PackageMaker:
    return PackageMaker(database, store, MASTER_KEY, load_seal(tmp_path), wording_texts)


@pytest.fixture
async def call(house: CaptureHouse, database: Database, store: Store) -> Call:
    """A finalized call of 2 s with its words."""
    call, zero_ns = await house.call(), zero_ns_ago(2.2)
    house.record(call.id, Seat.CUSTOMER, Publisher(2.0, flash_at_s=1.0).packets(zero_ns), zero_ns)
    house.record(call.id, Seat.TELLER, Publisher(2.0, beep_at_s=1.0).packets(zero_ns), zero_ns)
    await house.recorder.stop(call.id)
    (stopped,) = await house.facts(RecordingStopped)
    assert isinstance(stopped, RecordingStopped)
    finalizer = Finalizer(database, store, house.folder, MASTER_KEY, executor=lambda: ThreadPoolExecutor(1))
    await finalizer.on_stopped(stopped)
    await CallRows(database).transcript(call, GOOD_TRANSFER)
    async with database.unit_of_work(system_actor("test")) as work:
        row = await work.session.get_one(Call, call.id)
        row.state, row.ended_at = "closed", work.clock.now()
    return call


async def packed(evidence: EvidenceService, maker: PackageMaker, actor: Any, call_id: str) -> tuple[str, bytes]:
    """Ask, let the job run twice (it may be delivered again), fetch."""
    view = await evidence.request(actor, call_id, "complaint 17")
    event = EvidenceRequested(at=view.created_at, call_id=call_id, export_id=view.export_id)
    await maker.on_requested(event)
    await maker.on_requested(event)
    opened, _ = await evidence.open_file(actor, view.export_id)
    content = b"".join([await opened.read(start) for start in range(0, opened.size_b, opened.step_b)])
    return view.export_id, content


def rebuilt(package: bytes, change: dict[str, bytes | None], extra: dict[str, bytes] | None = None) -> bytes:
    """The package with some files changed (None: left out) and some added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = change.get(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
        for name, content in (extra or {}).items():
            new.writestr(name, content)
    return out.getvalue()


def codes(report: Report) -> set[tuple[str, str]]:
    return {(problem.code, problem.path) for problem in report.problems}


async def test_a_package_is_made_verified_and_defended(
    house: CaptureHouse, evidence: EvidenceService, maker: PackageMaker, database: Database, call: Call, tmp_path: Path
) -> None:
    auditor = await CallRows(database).staff("auditor9", "auditor")
    actor = staff_actor(auditor.id, ["auditor"])
    export_id, package = await packed(evidence, maker, actor, call.id)
    path = tmp_path / "evidence.zip"
    path.write_bytes(package)
    seal = load_seal(tmp_path)
    report = verify_package(path, seal.certificate_der)
    assert (report.good, report.trusted, report.problems) == (True, True, [])
    assert report.head["purpose"] == "complaint 17"
    assert report.audit_entries >= 1
    with zipfile.ZipFile(path) as opened:
        names = set(opened.namelist())
        assert {"recordings/customer.webm", "recordings/teller.webm", "recordings/manifest.json"} <= names
        (head, *_) = json.loads(opened.read("transcript.json"))
        assert head["segments"]
        assert call.id.encode() in opened.read("report.html") or str(call.number).encode() in opened.read("report.html")
        with av.open(io.BytesIO(opened.read("recordings/customer.webm"))) as video:
            assert sum(1 for _ in video.decode(video=0)) > 10
        customer = opened.read("recordings/customer.webm")
        audit = json.loads(opened.read("audit.json"))

    # As a stranger to the house would: in an empty folder, with the file alone.
    (tmp_path / "bank.pem").write_text(seal.certificate_pem)
    alone = tmp_path / "alone"
    alone.mkdir()
    result = await asyncio.to_thread(
        subprocess.run,
        [AIRCOUNTER, "evidence", "verify", path, "--certificate", tmp_path / "bank.pem", "--json"],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=alone,
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["good"] is True
    assert list(alone.iterdir()) == []

    flipped = customer[:100] + bytes([customer[100] ^ 1]) + customer[101:]
    audit["entries"][0]["actor"] = "staff:nobody"
    forged = json.dumps(audit).encode()
    for name, content, expected in (
        (
            "changed",
            rebuilt(package, {"recordings/customer.webm": flipped}),
            ("file.changed", "recordings/customer.webm"),
        ),
        ("missing", rebuilt(package, {"transcript.json": None}), ("file.missing", "transcript.json")),
        ("added", rebuilt(package, {}, {"documents/new.pdf": b"x"}), ("file.added", "documents/new.pdf")),
        ("audit", rebuilt(package, {"audit.json": forged}), ("file.changed", "audit.json")),
        ("unsigned", rebuilt(package, {"manifest.sig": None}), ("signature.missing", "manifest.sig")),
        ("headless", rebuilt(package, {"manifest.json": None}), ("package.no_manifest", "manifest.json")),
        ("behind", package + b"more", ("package.padded", "")),
        ("before", b"more" + package, ("package.padded", "")),
        ("cut", package[:-40], ("package.unreadable", "")),
        ("none", b"no zip at all", ("package.unreadable", "")),
    ):
        bad = tmp_path / f"{name}.zip"
        bad.write_bytes(content)
        found = verify_package(bad, seal.certificate_der)
        assert not found.good, name
        assert expected in codes(found), name
    # Whoever makes a new manifest has to sign it with another key: the published certificate tells.
    other = load_seal(tmp_path / "other")
    resigned = verify_package(path, other.certificate_der)
    assert ("certificate.other", "certificate.pem") in codes(resigned)
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = rebuilt(package, {}, {"call.json": b"{}"})
    (tmp_path / "twice.zip").write_bytes(twice)
    assert ("file.twice", "call.json") in codes(verify_package(tmp_path / "twice.zip"))

    async with database.read() as session:
        query = select(AuditEntry).where(col(AuditEntry.action).like("evidence.%")).order_by(col(AuditEntry.seq))
        entries = (await session.scalars(query)).all()
    assert [entry.action for entry in entries] == ["evidence.request", "evidence.ready", "evidence.download"]
    async with database.unit_of_work(system_actor("test")) as work:
        past = database.clock.now() - timedelta(seconds=1)
        await work.session.execute(update(EvidenceExport).values(expires_at=past))
    assert await maker.expire() == 1
    with pytest.raises(CounterError) as gone:
        await evidence.open_file(actor, export_id)
    assert gone.value.code == "evidence.expired"
    assert timedelta(days=1) < KEPT_FOR


async def test_who_may_ask_and_who_may_look(
    evidence: EvidenceService, database: Database, store: Store, call: Call
) -> None:
    rows = CallRows(database)
    auditor, other = await rows.staff("auditor8", "auditor"), await rows.staff("auditor7", "auditor")
    actor = staff_actor(auditor.id, ["auditor"])
    catalogue = Catalogue(database, store, MASTER_KEY)
    viewings = ViewingService(database, catalogue)
    async with serving([routes(evidence), viewing_routes(viewings, catalogue)], always(actor)) as client:
        found = await (await client.get("/api/evidence/calls", params={"number": call.number})).json()
        assert [row["call_id"] for row in found["items"]] == [call.id]
        assert (await client.post(f"/api/calls/{call.id}/evidence", json={"purpose": " "})).status == 400
        asked = await (await client.post(f"/api/calls/{call.id}/viewings", json={"purpose": "look at the ID"})).json()
        assert asked["watermark"].startswith(auditor.staff_number)
        address = asked["files"][0]["url"]
        played = await client.get(address, headers={"Range": "bytes=0-99"})
        assert (played.status, len(await played.read())) == (206, 100)
    file_id = address.split("/")[-2]
    for who, viewing in ((staff_actor(other.id, ["auditor"]), asked["viewing_id"]), (actor, "viewing_none")):
        with pytest.raises(CounterError) as refused:
            await viewings.open(who, viewing, file_id)
        assert refused.value.code == "viewing.not_found"
    for who in (
        staff_actor(other.id, ["teller"]),
        staff_actor(other.id, ["admin"]),
        staff_actor(other.id, ["inspector"]),
    ):
        with pytest.raises(CounterError) as denied:
            await evidence.request(who, call.id, "curiosity")
        assert denied.value.code == "auth.denied"
    both = await rows.staff("both7", "teller", "auditor")
    own = await rows.call(both)
    with pytest.raises(CounterError) as own_work:
        await evidence.request(staff_actor(both.id, ["auditor"]), own.id, "own work")
    assert own_work.value.code == "evidence.own_call"
    running = await rows.call(None)
    async with database.unit_of_work(system_actor("test")) as work:
        row = Recording(
            id="rec_1", call_id=running.id, state="captured", node_id="n", wrapped_key=b"k", started_at=work.clock.now()
        )
        work.session.add(row)
    with pytest.raises(CounterError) as early:
        await evidence.request(actor, running.id, "too early")
    assert early.value.code == "evidence.not_ready"


async def test_a_signed_transfer_is_in_its_package(
    database: Database, database_url: str, bus: Bus, redis: Redis, tmp_path: Path
) -> None:
    async with money_house(database, database_url, bus, redis, tmp_path) as house:
        await house.to_review()
        call_id, store = house.desk.call.id, house.connections.store
        seal = load_seal(tmp_path)
        async with database.unit_of_work(system_actor("test")) as work:
            await work.session.execute(update(Recording).values(state="failed"))
            row = await work.session.get_one(Call, call_id)
            row.state, row.ended_at = "closed", work.clock.now()
        auditor = await CallRows(database).staff("auditor6", "auditor")
        evidence = EvidenceService(database, store, MASTER_KEY, "Asia/Shanghai")
        maker = PackageMaker(database, store, MASTER_KEY, seal, wording_texts)
        _, package = await packed(evidence, maker, staff_actor(auditor.id, ["auditor"]), call_id)
    path = tmp_path / "evidence.zip"
    path.write_bytes(package)
    check = partial(verify_package, path, seal.certificate_der, lambda pdf, der: verify_pdf(pdf, der).problem)
    report = await asyncio.to_thread(check)
    assert (report.good, report.pdfs) == (True, 1)
    with zipfile.ZipFile(path) as opened:
        everything = b"".join(opened.read(name) for name in opened.namelist())
        (signed,) = json.loads(opened.read("signatures.json"))
        consents = json.loads(opened.read("consents.json"))
        (review,) = json.loads(opened.read("reviews.json"))
    assert signed["signatures"][0]["ink"]["strokes"]
    assert any(consent["wording"] for consent in consents)
    assert review["shown"]["bank"]
    assert b"wrapped_key" not in everything
    assert b"code_hash" not in everything
