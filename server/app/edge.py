"""The edge process: HTTP, Socket.IO, calls, routing, pages."""

import asyncio
import gc
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Protocol

import aiohttp
import structlog
from aiohttp import web

from core.heartbeats import AliveBook, beat
from core.http import RouteTable, SignedIn, assert_declared, error_middleware, mount
from core.ids import new_id
from core.proxies import behind_proxies
from core.rate_limit import RateLimiter
from core.security.keys import SecretsError
from core.security.permissions import Permission
from core.settings import Settings
from core.tasks import TaskOwner
from qa import room as qa_room
from qa.evidence.routes import routes as evidence_routes
from qa.evidence.service import EvidenceService
from qa.rules.routes import routes as rules_routes
from qa.rules.service import RulesService
from qa.search.routes import routes as search_routes
from qa.search.service import SearchService
from recording.capture.control import HttpRecordingPauses
from recording.catalogue.routes import routes as catalogue_routes
from recording.catalogue.service import Catalogue
from recording.export.routes import routes as export_routes
from recording.export.service import ExportService
from server.acd import room as acd_room
from server.acd.board import TellerBoard
from server.acd.door import QueueDoor
from server.acd.queue import QueueBoard
from server.app import access, metrics, ops
from server.app.api_page import api_routes
from server.app.backups import backup_routes
from server.app.connections import Connections, open_connections
from server.app.keeping import keeping_routes
from server.app.open_api import OpenInterface, open_interface
from server.app.operations import OwnFacts, operation_routes, watch
from server.app.pages import add_pages
from server.app.people import people_routes
from server.app.transactions import transaction_routes
from server.booking import room as booking_room
from server.booking.appointments import AppointmentBook
from server.booking.callbacks import CallbackBook
from server.booking.day import DayBook
from server.calls import room as calls_room
from server.calls.nodes import NodeBook
from server.calls.result import ResultReader
from server.calls.warm import WarmBook
from server.chat.routes import routes as chat_routes
from server.chat.service import ChatService
from server.counter import room as counter_room
from server.counter.notices.outbox import NoticeOutbox
from server.counter.routes import routes as counter_routes
from server.counter.service import CounterService
from server.identity.routes import session_cookie
from server.identity.service import IdentityService
from server.media.control_client import HttpMediaControl, NodeInfo
from server.wallboard import room as wallboard_room
from signaling import room as signaling_room
from signaling.connections import RedisConnections
from signaling.gateway import PATH as SOCKET_PATH
from signaling.turn import Relays

log = structlog.get_logger(__name__)

