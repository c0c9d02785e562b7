"""Indexing final transcripts, and finding what was said."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, delete, exists, or_, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database, UnitOfWork
from core.errors import BadInputError
from core.events import TranscriptReady
from core.jobs import Subscription
from core.models.call import Call
from core.models.handover import CallLeg
from core.models.recording import Recording
from core.models.staff import Staff
from core.models.transcript import (
    SearchSegment,
    Transcript,
    TranscriptCorrection,
    TranscriptKind,
    TranscriptSegment,
    TranscriptState,
)
from core.redaction import redact_talk
from core.security.actor import Actor, system_actor
from core.security.permissions import Permission
from qa.access import inspector_of, too_close
from qa.search.letters import grams, is_pinyin, pinyin, pinyin_query
from qa.search.schemas import SearchHit, SearchPage
from qa.search.snippets import cut
from qa.shown import sees_numbers
from qa.transcripts import stored_segments

PAGE_SIZE = 20
_CATCH_UP, _CATCH_UP_EVERY_S = 50, 600.0
_AROUND_S = 45.0  # seconds of talk around a hit


class SearchService:
    """The index and its reader."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def on_transcript_ready(self, event: TranscriptReady) -> None:
        """Index a call's final transcript; a newer transcript replaces the older one's lines."""
        if event.transcribed:
            await self.index(event.call_id)

    async def index(self, call_id: str) -> None:
        """Write the lines of one call anew."""
        async with self._database.unit_of_work(system_actor("qa.search")) as work:
            await index_call(work, call_id)

    async def catch_up(self) -> int:
        """Index finished transcripts that have no lines yet (made before the index was). Returns how many calls."""
        done, last = 0, ""
        while calls := await self._lacking(last):
            for call_id in calls:
                await self.index(call_id)
            done, last = done + len(calls), calls[-1]
        return done

    async def keep_up(self) -> None:
        """Catch up now and from time to time: a job that failed for good is made good."""
        while True:
            await self.catch_up()
            await asyncio.sleep(_CATCH_UP_EVERY_S)

    async def _lacking(self, after: str) -> list[str]:
        lacking = (
            select(col(Transcript.call_id))
            .where(
                col(Transcript.kind) == TranscriptKind.FINAL,
                col(Transcript.state) == TranscriptState.READY,
                exists().where(col(TranscriptSegment.transcript_id) == col(Transcript.id)),
                ~exists().where(col(SearchSegment.call_id) == col(Transcript.call_id)),
                col(Transcript.call_id) > after,
            )
            .distinct()
            .order_by(col(Transcript.call_id))
            .limit(_CATCH_UP)
        )
        async with self._database.read() as session:
            return list((await session.scalars(lacking)).all())

    async def search(
        self,
        actor: Actor,
        query: str,
        *,
        by: str = "text",
        party: str = "",
        business: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        after: str = "",
    ) -> SearchPage:
        """Utterances that hold these words, newest first. Own calls and those of people too close are left out.

        Args:
            by: ``text`` finds the characters, ``sound`` everything that sounds so. Typed pinyin is always by sound.
            after: `SearchPage.next` of the page before.

        Raises:
            BadInputError: ``search.too_short``, ``search.bad_cursor``.
        """
        actor.require(Permission.QA_VIEW)
        async with self._database.read() as session:
            wanted = [*_words(query, by), *_place(after)]
            if party:
                wanted.append(col(SearchSegment.party) == party)
            if business:
                wanted.append(col(SearchSegment.business_code) == business)
            if since is not None:
                wanted.append(col(SearchSegment.said_at) >= since)
            if until is not None:
                wanted.append(col(SearchSegment.said_at) < until)
            rows = (await session.execute(await _statement(session, actor, wanted))).all()
            page = rows[:PAGE_SIZE]
            shown = {} if sees_numbers(actor) else await _covered(session, [row[0] for row in page])
        hits = [hit for row in page if (hit := _hit(query, by, shown, *row)) is not None]
        more = ""
        if len(rows) > PAGE_SIZE:
            last = rows[PAGE_SIZE - 1][0]
            more = f"{last.said_at.isoformat()}:{last.segment_id}"
        return SearchPage(items=hits, next=more)


def _hit(
    query: str, by: str, shown: Mapping[str, str], row: SearchSegment, number: int, teller: str | None
) -> SearchHit | None:
    text = shown.get(row.segment_id, row.text)
    found = cut(row.text, query, by_sound=by == "sound" or is_pinyin(query), shown=text)
    if found is None:
        return None
    low, high, marks = found
    return SearchHit.model_validate(
        {
            **row.model_dump(),
            "call_number": number,
            "teller_name": teller or "",
            "snippet": text[low:high],  # covered before it is cut
            "marks": marks,
        }
    )


