"""Numbers about people: the own day, the monthly radar with peer review, the customer at hand, rotation and leave."""

from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database
from core.errors import ConflictError, DeniedError, NotFoundError
from core.figures.definitions import DEFAULT_LIMIT_S, Tally, aht_s, satisfaction
from core.figures.limits import limits_s
from core.figures.radar import MARKS_NEEDED, Month, radar
from core.figures.sql import parameters, tallies
from core.ids import new_id
from core.models.call import Call, Rating
from core.models.qa import Defect, Evaluation
from core.models.review import PeerReview
from core.models.staff import Role, Staff
from core.models.ticket import Ticket
from core.security.actor import Actor
from server.statistics.period import Period, month_before, month_of, today
from server.statistics.presence import occupancy_of, spent_ms
from server.statistics.schemas import (
    CustomerHistory,
    DutyAlert,
    HistoryRow,
    OwnFigures,
    OwnMonth,
    PeerReviewRequest,
    PeerRow,
    RadarParts,
    RadarRow,
    TeamMonth,
)

ROTATION = timedelta(days=3 * 365)  # three years in one post (轮岗)
LEAVE_EVERY = timedelta(days=365)  # one compulsory leave a year (强制休假)
WARN_BEFORE = timedelta(days=30)
KEY_POSTS = (Role.TELLER.value, Role.SUPERVISOR.value)


