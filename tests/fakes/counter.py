"""A counter for tests: the rooms calls, acd and signaling on real engines, with a fake media node and open doors."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from fake_media import FakeMediaControl
from obstore.store import MemoryStore
from redis.asyncio import Redis

from core.bus import MEDIA, Bus
from core.db import Database
from core.ids import new_id
from core.models import Business, Call, Consent, Staff, Visit
from core.ports.call_views import QueueStatus
from core.rate_limit import RateLimiter
from core.security.actor import Actor, staff_actor
from core.security.tokens import issue_visit_token
from core.settings import Settings
from core.store import Store
from server.acd import room as acd_room
from server.acd.board import TellerBoard
from server.acd.door import QueueDoor
from server.acd.queue import QueueBoard
from server.acd.room import AcdRoom
from server.calls import room as calls_room
from server.calls.room import CallsRoom
from server.chat.service import ChatService
from server.wallboard import room as wallboard_room
from server.wallboard.room import WallboardRoom
from signaling import room as signaling_room
from signaling.client import SignalingClient
from signaling.connections import RedisConnections
from signaling.messages import PUSHES
from signaling.room import Signaling

TOKEN_KEY = "a key for tests that is long enough"


class Page:
    """A connected page: requests, and what was pushed to it."""

    def __init__(self, client: SignalingClient, events: list[str]) -> None:
        self.client = client
        self.pushed: list[tuple[str, dict[str, Any]]] = []
        self._changed = asyncio.Event()
        for event in events:
            client.on(event, self._remember(event))

    def _remember(self, event: str) -> Callable[[dict[str, Any]], None]:
        def remember(payload: dict[str, Any]) -> None:
            self.pushed.append((event, payload))
            self._changed.set()

        return remember

    async def ask(self, event: str, **payload: Any) -> dict[str, Any]:
        """Send a message and return its acknowledgement; raises CounterError with the server's code."""
        return await self.client.request(event, **payload)

    async def see(self, event: str, timeout_s: float = 5.0, **fields: Any) -> dict[str, Any]:
        """The first push of this name with these fields, now or soon."""
        async with asyncio.timeout(timeout_s):
            while True:
                self._changed.clear()
                for name, payload in self.pushed:
                    if name == event and all(payload.get(key) == value for key, value in fields.items()):
                        return payload
                await self._changed.wait()


def recording_consent(visit_id: str, at: datetime) -> Consent:
    """The customer agrees to the recording."""
    return Consent(
        id=new_id("consent"),
        visit_id=visit_id,
        purpose="recording",
        wording_version="1",
        wording_sha256="0" * 64,
        granted=True,
        at=at,
    )


CUSTOMER_EVENTS = [push.name for push in PUSHES["/customer"]]
STAFF_EVENTS = [push.name for push in PUSHES["/staff"]]


@dataclass
class Counter:
    """The running rooms and what tests do with them."""

    database: Database
    bus: Bus
    media: FakeMediaControl
    connections: RedisConnections
    calls: CallsRoom
    acd: AcdRoom
    wallboard: WallboardRoom
    signaling: Signaling
    app: web.Application
    door: QueueDoor
    chat: ChatService
    store: Store
    url: str = ""
    sessions: dict[str, Actor] = field(default_factory=dict)
    _pages: list[Page] = field(default_factory=list)

    async def add_visit(self, business: str = "transfer", consent: bool = True) -> str:
        """A customer who has come in; returns the visit's id."""
        visit_id = new_id("visit")
        now = self.database.clock.now()
        async with self.database.transaction() as session:
            session.add(
                Visit(
                    id=visit_id,
                    business_code=business,
                    channel="web",
                    device="test",
                    address_class="loopback",
                    language="zh-CN",
                    created_at=now,
                )
            )
            await session.flush()
            if consent:
                session.add(recording_consent(visit_id, now))
        return visit_id

    async def customer(self, visit_id: str) -> Page:
        """The page of a visit, connected."""
        token = issue_visit_token(TOKEN_KEY, visit_id, self.database.clock.now(), 600)
        return await self._open(SignalingClient("/customer", auth={"token": token}), CUSTOMER_EVENTS)

    async def add_staff(self, name: str, roles: list[str], groups: list[str] | None = None) -> str:
        """A member of staff; the session cookie is the id."""
        staff_id = f"staff_{name}"
        async with self.database.transaction() as session:
            session.add(
                Staff(
                    id=staff_id,
                    username=name,
                    display_name=name.title(),
                    staff_number=f"1{name}",
                    roles=roles,
                    skill_groups=groups or ["counter"],
                    password_hash="!",
                    created_at=self.database.clock.now(),
                )
            )
        self.sessions[staff_id] = staff_actor(staff_id, roles)
        return staff_id

    async def staff(self, staff_id: str) -> Page:
        """The console of a member of staff, connected."""
        headers = {"Cookie": f"ac_session={staff_id}", "Origin": self.url}
        return await self._open(SignalingClient("/staff", headers=headers), STAFF_EVENTS)

    async def teller(self, name: str, ready: bool = True, groups: list[str] | None = None) -> Page:
        """A new teller with a console, ready unless told otherwise."""
        console = await self.staff(await self.add_staff(name, ["teller"], groups))
        if ready:
            await console.ask("presence.set", state="ready", reason="")
        return console

    async def _open(self, client: SignalingClient, events: list[str]) -> Page:
        page = Page(client, events)
        await client.connect(self.url)
        self._pages.append(page)
        return page

    async def hang_together(self, call_id: str, *seats: str) -> None:
        """Media of these seats comes up."""
        for seat in seats:
            await self.peer(call_id, seat, "connected")

    async def peer(self, call_id: str, seat: str, state: str, peer_id: str | None = None) -> None:
        """A media node says something about a transport."""
        change = {"call_id": call_id, "seat": seat, "peer_id": peer_id or f"p-{seat}", "state": state, "reason": ""}
        await self.bus.publish(MEDIA, change)

    async def status(self, business_code: str) -> QueueStatus:
        """How a queue stands for somebody at the door."""
        async with self.database.read() as session:
            return await self.door.status(session, business_code, self.database.clock.now())

    async def call(self, call_id: str) -> Call:
        """The call's row."""
        async with self.database.read() as session:
            return await session.get_one(Call, call_id)

    async def close_pages(self) -> None:
        for page in self._pages:
            await page.client.close()


