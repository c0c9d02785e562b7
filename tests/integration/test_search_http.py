"""Search over transcripts, against the real database with its trigram indexes."""

from datetime import timedelta
from typing import Any

import pytest
from call_rows import CallRows
from http_app import always, serving
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from core.db import Database
from core.errors import BadInputError
from core.events import TranscriptReady
from core.redaction import MASK
from core.security.actor import staff_actor
from qa.evidence.schemas import CorrectionRequest
from qa.evidence.service import EvidenceService
from qa.search.letters import grams, pinyin, pinyin_query
from qa.search.routes import routes
from qa.search.service import SearchService
from qa.search.snippets import cut

TALK = (
    ("teller", 2.0, 6.0, "您好，请问转账用途是什么？"),
    ("customer", 7.0, 12.0, "给女儿买房付首付，我的电话是13800138000。"),
    ("teller", 20.0, 26.0, "这个产品宝本保锡，稳赚不赔。"),
)


async def ready(rows: CallRows, call: Any, talk: Any = TALK) -> None:
    await rows.transcript(call, talk)
    fact = TranscriptReady(at=rows.database.clock.now(), call_id=call.id, transcribed=True, engine="test")
    await SearchService(rows.database).on_transcript_ready(fact)
    await SearchService(rows.database).on_transcript_ready(fact)  # a job may run twice


async def test_a_number_in_several_utterances_is_covered_in_each(database: Database) -> None:
    rows = CallRows(database)
    teller, inspector, lead = [await rows.staff(name, name) for name in ("teller", "inspector", "qa_lead")]
    talk = (
        ("teller", 1.0, 3.0, "请把收到的验证码念一下。"),
        ("customer", 4.0, 6.0, "好的四八二九一三。"),
        ("customer", 8.0, 10.0, "卡号是六二二二零好的"),
        ("teller", 10.5, 11.0, "好的您说"),
        ("customer", 12.0, 14.0, "二一二三好的"),
    )
    await ready(rows, await rows.call(teller), talk)
    service = SearchService(database)
    shown = {}
    for person in (inspector, lead):
        page = await service.search(staff_actor(person.id, person.roles), "好的")
        shown[person.username] = {hit.start_s: hit.snippet for hit in page.items if hit.party == "customer"}
    assert shown["inspector"] == {4.0: f"好的{MASK * 6}。", 8.0: f"卡号是{MASK * 5}好的", 12.0: f"{MASK * 4}好的"}
    assert shown["qa_lead"][12.0] == "二一二三好的"


async def test_words_are_found_as_written_and_by_sound(database: Database) -> None:
    rows = CallRows(database)
    teller, inspector = await rows.staff("t", "teller"), await rows.staff("i", "inspector")
    call = await rows.call(teller)
    await ready(rows, call)
    other = await rows.call(teller, business="wealth_signing")
    await ready(rows, other, (("customer", 3.0, 5.0, "保本保息吗？"),))
    mine = await rows.call(inspector)
    await ready(rows, mine)
    async with serving([routes(SearchService(database))], always(staff_actor(inspector.id, inspector.roles))) as client:

        async def found(**query: str) -> list[dict[str, Any]]:
            response = await client.get("/api/qa/search", params=query)
            assert response.status == 200, await response.text()
            return list((await response.json())["items"])

        hit = (await found(q="用途"))[0]
        assert (hit["call_id"], hit["party"], hit["start_s"], hit["teller_name"]) == (call.id, "teller", 2.0, "t的姓名")
        assert [hit["snippet"][a:b] for a, b in hit["marks"]] == ["用途"]
        assert [h["call_id"] for h in await found(q="保本保息")] == [other.id]
        assert {h["call_id"] for h in await found(q="保本保息", by="sound")} == {call.id, other.id}
        for typed in ("baobenbaoxi", "bao ben bao xi"):
            assert {h["call_id"] for h in await found(q=typed)} == {call.id, other.id}
        assert [h["snippet"][a:b] for h in await found(q="wenzhuanbu") for a, b in h["marks"]] == ["稳赚不"]
        assert len(await found(q="买")) == 1  # one character is enough
        assert await found(q="买", party="teller") == []
        assert [h["call_id"] for h in await found(q="保本", business="wealth_signing")] == [other.id]
        now = database.clock.now()
        assert await found(q="保本", since=(now + timedelta(hours=1)).isoformat()) == []
        assert len(await found(q="保本", until=(now + timedelta(hours=1)).isoformat())) == 1
        covered = (await found(q="电话"))[0]["snippet"]
        assert MASK * 11 in covered
        assert "138" not in covered
        # Nor can it be found by guessing, beginning by beginning, in characters or by sound.
        for guess in ("13800138000", "1380", "电话是138", "yisanbaling"):
            assert await found(q=guess) == [], guess
        short = await client.get("/api/qa/search", params={"q": "ab"})
        assert (short.status, (await short.json())["error"]["code"]) == (400, "search.too_short")
        bad = await client.get("/api/qa/search", params={"q": "保本", "after": "x"})
        assert (bad.status, (await bad.json())["error"]["code"]) == (400, "search.bad_cursor")
        assert await found(q="100%_") == []


async def test_pages_follow_each_other(database: Database) -> None:
    rows = CallRows(database)
    teller, inspector = await rows.staff("t", "teller"), await rows.staff("i", "inspector")
    call = await rows.call(teller)
    await ready(rows, call, tuple(("teller", float(n), n + 0.5, f"第{n}次转账") for n in range(45)))
    service, actor = SearchService(database), staff_actor(inspector.id, inspector.roles)
    seen, after = [], ""
    for _ in range(3):
        page = await service.search(actor, "转账", after=after)
        seen += [hit.start_s for hit in page.items]
        after = page.next
    assert (seen, after) == ([float(n) for n in reversed(range(45))], "")


async def test_corrections_are_found_and_old_transcripts_are_caught_up(database: Database) -> None:
    rows = CallRows(database)
    teller, inspector = await rows.staff("t", "teller"), await rows.staff("i", "inspector")
    call = await rows.call(teller)
    await rows.transcript(call, TALK)
    service, actor = SearchService(database), staff_actor(inspector.id, inspector.roles)
    assert await service.catch_up() == 1
    assert await service.catch_up() == 0
    assert (await service.search(actor, "保本保息")).items == []
    async with database.read() as session:
        wrong = await session.scalar(text("select segment_id from search_segment where text like '%宝本%'"))
    right = CorrectionRequest(version=0, text="这个产品保本保息，稳赚不赔。")
    await EvidenceService(database).correct(actor, str(wrong), right)
    assert len((await service.search(actor, "保本保息")).items) == 1


def test_too_little_is_refused() -> None:
    assert pinyin_query("Bao Ben") == "baoben"
    for little in ("ab", " a ", "，"):
        with pytest.raises(BadInputError):
            pinyin_query(little)


@given(st.text(alphabet="保本息赚账户请问您好一二三的了", min_size=1, max_size=12), st.data())
def test_what_is_in_a_text_is_in_its_letters(said: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(said) - 1))
    part = said[start : data.draw(st.integers(start + 1, len(said)))]
    assert grams(part) in grams(said)
    assert len(grams(said)) == 3 * len(said)
    assert all(char in "0123456789abcdefghijklmnopqrstuvwxyz" for char in grams(said) + pinyin(said))
    low, high, marks = cut(said, part, by_sound=False)
    assert marks
    assert all(said[low:high][a:b] == part for a, b in marks)
