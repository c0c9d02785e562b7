"""Messages to customers: over a real SMTP server and an SMS centre that fails, tried again, never lost silently."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiosmtpd.smtp import SMTP
from call_rows import CallRows
from http_app import always, serving
from sqlmodel import select

from core.db import Database
from core.errors import BadInputError
from core.events import NoticeQueued, event_from_json
from core.models import Alarm, NoticeChannel, NoticeMessage, OutboxEvent
from core.ports.notices import ChannelDownError, Notice, Recipient
from core.security.actor import customer_actor, staff_actor, system_actor
from server.counter.notices.deliver import MAX_ATTEMPTS, NoticeDelivery
from server.counter.notices.outbox import NoticeOutbox
from server.counter.notices.routes import routes
from server.counter.notices.service import NoticeService
from server.counter.notices.sms import HttpSmsGateway
from server.counter.notices.smtp import SmtpGateway, SmtpServer

KEY = b"k" * 32
SUPERVISOR = staff_actor("staff_boss", ["supervisor"])


class Mailbox:
    """What the mail server took; recipients named ``gone`` are refused for good, ``later`` for now."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], bytes]] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("gone"):
            return "550 no such mailbox"
        if address.startswith("later"):
            return "451 try later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append((envelope.rcpt_tos, envelope.content))
        return "250 taken"


class SmsCentre:
    """Answers with the next status of the list, then 200."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.taken: dict[str, dict[str, str]] = {}

    async def take(self, request: web.Request) -> web.Response:
        status = self.statuses.pop(0) if self.statuses else 200
        body = await request.json()
        if status == 200:
            self.taken[body["id"]] = body
        return web.json_response({}, status=status)


class Post:
    """Outbox, channels and delivery."""

    def __init__(self, database: Database, mailbox: Mailbox, centre: SmsCentre, delivery: NoticeDelivery) -> None:
        self.database, self.mailbox, self.centre, self.delivery = database, mailbox, centre, delivery

    async def queue(self, **to: str) -> list[str]:
        async with self.database.unit_of_work(system_actor("test")) as work:
            notice = Notice("transfer.done", "转账已成功", "您尾号 6789 的账户转出 80,000.00 元。", Recipient(**to))
            return await NoticeOutbox(KEY).queue(work, notice)

    async def deliver(self, notice_id: str) -> NoticeMessage:
        """Run the newest job of this message."""
        async with self.database.read() as session:
            facts = [
                event_from_json(row.type, row.payload) for row in (await session.scalars(select(OutboxEvent))).all()
            ]
        mine = [fact for fact in facts if isinstance(fact, NoticeQueued) and fact.notice_id == notice_id]
        await self.delivery.deliver(max(mine, key=lambda fact: fact.round))
        return await self.row(notice_id)

    async def row(self, notice_id: str) -> NoticeMessage:
        async with self.database.read() as session:
            return await session.get_one(NoticeMessage, notice_id)

    async def alarms(self) -> list[str]:
        async with self.database.read() as session:
            return [alarm.kind for alarm in (await session.scalars(select(Alarm))).all()]


@pytest.fixture
async def post(database: Database) -> AsyncIterator[Post]:
    mailbox, centre = Mailbox(), SmsCentre()
    smtp = await asyncio.get_running_loop().create_server(lambda: SMTP(mailbox), "127.0.0.1", 0)
    mail_port = smtp.sockets[0].getsockname()[1]
    app = web.Application()
    app.router.add_post("/sms", centre.take)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        gateways = {
            NoticeChannel.EMAIL: SmtpGateway(SmtpServer("127.0.0.1", mail_port, False, False), "counter@bank.example"),
            NoticeChannel.SMS: HttpSmsGateway(http, str(server.make_url("/sms")), "token"),
        }
        yield Post(database, mailbox, centre, NoticeDelivery(database, gateways, KEY))
    smtp.close()
    await smtp.wait_closed()


async def test_every_address_gets_its_message(post: Post) -> None:
    call = await CallRows(post.database).call(None)
    in_app, email, sms = await post.queue(visit_id=call.visit_id, email="li.min@example.com", phone="13812345678")
    assert (await post.row(in_app)).state == "sent"
    assert [(await post.deliver(each)).state for each in (email, sms)] == ["sent", "sent"]
    recipients, content = post.mailbox.mails[0]
    assert recipients == ["li.min@example.com"]
    assert f"<{email}@bank.example>".encode() in content
    assert post.centre.taken[sms]["text"].startswith("【转账已成功】您尾号 6789")
    stored = await post.row(sms)
    assert (stored.masked_address, b"13812345678" in (stored.sealed_address or b"")) == ("138****5678", False)
    await post.deliver(sms)  # a repeated job sends nothing again
    assert (await post.row(sms)).attempts == 1
    own = NoticeService(post.database)
    assert [notice.id for notice in await own.own(customer_actor(call.visit_id))] == [in_app]
    assert await own.own(customer_actor("visit_other")) == []


async def test_a_channel_that_is_down_is_tried_again_and_then_a_person_called(post: Post) -> None:
    (sms,) = await post.queue(phone="13812345678")
    post.centre.statuses = [503] * MAX_ATTEMPTS
    for _ in range(MAX_ATTEMPTS - 1):
        with pytest.raises(ChannelDownError):
            await post.deliver(sms)
    assert (await post.row(sms)).state == "waiting"
    failed = await post.deliver(sms)
    assert (failed.state, failed.error, await post.alarms()) == ("failed", "notice.channel_down", ["notice.failed"])
    async with serving([routes(NoticeService(post.database))], always(SUPERVISOR)) as client:
        listed = await (await client.get("/api/notices?state=failed")).json()
        assert (listed["failed"], listed["items"][0]["to"]) == (1, "138****5678")
        assert "text" not in listed["items"][0]
        assert (await client.post(f"/api/notices/{sms}/retry")).status == 200
        again = await client.post(f"/api/notices/{sms}/retry")
        assert (again.status, (await again.json())["error"]["code"]) == (409, "notice.not_failed")
    assert (await post.deliver(sms)).state == "sent"


async def test_an_address_refused_for_good_is_not_tried_again(post: Post) -> None:
    (email,) = await post.queue(email="gone@a.example")
    row = await post.deliver(email)
    assert (row.state, row.error, row.attempts) == ("failed", "notice.address_refused", 1)
    (later,) = await post.queue(email="later@a.example")
    with pytest.raises(ChannelDownError):
        await post.deliver(later)


async def test_a_channel_that_is_not_set_up_fails_visibly(post: Post) -> None:
    (sms,) = await post.queue(phone="13812345678")
    post.delivery = NoticeDelivery(post.database, {}, KEY)
    assert (await post.deliver(sms)).error == "notice.channel_off"
    assert await post.alarms() == ["notice.failed"]


@pytest.mark.parametrize(
    "to",
    [
        {"phone": "１３８１２３４５６７８"},
        {"phone": "23812345678"},
        {"phone": "13812345678\n"},
        {"email": "а@example.com"},  # a Cyrillic letter
        {"email": "a@example.com\r\nBcc: b@example.com"},
        {"email": "a" * 250 + "@example.com"},
        {},
    ],
)
async def test_bad_addresses_change_nothing(post: Post, to: dict[str, str]) -> None:
    with pytest.raises(BadInputError) as refused:
        await post.queue(**to)
    assert refused.value.code == "notice.bad_address"
    async with post.database.read() as session:
        assert (await session.scalars(select(NoticeMessage))).all() == []
