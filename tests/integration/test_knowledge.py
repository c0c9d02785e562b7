"""The knowledge base on real tables: Chinese questions find the article, editors publish what others propose."""

from typing import Any

import pytest
from call_rows import CallRows
from http_app import always, serving

from core.db import Database
from core.security.actor import staff_actor, system_actor
from server.counter.catalogue import seed_businesses
from server.knowledge.routes import routes
from server.knowledge.seed import packaged_articles, seed_articles
from server.knowledge.service import KnowledgeService


@pytest.fixture
async def service(database: Database) -> KnowledgeService:
    async with database.unit_of_work(system_actor("seed")) as work:
        await seed_businesses(work)
        assert await seed_articles(work) > 10
    return KnowledgeService(database)


async def test_questions_as_people_ask_them(service: KnowledgeService) -> None:
    for question, title in (
        ("忘记密码怎么办", "忘记密码怎么重置"),
        ("卡丢了要挂失", "银行卡挂失与解挂"),
        ("轉錯賬了", "转错账了怎么办"),
        ("五万以上要双人复核吗", "转账限额与双人复核"),
        ("理财能不能保本", "理财签约必须说明的内容"),
        ("对方说是公检法让转到安全账户", "三问两核一劝阻（防诈骗）"),
    ):
        hits = await service.search(question, None)
        assert hits, question
        assert title in [hit.title for hit in hits[:2]], (question, [hit.title for hit in hits[:4]])
    assert await service.search("xyzzy", None) == []
    assert (await service.search("", "transfer"))[0].business_code == "transfer"
    assert "%" not in [hit.title for hit in await service.search("100%_", None)]


async def test_staff_propose_and_an_editor_publishes(service: KnowledgeService, database: Database) -> None:
    rows = CallRows(database)
    teller, boss = await rows.staff("teller", "teller"), await rows.staff("boss", "supervisor")

    def desk(staff: Any) -> Any:
        return serving([routes(service)], always(staff_actor(staff.id, staff.roles)))

    article_id = (await service.search("转账多久到账", None))[0].id
    wording = {"article_id": article_id, "title": "转账多久到账", "body": "夜间大额次日到账。", "reason": "补充夜间"}
    async with desk(teller) as client:
        proposed = await (await client.post("/api/article-proposals", json=wording)).json()
        assert (proposed["state"], proposed["version"], proposed["before"]["version"]) == ("proposed", 2, 1)
        again = await client.post("/api/article-proposals", json=wording)
        assert (await again.json())["error"]["code"] == "article.proposal_open"
        assert (await client.get("/api/article-proposals")).status == 403
    assert (await service.article(article_id)).version == 1, "not before an editor says so"
    async with desk(boss) as client:
        path = f"/api/article-proposals/{proposed['id']}/decision"
        bare = await client.post(path, json={"publish": False})
        assert (await bare.json())["error"]["code"] == "article.verdict_missing"
        assert (await client.post(path, json={"publish": True})).status == 200
        second = await client.post(path, json={"publish": True})
        assert (await second.json())["error"]["code"] == "article.decided"
        new = {"title": "新文章", "body": "正文", "reason": "缺"}
        own = await (await client.post("/api/article-proposals", json=new)).json()
        mine = await client.post(f"/api/article-proposals/{own['id']}/decision", json={"publish": True})
        assert (await mine.json())["error"]["code"] == "article.own"
    assert (await service.article(article_id)).body == "夜间大额次日到账。"
    assert (await service.search("夜间大额", None))[0].id == article_id
    states = [row.state for row in await service.versions(staff_actor(boss.id, boss.roles), article_id)]
    assert states == ["published", "replaced"]
    async with database.unit_of_work(system_actor("seed")) as work:
        assert await seed_articles(work) == 0, "what the bank has edited stays"


async def test_the_shipped_articles_are_sound() -> None:
    entries = packaged_articles()
    assert {entry.kind for entry in entries} == {"product", "procedure", "faq"}
    assert all(len(entry.body) > 40 for entry in entries)