class PeopleFigures:
    """The only writer of `PeerReview`."""

    def __init__(self, database: Database, timezone: str) -> None:
        self._database = database
        self._timezone = timezone

    async def own_day(self, actor: Actor) -> OwnFigures:
        """A teller's figures of today."""
        staff_id = actor.staff_id or ""
        now = self._database.clock.now()
        day = today(now, self._timezone)
        period = Period(day, day, self._timezone)
        async with self._database.read() as session:
            tally = (await self._by_teller(session, period, "teller_id = :only", {"only": staff_id})).get(
                staff_id, Tally()
            )
            spent = await spent_ms(session, period.since, now, staff_id)
        return OwnFigures(
            answered=tally.answered,
            aht_s=aht_s(tally),
            satisfaction=satisfaction(tally),
            rated=tally.rated,
            low=tally.low,
            overtime=tally.overtime,
            occupancy=occupancy_of(spent.get(staff_id, {})),
        )

    async def _by_teller(
        self, session: AsyncSession, period: Period, where: str = "true", given: dict[str, str] | None = None
    ) -> dict[str, Tally]:
        values = parameters(period.since, period.until, self._timezone, await limits_s(session), DEFAULT_LIMIT_S)
        found = await tallies(session, "teller", where, values | (given or {}))
        return {key: sums.tally for key, sums in found.items() if key is not None}

    # --- radar --------------------------------------------------------------------------------------------------

    async def radars(self, month: str) -> TeamMonth:
        """Every teller's month, best first, with the total of the month before."""
        before = {row.teller_id: row.total for row in await self._radars(month_before(month))}
        rows = [row.model_copy(update={"before": before.get(row.teller_id)}) for row in await self._radars(month)]
        rows.sort(key=lambda row: (-(row.total or Decimal(-1)), row.display_name))
        return TeamMonth(month=month, rows=rows, usual=_middle(rows))

    async def own_month(self, actor: Actor, month: str) -> OwnMonth:
        """A teller's own month. What colleagues wrote comes in no order that tells who."""
        team = await self.radars(month)
        row = next((row for row in team.rows if row.teller_id == actor.staff_id), None)
        comments = select(PeerReview.comment).where(
            col(PeerReview.month) == month, col(PeerReview.teller_id) == actor.staff_id, col(PeerReview.comment) != ""
        )
        async with self._database.read() as session:
            written = (await session.scalars(comments)).all()
        enough = row is not None and row.marks >= MARKS_NEEDED
        return OwnMonth(month=month, row=row, usual=team.usual, comments=sorted(written) if enough else None)

    async def _radars(self, month: str) -> list[RadarRow]:
        period = month_of(month, self._timezone)
        async with self._database.read() as session:
            by_teller = await self._by_teller(session, period)
            inspected = await _inspected(session, period)
            marks = await _marks(session, month)
            known = {*by_teller, *marks}
            tellers = (await session.scalars(select(Staff).where(col(Staff.id).in_(known)))).all()
        usual = median(tally.answered for tally in by_teller.values()) if by_teller else 0
        rows = []
        for teller in tellers:
            tally = by_teller.get(teller.id, Tally())
            scored, faulty = inspected.get(teller.id, (0, 0))
            parts = radar(
                Month(tally.satisfied, tally.rated, tally.answered, usual, scored, faulty, marks.get(teller.id, ()))
            )
            rows.append(
                RadarRow(
                    teller_id=teller.id,
                    display_name=teller.display_name,
                    team=teller.team,
                    answered=tally.answered,
                    satisfaction=parts.satisfaction,
                    volume=parts.volume,
                    errors=parts.errors,
                    peers=parts.peers,
                    marks=len(marks.get(teller.id, ())),
                    total=parts.total,
                    before=None,
                )
            )
        return rows

    async def colleagues(self, actor: Actor, month: str) -> list[PeerRow]:
        """Whom the actor may mark, with the marks given already."""
        given = select(PeerReview).where(col(PeerReview.month) == month, col(PeerReview.reviewer_id) == actor.staff_id)
        tellers = select(Staff).where(
            col(Staff.roles).contains([Role.TELLER.value]), col(Staff.active).is_(True), col(Staff.id) != actor.staff_id
        )
        async with self._database.read() as session:
            marks = {row.teller_id: row for row in (await session.scalars(given)).all()}
            rows = (await session.scalars(tellers.order_by(col(Staff.staff_number)))).all()
        return [
            PeerRow(
                teller_id=row.id,
                display_name=row.display_name,
                staff_number=row.staff_number,
                score=marks[row.id].score if row.id in marks else None,
                comment=marks[row.id].comment if row.id in marks else "",
            )
            for row in rows
        ]

    async def review(self, actor: Actor, request: PeerReviewRequest) -> None:
        """Mark a colleague's month.

        Raises:
            DeniedError: ``review.own``. NotFoundError: ``teller.not_found``. ConflictError: ``review.month_over``:
                only this month and the one before can be marked.
        """
        this_month = today(self._database.clock.now(), self._timezone).strftime("%Y-%m")
        if request.month not in (this_month, month_before(this_month)):
            raise ConflictError("this month is over, or has not begun", code="review.month_over")
        if request.teller_id == actor.staff_id:
            raise DeniedError("nobody judges the own work", code="review.own")
        async with self._database.unit_of_work(actor) as work:
            teller = await work.session.get(Staff, request.teller_id)
            if teller is None or not teller.active or Role.TELLER not in teller.roles:
                raise NotFoundError("there is no such teller", code="teller.not_found")
            row = insert(PeerReview).values(
                id=new_id("review"),
                month=request.month,
                teller_id=request.teller_id,
                reviewer_id=actor.staff_id,
                score=request.score,
                comment=request.comment,
                at=work.clock.now(),
            )
            renewed = {name: row.excluded[name] for name in ("score", "comment", "at")}
            await work.session.execute(
                row.on_conflict_do_update(index_elements=["month", "teller_id", "reviewer_id"], set_=renewed)
            )
            work.audit("review.give", "staff", request.teller_id, month=request.month, score=str(request.score))

    # --- the customer at hand -----------------------------------------------------------------------------------

    async def history(self, actor: Actor, call_id: str) -> CustomerHistory:
        """Earlier calls of the customer of the actor's own running call; looking is audited.

        Raises:
            NotFoundError: ``call.not_found``, also for somebody else's call.
        """
        async with self._database.unit_of_work(actor) as work:
            call = await work.session.get(Call, call_id)
            if call is None or call.teller_id != actor.staff_id:
                raise NotFoundError("there is no such call", code="call.not_found")
            earlier = (
                select(Call, Staff.display_name, Rating.stars)
                .outerjoin(Staff, col(Staff.id) == col(Call.teller_id))
                .outerjoin(Rating, col(Rating.call_id) == col(Call.id))
                .where(col(Call.visit_id) == call.visit_id, col(Call.id) != call.id)
                .order_by(col(Call.number).desc())
                .limit(20)
            )
            rows = (await work.session.execute(earlier)).all()
            counted = select(Ticket.call_id, func.count()).where(col(Ticket.visit_id) == call.visit_id)
            found = (await work.session.execute(counted.group_by(col(Ticket.call_id)))).all()
            tickets: dict[str | None, int] = {}
            for of, count in found:
                tickets[of] = count
            work.audit("customer.history", "call", call_id, shown=len(rows))
        return CustomerHistory(
            calls=[
                HistoryRow(
                    number=row.number,
                    business_code=row.business_code,
                    at=row.queued_at,
                    teller_name=name,
                    disposition=row.disposition,
                    note=row.note,
                    stars=stars,
                    tickets=tickets.get(row.id, 0),
                )
                for row, name, stars in rows
            ]
        )

    # --- rotation and leave -------------------------------------------------------------------------------------

    async def duty_alerts(self) -> list[DutyAlert]:
        """Who is due for another post or compulsory leave, soon or already; the longest overdue first."""
        now = self._database.clock.now()
        async with self._database.read() as session:
            query = select(Staff).where(col(Staff.active).is_(True))
            staff = [row for row in (await session.scalars(query)).all() if set(row.roles) & set(KEY_POSTS)]
        alerts = []
        for row in staff:
            post_since = row.post_since or row.created_at
            last_leave = row.forced_leave_at or post_since
            for kind, since, due_at in (
                ("rotation", post_since, post_since + ROTATION),
                ("forced_leave", last_leave, last_leave + LEAVE_EVERY),
            ):
                if now >= due_at - WARN_BEFORE:
                    alerts.append(_alert(row, kind, since, due_at, now))
        return sorted(alerts, key=lambda alert: (alert.due_at or now, alert.staff_number))