async def seed_businesses(database: Database) -> None:
    """Two businesses: one that needs recording, one that does not."""
    async with database.transaction() as session:
        for code, group, required in (("transfer", "counter", True), ("enquiry", "desk", False)):
            session.add(
                Business(
                    code=code,
                    name_zh="转账",
                    name_en=code.title(),
                    hint_zh="",
                    hint_en="",
                    skill_group=group,
                    recording_required=required,
                )
            )


def compose(database: Database, bus: Bus, redis: Redis, settings: Settings, nodes: set[str] | None = None) -> Counter:
    """Wire the rooms as the composition root does. `nodes`: media nodes that are alive."""
    media, connections, board = FakeMediaControl(), RedisConnections(redis), TellerBoard()
    queue = QueueBoard(database.clock, settings.ring_s)
    door = QueueDoor(queue)

    async def alive() -> set[str]:
        return nodes or set()

    alive_nodes = alive if nodes is not None else None
    calls = calls_room.build(
        database, bus, redis, media, board, queue, door, connections, settings, alive_nodes=alive_nodes
    )
    acd = acd_room.build(database, bus, redis, calls.service, connections, settings, door)
    wallboard = wallboard_room.build(database, bus, settings.timezone, calls.service, acd.oversight)
    sessions: dict[str, Actor] = {}

    async def authenticate(cookie: str | None) -> Actor | None:
        return sessions.get(cookie or "")

    store = Store(MemoryStore())
    chat = ChatService(database, store, bytes(32), RateLimiter(redis))
    edge = signaling_room.build(
        bus,
        calls.service,
        calls.media,
        acd.tellers,
        wallboard.live,
        calls.guests,
        calls.transfers,
        calls.help,
        calls.text,
        acd.notices,
        chat,
        connections,
        TOKEN_KEY,
        authenticate,
        pauses=calls.pauses,
    )
    app = web.Application()
    edge.attach(app)
    return Counter(
        database, bus, media, connections, calls, acd, wallboard, edge, app, door, chat, store, sessions=sessions
    )


@asynccontextmanager
async def open_counter(
    database: Database,
    bus: Bus,
    redis: Redis,
    *,
    started: bool = True,
    nodes: set[str] | None = None,
    **settings: float,
) -> AsyncIterator[Counter]:
    """A running counter on a free port."""
    await seed_businesses(database)
    counter = compose(database, bus, redis, Settings.model_validate(settings), nodes)
    runner = web.AppRunner(counter.app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    counter.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    parts = [counter.calls, counter.acd, counter.wallboard, counter.signaling] if started else [counter.signaling]
    for part in parts:
        await part.start()
    try:
        yield counter
    finally:
        await counter.close_pages()
        for part in reversed(parts):
            await part.close()
        await counter.calls.service.close()
        await runner.cleanup()


def ago(database: Database, seconds: float) -> Any:
    """That many seconds before now."""
    return database.clock.now() - timedelta(seconds=seconds)