async def _covered(session: AsyncSession, rows: Sequence[SearchSegment]) -> dict[str, str]:
    """Utterances by id with numbers covered, judged with what was said around them: both may be needed to know one."""
    if not rows:
        return {}
    near = or_(
        *(
            and_(
                col(SearchSegment.call_id) == row.call_id,
                col(SearchSegment.start_s).between(row.start_s - _AROUND_S, row.end_s + _AROUND_S),
            )
            for row in rows
        )
    )
    calls = {row.call_id for row in rows}  # said once more: a plan for any calls would read them all
    query = (
        select(SearchSegment)
        .where(col(SearchSegment.call_id).in_(calls), near)
        .order_by(col(SearchSegment.call_id), col(SearchSegment.start_s))
    )
    found: dict[str, str] = {}
    for _, talk in groupby((await session.scalars(query)).all(), lambda row: row.call_id):
        said = list(talk)
        texts = redact_talk((row.party, row.text) for row in said)
        found |= {row.segment_id: text for row, text in zip(said, texts, strict=True)}
    return found


async def index_call(work: UnitOfWork, call_id: str) -> None:
    """Write a call's lines anew, with the inspectors' corrections where there are some."""
    session = work.session
    call = await session.get_one(Call, call_id)
    recording = (await session.scalars(select(Recording).where(col(Recording.call_id) == call_id))).first()
    begin = recording.started_at if recording else call.accepted_at or call.queued_at
    rows = await stored_segments(session, [call_id], TranscriptKind.FINAL)
    corrections = await session.scalars(
        select(TranscriptCorrection).where(col(TranscriptCorrection.call_id) == call_id)
    )
    corrected = {correction.segment_id: correction.text for correction in corrections}
    await session.execute(delete(SearchSegment).where(col(SearchSegment.call_id) == call_id))
    for row in rows:
        text = corrected.get(row.id, row.text)
        if text:
            session.add(
                SearchSegment(
                    segment_id=row.id,
                    call_id=call_id,
                    party=row.party,
                    business_code=call.business_code,
                    said_at=begin + timedelta(seconds=row.start_s),
                    start_s=row.start_s,
                    end_s=row.end_s,
                    text=text,
                    grams=grams(text),
                    pinyin=pinyin(text),
                )
            )


def _words(query: str, by: str) -> list[ColumnElement[bool]]:
    letters = pinyin_query(query)
    if by == "sound" or is_pinyin(query):
        return [_holds(col(SearchSegment.pinyin), letters)]
    return [_holds(col(SearchSegment.grams), grams(query))]


def _holds(column: Any, letters: str) -> ColumnElement[bool]:
    """The column contains these letters.

    They are written into the statement: the planner has to see whether they are common (then the newest rows are read
    until a page is full) or rare (then the trigram index is asked). A plan for any letters takes seconds.
    """
    escaped = re.sub("[/%_]", r"/\g<0>", letters)
    pattern: Any = bindparam("letters", f"%{escaped}%", literal_execute=True, unique=True)
    like: ColumnElement[bool] = column.like(pattern, escape="/")
    return like


def _place(after: str) -> list[ColumnElement[bool]]:
    if not after:
        return []
    said_at, _, segment_id = after.rpartition(":")
    try:
        at = datetime.fromisoformat(said_at)
    except ValueError as error:
        raise BadInputError("ask for the first page again", code="search.bad_cursor") from error
    if at.tzinfo is None:
        raise BadInputError("ask for the first page again", code="search.bad_cursor")
    return [tuple_(col(SearchSegment.said_at), col(SearchSegment.segment_id)) < (at, segment_id)]


async def _statement(session: AsyncSession, actor: Actor, wanted: Sequence[ColumnElement[bool]]) -> Any:
    query = (
        select(SearchSegment, col(Call.number), col(Staff.display_name))
        .join(Call, col(Call.id) == col(SearchSegment.call_id))
        .outerjoin(Staff, col(Staff.id) == col(Call.teller_id))
        .where(*wanted)
    )
    if actor.staff_id is not None:
        close = too_close(await inspector_of(session, actor.staff_id))
        near = (await session.scalars(select(col(Staff.id)).where(close))).all()
        legs = select(col(CallLeg.id)).where(col(CallLeg.call_id) == col(Call.id), col(CallLeg.teller_id).in_(near))
        query = query.where(or_(col(Call.teller_id).is_(None), col(Call.teller_id).not_in(near)), ~legs.exists())
    return query.order_by(col(SearchSegment.said_at).desc(), col(SearchSegment.segment_id).desc()).limit(PAGE_SIZE + 1)


def subscriptions(service: SearchService) -> list[Subscription]:
    """Facts this part handles as jobs."""
    return [Subscription(TranscriptReady, "qa.search", service.on_transcript_ready)]
