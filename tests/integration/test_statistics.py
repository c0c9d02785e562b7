"""Statistics on real tables: PostgreSQL adds up what the definitions say, and every number opens its calls."""

import csv
import io
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zipfile import ZipFile

import pytest
from call_rows import CallRows
from fake_clock import FakeClock
from http_app import always, serving

from core.db import Database
from core.figures.definitions import Tally, tally_of
from core.figures.sql import parameters, tallies
from core.models import Call, Rating, Staff, TellerPresence, TellerState
from core.security.actor import Actor, staff_actor, system_actor
from server.acd.board import change
from server.statistics.load import LoadForecasts
from server.statistics.people import PeopleFigures
from server.statistics.period import Period, today
from server.statistics.reports import Reports
from server.statistics.routes import routes
from server.wallboard.snapshot import call_facts

ZONE = "Asia/Shanghai"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def rows(database: Database) -> CallRows:
    return CallRows(database)


def page(database: Database, actor: Actor) -> Any:
    table = routes(Reports(database, ZONE), PeopleFigures(database, ZONE), LoadForecasts(database, ZONE))
    return serving([table], always(actor))


async def some_calls(rows: CallRows, teller: Staff) -> list[tuple[Call, int | None]]:
    """Answered early and late, with holds; given up early and late; still waiting."""
    now = rows.database.clock.now()
    at = [now - timedelta(seconds=s) for s in (900, 885.5, 600, 590.123, 100)]
    holds = [{"from": at[2].isoformat(), "to": at[3].isoformat()}]
    gone = {"accepted_at": None, "connected_at": None}
    calls = [
        await rows.call(
            teller,
            queued_at=at[0],
            accepted_at=at[1],
            holds=holds,
            ended_at=at[4],
            closed_at=now,
            disposition="resolved",
        ),
        await rows.call(teller, "inquiry", queued_at=at[0], accepted_at=at[2], ended_at=at[4], closed_at=now),
        await rows.call(None, queued_at=at[2], ended_at=at[3], closed_at=at[3], **gone),
        await rows.call(None, queued_at=at[4], ended_at=at[4], closed_at=at[4], **gone),
        await rows.call(None, queued_at=at[4], state="queued", ended_at=None, **gone),
    ]
    stars = [1, None, None, None, None]
    async with rows.database.unit_of_work(system_actor("test")) as work:
        work.session.add(Rating(call_id=calls[0].id, stars=1, at=now))
    return list(zip(calls, stars, strict=True))


async def test_sql_and_python_say_the_same(rows: CallRows, database: Database) -> None:
    calls = await some_calls(rows, await rows.staff("chen", "teller"))
    day = today(database.clock.now(), ZONE)
    period = Period(day, day, ZONE)
    values = parameters(period.since, period.until, ZONE, {"inquiry": 60}, 900)
    async with database.read() as session:
        found = await tallies(session, "business", "true", values)
    for code, limit_s in (("transfer", 900), ("inquiry", 60)):
        own = [call_facts(call, stars) for call, stars in calls if call.business_code == code]
        expected = Tally.sum(tally_of(each.times(limit_s)) for each in own)
        assert found[code].tally == expected, code
    assert (found["transfer"].settled, found["transfer"].resolved_first) == (1, 1)
    first = calls[0][0]
    await rows.call(None, visit_id=first.visit_id, queued_at=first.queued_at + timedelta(days=6))
    async with database.read() as session:
        found = await tallies(session, "business", "true", values)
    assert (found["transfer"].settled, found["transfer"].resolved_first) == (1, 0), "came again for the same"


async def test_reports_open_their_calls(rows: CallRows, database: Database) -> None:
    teller, boss = await rows.staff("chen", "teller"), await rows.staff("boss", "supervisor")
    await some_calls(rows, teller)
    day = today(database.clock.now(), ZONE).isoformat()
    async with page(database, staff_actor(boss.id, boss.roles)) as client:
        span = f"since={day}&until={day}"
        for by in ("business", "teller", "team", "hour", "day", "month"):
            report = await (await client.get(f"/api/statistics/report?by={by}&{span}")).json()
            assert report["total"]["offered"] == 5, by
            for row in report["rows"]:
                key = "" if row["key"] is None else f"&key={row['key']}"
                for measure in ("offered", "answered", "abandoned", "low"):
                    path = f"/api/statistics/calls?measure={measure}&by={by}{key}&{span}"
                    found = await (await client.get(path)).json()
                    assert found["count"] == len(found["calls"]) == row["figures"][measure], (by, measure)
        path = f"/api/statistics/report.csv?by=business&{span}"
        text = (await (await client.get(path)).read()).decode("utf-8-sig")
        lines = list(csv.reader(io.StringIO(text)))
        assert (lines[0][1], lines[-1][:2]) == ("来电", ["合计", "5"])
        book = ZipFile(io.BytesIO(await (await client.get(path.replace(".csv", ".xlsx"))).read()))
        assert "转账汇款" in book.read("xl/sharedStrings.xml").decode()
        wrong = await client.get(f"/api/statistics/report?by=day&since={day}&until=2020-01-01")
        assert (await wrong.json())["error"]["code"] == "statistics.bad_period"
        narrowed = await client.get(f"/api/statistics/report?by=day&{span}&teller={teller.id}")
        assert (await narrowed.json())["total"]["offered"] == 2
    for role in ("teller", "admin", "inspector"):
        async with page(database, staff_actor("staff_x", [role])) as client:
            assert (await client.get(f"/api/statistics/report?by=day&{span}")).status == 403