MAX_BODY_B = 256 * 1024
PROXY_NOTICE_S = 10.0  # proxies that ask /ready every few seconds send nobody here any more after this
STOPPING = web.AppKey("stopping", asyncio.Event)


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Serve until `stop` is set or a part of the process dies."""

    def on_crash(task: str, error: BaseException) -> None:
        log.error("the edge ends because a part of it died", task=task)
        stop.set()

    async with AsyncExitStack() as stack:
        connections = await stack.enter_async_context(open_connections(settings))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        app = await compose(connections, http, stack, on_crash)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, settings.host, settings.port, ssl_context=_tls(settings)).start()
        # What is there by now stays until the end: without it a full collection is over in no time.
        gc.collect()
        gc.freeze()
        gc.collect()  # of nothing: when the next full one is due goes by what the last one saw
        operations = await ops.serve(settings, "edge", connections)
        stack.push_async_callback(operations.cleanup)
        owner = TaskOwner("edge process", on_crash)
        stack.push_async_callback(owner.close)
        told = OwnFacts(settings)
        owner.start("disk", told.run())
        owner.start("beat", beat(connections.redis, "edge", new_id("edge"), told))
        owner.start("watch", watch(connections).run())
        await stop.wait()
        app[STOPPING].set()
        await asyncio.sleep(min(settings.drain_s, PROXY_NOTICE_S))


async def compose(
    connections: Connections,
    http: aiohttp.ClientSession,
    stack: AsyncExitStack,
    on_crash: Callable[[str, BaseException], None],
) -> web.Application:
    """The edge put together and begun; `stack` ends its parts."""
    app, parts = build(connections, http, on_crash)
    for part in parts:
        await part.start()
        stack.push_async_callback(part.close)
    return app


class Part(Protocol):
    """Something of the edge that runs by itself."""

    async def start(self) -> None:
        """Begin."""

    async def close(self) -> None:
        """End."""


def build(
    connections: Connections, http: aiohttp.ClientSession, on_crash: Callable[[str, BaseException], None]
) -> tuple[web.Application, list[Part]]:
    """The edge put together: its endpoints, and the parts to be started. Asks nobody for anything yet."""
    settings, database, bus, redis = connections.settings, connections.database, connections.bus, connections.redis
    limiter = RateLimiter(redis)
    staff_access = access.build(connections, limiter)
    identity = staff_access.identity
    business = counter_room.build(
        database, bus, connections.store, connections.secrets.master_key, settings, limiter, http
    )
    online = RedisConnections(redis)

    media_nodes = AliveBook(redis, connections.clock, "media")

    async def nodes() -> list[NodeInfo]:
        # Named by boot: a media node that was restarted is another one, it does not carry the old one's calls.
        found = await media_nodes.now()
        return [
            NodeInfo(each["boot_id"], each["url"], each["load"], each.get("draining", False)) for each in found.values()
        ]

    async def alive_nodes() -> set[str]:
        return {node.node_id for node in await nodes()}

    book = NodeBook(database, WarmBook(redis))

    async def node_url(call_id: str) -> str | None:
        node_id = await book.media_node_of(call_id)
        return next((node.url for node in await nodes() if node.node_id == node_id), None)

    control = HttpMediaControl(http, connections.secrets.internal_token, nodes, book.media_node_of, book.set_media_node)
    queue = QueueBoard(connections.clock, settings.ring_s)
    door = QueueDoor(queue)
    calls = calls_room.build(
        database,
        bus,
        redis,
        control,
        TellerBoard(),
        queue,
        door,
        online,
        settings,
        on_crash=on_crash,
        alive_nodes=alive_nodes,
        pauses=HttpRecordingPauses(http, connections.secrets.internal_token, node_url),
    )
    counter = CounterService(
        database, limiter, connections.secrets.token_key, settings.visit_token_s, calls.service.hang_up
    )
    acd = acd_room.build(database, bus, redis, calls.service, online, settings, door, on_crash=on_crash)
    wallboard = wallboard_room.build(database, bus, settings.timezone, calls.service, acd.oversight, on_crash=on_crash)
    chat = ChatService(database, connections.store, connections.secrets.master_key, limiter)
    sockets = signaling_room.build(
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
        online,
        connections.secrets.token_key,
        identity.authenticate_staff,
        Relays(
            connections.clock,
            settings.turn_addresses,
            settings.turn_secret or "",
            settings.turn_lifetime_s,
            "relay" if settings.relay_only else "all",
        ),
        on_crash=on_crash,
        pauses=calls.pauses,
        cases=business.cases,
    )
    outbox = NoticeOutbox(connections.secrets.master_key)
    booking = booking_room.build(
        AppointmentBook(database, door, outbox, connections.secrets.master_key, limiter),
        CallbackBook(
            database,
            door,
            calls.service,
            outbox,
            connections.secrets.master_key,
            limiter,
            settings.site_url,
        ),
        DayBook(database),
        on_crash,
    )
    interface = open_interface(connections, booking.appointments, ResultReader(database))
    app = web.Application(
        middlewares=[behind_proxies(settings.proxies), metrics.http_middleware, error_middleware],
        client_max_size=MAX_BODY_B,
    )
    app[STOPPING] = asyncio.Event()
    tables = [
        health_routes(connections),
        counter_routes(counter),
        *business.routes,
        *staff_access.routes,
        *wallboard.tables,
        *people_routes(connections),
        calls.routes,
        acd.routes,
        chat_routes(chat),
        booking.routes,
        evidence_routes(EvidenceService(database)),
        search_routes(SearchService(database)),
        rules_routes(RulesService(database)),
        *qa_room.tables(database, connections.store, connections.secrets.master_key),
        catalogue_routes(Catalogue(database, connections.store, connections.secrets.master_key)),
        export_routes(ExportService(database, connections.store, connections.secrets.master_key)),
        *transaction_routes(connections, business),
        *interface.tables,
        *keeping_routes(connections),
        backup_routes(connections),
        operation_routes(connections),
    ]
    mount(app, [*tables, api_routes(tables)], _authenticator(identity, counter, interface))
    sockets.attach(app)
    add_pages(app)
    assert_declared(app, exempt_paths=(SOCKET_PATH,))
    return app, [calls, acd, wallboard, booking, sockets]


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.tls_pem is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.tls_pem)
    except (OSError, ssl.SSLError) as error:
        raise SecretsError(f"{settings.tls_pem} does not serve as key and certificate: {error}") from error
    return context


def _authenticator(
    identity: IdentityService, counter: CounterService, interface: OpenInterface
) -> Callable[[web.Request], Awaitable[SignedIn | None]]:
    async def authenticate(request: web.Request) -> SignedIn | None:
        """A bearer token is another system or a customer, a cookie is staff; with both it is what the token says."""
        if (system := await interface.authenticate_key(request)) is not None:
            return system
        return await counter.authenticate_bearer(request) or await identity.authenticate_cookie(session_cookie(request))

    return authenticate


def health_routes(connections: Connections) -> RouteTable:
    """``/health``: this process runs. ``/ready``: database, Redis, a media node and a worker are there as well."""
    table = RouteTable()

    @table.get("/health", Permission.PUBLIC, answer=dict[str, str])
    async def health(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    @table.get("/ready", Permission.PUBLIC, answer=dict[str, str])
    async def ready(request: web.Request) -> web.Response:
        missing = await ops.missing(connections, ("media", "worker"))
        if request.app[STOPPING].is_set():
            missing.append("nothing: this edge ends")
        status = "ok" if not missing else "waiting for " + ", ".join(missing)
        return web.json_response({"status": status}, status=503 if missing else 200)

    return table
