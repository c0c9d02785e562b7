"""Business at the counter put together, for the composition root: the same parts on an edge and in a worker."""

from dataclasses import dataclass

import aiohttp

from core.bus import Bus
from core.db import Database
from core.http import RouteTable
from core.jobs import Subscription
from core.ports.identity import PhoneBook
from core.rate_limit import RateLimiter
from core.security.keys import MasterKey
from core.security.sealing import Sealer
from core.settings import Settings
from core.store import Store
from server.counter.banking.client import HttpCoreBanking
from server.counter.book import CaseBook
from server.counter.case_routes import flow_routes, prefill_routes
from server.counter.cases import CaseService
from server.counter.changes.desk import ChangeDesk
from server.counter.changes.routes import routes as change_routes
from server.counter.changes.subjects import subjects
from server.counter.demo.aids import DemoAids
from server.counter.demo.routes import demo_routes
from server.counter.documents.early import EarlyPapersDesk
from server.counter.documents.routes import document_routes, early_routes
from server.counter.documents.service import DocumentService
from server.counter.documents.shelf import DocumentShelf
from server.counter.engine import Engine
from server.counter.flow_desk import FlowDesk
from server.counter.flow_rules import check_flow
from server.counter.flows import packaged_flows
from server.counter.keeper import CaseKeeper
from server.counter.kind import House
from server.counter.kinds import load_kinds
from server.counter.notices.sms import HttpSmsGateway
from server.counter.prefill import PrefillDesk
from server.counter.simulators.identity import NobodyOnFile, Simulation, simulated
from server.counter.who.ask import IdentityDesk
from server.counter.who.local_faces import LocalFaces
from server.counter.who.sms_codes import SmsCodes


@dataclass(frozen=True, slots=True)
class CounterRoom:
    """What the room offers: `cases` for sockets, `routes` for HTTP, `subscriptions` and `keeper` for a worker."""

    cases: CaseService
    documents: DocumentService
    early: EarlyPapersDesk
    keeper: CaseKeeper
    routes: list[RouteTable]
    subscriptions: list[Subscription]


def build(
    database: Database,
    bus: Bus,
    store: Store,
    master_key: MasterKey,
    settings: Settings,
    limiter: RateLimiter,
    http: aiohttp.ClientSession | None = None,
    phone_book: PhoneBook | None = None,
) -> CounterRoom:
    """Put the room together. `http`: for the message centre; one-time codes go nowhere without it. `phone_book`: the
    numbers the bank holds; without one the core banking system is asked, and without that no number is on file.

    Raises:
        BadInputError: ``flow.invalid``: a shipped flow does not fit its kinds.
        UnavailableError: ``face.not_installed``: faces are to be compared here, and the extra is missing.
    """
    carrier = (
        SmsCodes(HttpSmsGateway(http, settings.sms_url, settings.sms_token)) if http and settings.sms_url else None
    )
    if phone_book is None and http is not None and settings.bank_url is not None:
        phone_book = HttpCoreBanking(http, settings.bank_url, settings.bank_token)
    faces = LocalFaces() if settings.face_engine == "local" else None
    house = House(
        database=database,
        clock=database.clock,
        store=store,
        sealer=Sealer(master_key),
        master_key=master_key,
        settings=settings,
        bus=bus,
        limiter=limiter,
        identity=simulated(
            Simulation.parse(settings.identity_simulation), phone_book or NobodyOnFile(), carrier, faces
        ),
    )
    kinds = load_kinds(house)
    for flow in packaged_flows():
        check_flow(flow, kinds)
    engine = Engine(kinds, CaseBook(house.sealer))
    cases = CaseService(database, engine)
    shelf = DocumentShelf(store, master_key)
    documents = DocumentService(database, cases, shelf, limiter)
    early = EarlyPapersDesk(database, limiter, shelf, documents)
    return CounterRoom(
        cases,
        documents,
        early,
        CaseKeeper(database, bus, engine, early.purge),
        [
            document_routes(documents),
            early_routes(early),
            prefill_routes(PrefillDesk(database, limiter, house.sealer, settings.site_url)),
            flow_routes(FlowDesk(database, kinds)),
            change_routes(ChangeDesk(database, subjects(kinds))),
            demo_routes(DemoAids(database, engine.book, master_key, settings, http)),
        ],
        IdentityDesk(house, cases, shelf).subscriptions,
    )