async def test_the_month_of_a_teller_with_peer_marks(rows: CallRows, database: Database) -> None:
    teller, colleague = await rows.staff("chen", "teller"), await rows.staff("wang", "teller")
    other = await rows.staff("zhao", "teller")
    await some_calls(rows, teller)
    async with page(database, staff_actor(colleague.id, colleague.roles)) as client:
        for score in ("80", "90.5"):
            mark = {"month": "2026-03", "teller_id": teller.id, "score": score, "comment": "耐心"}
            assert (await client.post("/api/peer-reviews", json=mark)).status == 200
        for wrong, code in (
            ({"teller_id": colleague.id}, "review.own"),
            ({"month": "2026-01"}, "review.month_over"),
            ({"month": "2026-04"}, "review.month_over"),
        ):
            answer = await client.post("/api/peer-reviews", json=mark | wrong)
            assert (await answer.json())["error"]["code"] == code
        listed = await (await client.get("/api/peer-reviews?month=2026-03")).json()
        assert [(row["teller_id"], row["score"]) for row in listed] == [(teller.id, "90.50"), (other.id, None)]
    people = PeopleFigures(database, ZONE)
    month = (await people.radars("2026-03")).rows[0]
    assert (month.teller_id, month.marks, month.peers) == (teller.id, 1, None)  # one alone would not be anonymous
    async with page(database, staff_actor(teller.id, teller.roles)) as client:
        own = await (await client.get("/api/own-month?month=2026-03")).json()
        assert (own["row"]["marks"], own["comments"]) == (1, None)
    async with page(database, staff_actor(other.id, other.roles)) as client:
        assert (await client.post("/api/peer-reviews", json=mark | {"score": "79.5"})).status == 200
    month = (await people.radars("2026-03")).rows[0]
    assert (month.answered, month.peers) == (2, Decimal("85.00"))
    assert (month.satisfaction, month.volume, month.errors) == (0, 100, None)
    assert month.total == Decimal("48.13")  # (0·40 + 100·30 + 85·10) / 80
    async with page(database, staff_actor(teller.id, teller.roles)) as client:
        own = await (await client.get("/api/own-month?month=2026-03")).json()
        assert own["comments"] == ["耐心", "耐心"]
        assert colleague.id not in str(own)


async def test_own_day_customer_and_duty(rows: CallRows, database: Database, clock: FakeClock) -> None:
    teller, other = await rows.staff("chen", "teller"), await rows.staff("wang", "teller")
    calls = await some_calls(rows, teller)
    async with database.unit_of_work(system_actor("test")) as work:
        presence = TellerPresence(staff_id=teller.id, state="offline", since=clock.now())
        work.session.add(presence)
        for state in (TellerState.READY, TellerState.IN_CALL, TellerState.BREAK):
            change(work, presence, state)
            clock.advance(600)
    people = PeopleFigures(database, ZONE)
    day = await people.own_day(staff_actor(teller.id, ["teller"]))
    assert (day.answered, day.low, day.occupancy) == (2, 1, 0.5)
    history = await people.history(staff_actor(teller.id, ["teller"]), calls[0][0].id)
    assert history.calls == []
    with pytest.raises(Exception, match="no such call"):
        await people.history(staff_actor(other.id, ["teller"]), calls[0][0].id)
    assert await people.duty_alerts() == []
    clock.advance(timedelta(days=370).total_seconds())
    assert {(each.kind, each.overdue) for each in await people.duty_alerts()} == {("forced_leave", True)}


async def test_a_forecast_from_past_weeks(rows: CallRows, database: Database) -> None:
    now = database.clock.now()
    for weeks in (1, 2):
        for _ in range(3):
            at = now - timedelta(weeks=weeks)
            await rows.call(None, queued_at=at, accepted_at=at, ended_at=at, closed_at=at)
    told = await LoadForecasts(database, ZONE).of(today(now, ZONE), None)
    busy = {slot.at: slot for slot in told.slots if slot.expected}
    assert list(busy) == ["17:00"], "nine o'clock UTC in Shanghai"
    assert (busy["17:00"].expected, busy["17:00"].real) == (3.0, 0)
    assert busy["17:00"].tellers >= 1
    assert told.error is not None