def _alert(row: Staff, kind: str, since: datetime, due_at: datetime, now: datetime) -> DutyAlert:
    return DutyAlert(
        staff_id=row.id,
        display_name=row.display_name,
        staff_number=row.staff_number,
        kind="rotation" if kind == "rotation" else "forced_leave",
        since=since,
        due_at=due_at,
        overdue=now > due_at,
    )


async def _inspected(session: AsyncSession, period: Period) -> dict[str, tuple[int, int]]:
    """Calls of the period an inspector has scored, and those with a defect, by teller."""
    faulty = select(Defect.evaluation_id).where(col(Defect.evaluation_id) == col(Evaluation.id)).exists()
    query = (
        select(Call.teller_id, func.count(), func.count().filter(faulty))
        .join(Evaluation, col(Evaluation.call_id) == col(Call.id))
        .where(
            col(Evaluation.submitted_at).is_not(None),
            col(Call.queued_at) >= period.since,
            col(Call.queued_at) < period.until,
        )
        .group_by(col(Call.teller_id))
    )
    return {teller_id: (scored, bad) for teller_id, scored, bad in (await session.execute(query)).all() if teller_id}


async def _marks(session: AsyncSession, month: str) -> dict[str, tuple[Decimal, ...]]:
    marks: dict[str, tuple[Decimal, ...]] = {}
    for row in (await session.scalars(select(PeerReview).where(col(PeerReview.month) == month))).all():
        marks[row.teller_id] = (*marks.get(row.teller_id, ()), row.score)
    return marks


def _middle(rows: list[RadarRow]) -> RadarParts:
    """The median of each part."""
    parts: dict[str, Decimal | None] = {}
    for name in RadarParts.model_fields:
        known = [part for row in rows if (part := getattr(row, name)) is not None]
        parts[name] = Decimal(median(known)) if known else None
    return RadarParts(**parts)
