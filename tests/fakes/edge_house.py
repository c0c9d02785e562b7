"""The real edge, composed as in a house, over the engines of a test; and one row of everything somebody may own."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from call_rows import CallRows
from sqlalchemy import Boolean, DateTime, Float, Integer, LargeBinary, Numeric
from sqlmodel import SQLModel, col, func, select

from core import models
from core.db import Database
from core.models import Call, CallState, Staff
from core.security.actor import system_actor
from core.security.keys import load_secrets, new_data_key, wrap_key
from core.security.sealing import Sealer
from core.security.tokens import issue_visit_token
from core.settings import Settings
from server.app import edge
from server.app.connections import Connections, open_connections
from server.app.seed import seed
from server.identity.seed import DEMO_LOGINS, DEMO_PASSWORD

Headers = dict[str, str]


@dataclass
class EdgeHouse:
    """A running edge.

    Attributes:
        who: Headers of everybody who is signed in, by user name; ``nobody`` has none.
    """

    connections: Connections
    app: web.Application
    http: aiohttp.ClientSession
    url: str
    who: dict[str, Headers] = field(default_factory=lambda: {"nobody": {}})
    crashes: list[BaseException] = field(default_factory=list)

    @property
    def database(self) -> Database:
        """The house's database."""
        return self.connections.database

    async def sign_in(self, username: str) -> Headers:
        """Sign in a demo account."""
        body = {"username": username, "password": DEMO_PASSWORD}
        async with self.http.post(f"{self.url}/api/auth/login", json=body) as answer:
            told = await answer.json()
            assert answer.status == 200, told
            cookie = answer.cookies["ac_session"].value
        self.who[username] = {"Cookie": f"ac_session={cookie}", "X-CSRF-Token": told["csrf_token"]}
        return self.who[username]

    def customer(self, name: str, visit_id: str) -> Headers:
        """The browser of a visit."""
        token = issue_visit_token(self.connections.secrets.token_key, visit_id, datetime.now(UTC), 3600)
        self.who[name] = {"Authorization": f"Bearer {token}"}
        return self.who[name]

    async def ask(self, who: str, method: str, path: str, body: Any = None) -> tuple[int, str, str]:
        """Status, the refusal's code (empty: none), and the answer's text."""
        url = self.url + path
        async with self.http.request(method, url, json=body, headers=self.who[who], allow_redirects=False) as answer:
            text = (await answer.read()).decode(errors="replace")
            code = ""
            if answer.status >= 400 and answer.content_type == "application/json":
                code = (await answer.json()).get("error", {}).get("code", "")
        return answer.status, code, text


@asynccontextmanager
async def edge_house(database_url: str, redis_url: str, folder: Path, **chosen: Any) -> AsyncIterator[EdgeHouse]:
    """The edge on a free port, with the demo accounts signed in."""
    settings = Settings(data_dir=folder, database_url=database_url, redis_url=redis_url, demo=True, **chosen)
    load_secrets(folder)
    await seed(settings)
    crashes: list[BaseException] = []
    async with AsyncExitStack() as stack:
        connections = await stack.enter_async_context(open_connections(settings))
        http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        app = await edge.compose(connections, http, stack, lambda task, error: crashes.append(error))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        house = EdgeHouse(connections, app, http, f"http://127.0.0.1:{runner.addresses[0][1]}", crashes=crashes)
        for login in DEMO_LOGINS:
            await house.sign_in(login.username)
        yield house
    assert not crashes


_SPECIAL: dict[str, dict[str, Any]] = {
    "BusinessCase": {"state": "done"},
    "CaseDocument": {"state": "ready", "content_type": "image/jpeg"},
    "SignedDocument": {"state": "sealed"},
    "Evaluation": {"state": "released", "form_version": "1", "released_at": datetime.now(UTC)},
    "Rectification": {"state": "open", "category": "other"},
    "Appeal": {"state": "with_supervisor"},
    "FraudAlert": {"state": "open", "proposal": "delay"},
    "CallGuest": {"state": "joined", "seat": "expert", "purpose": "expert"},
    "HelpRequest": {"kind": "help"},
    "Ticket": {"state": "open", "kind": "complaint", "department": "service"},
    "ChatMessage": {"kind": "image", "party": "customer", "sender": "visit:x"},
    "ReviewRequest": {"state": "waiting"},
    "Recording": {"state": "finalized"},
    "RecordingFile": {"party": "customer"},
    "ComplianceCheck": {"state": "done"},
    "Finding": {"kind": "missing", "severity": "minor"},
    "Voucher": {"masked": "x"},
    "Appointment": {"state": "checked_in"},
    "EarlyDocument": {"content_type": "image/jpeg"},
}
"""In the order in which they can be written; with the fields that a blank value would not do for."""

PARAMETERS = {
    "document_id": ("CaseDocument", "SignedDocument"),
    "voucher_id": ("Voucher",),
    "paper_id": ("SignedDocument", "Voucher"),
    "case_id": ("BusinessCase",),
    "evaluation_id": ("Evaluation",),
    "rectification_id": ("Rectification",),
    "note_id": ("CoachingNote",),
    "appeal_id": ("Appeal",),
    "alert_id": ("FraudAlert",),
    "offer_id": ("CallOffer",),
    "guest_id": ("CallGuest",),
    "help_id": ("HelpRequest",),
    "ticket_id": ("Ticket",),
    "message_id": ("ChatMessage",),
    "review_id": ("ReviewRequest",),
    "file_id": ("RecordingFile",),
    "finding_id": ("Finding",),
    "early_id": ("EarlyDocument",),
}


@dataclass
class Belongings:
    """What one customer and one teller own: a running call and a finished one, with a row of everything about each."""

    visit_id: str
    live: Call
    done: Call
    ids: dict[str, list[str]]

    def everything(self) -> set[str]:
        """All ids, to be looked for in answers."""
        return {each for ids in self.ids.values() for each in ids}


async def add_belongings(house: EdgeHouse, username: str) -> Belongings:
    """Rows of a customer and of the teller with this user name."""
    database, sealer = house.database, Sealer(house.connections.secrets.master_key)
    rows = CallRows(database)
    async with database.read() as session:
        teller = (await session.scalars(select(Staff).where(col(Staff.username) == username))).one()
    done = await rows.call(teller)
    running = {"state": CallState.CONNECTED, "ended_at": None, "end_reason": None, "accepted_at": datetime.now(UTC)}
    live = await rows.call(teller, visit_id=done.visit_id, **running)
    ids: dict[str, list[str]] = {"call_id": [live.id, done.id], "visit_id": [done.visit_id]}
    for call in (live, done):
        known = {"call": call.id, "visit": call.visit_id, "staff": teller.id, "business": call.business_code}
        for name in [*_SPECIAL, "CoachingNote", "CallOffer"]:
            row = _filled(getattr(models, name), known, _SPECIAL.get(name, {}))
            if isinstance(row, models.BusinessCase):
                row.sealed = sealer.seal({}, row.id)
            if isinstance(row, models.Recording):
                row.wrapped_key = wrap_key(house.connections.secrets.master_key, new_data_key(), row.id)
            async with database.unit_of_work(system_actor("test")) as work:
                work.session.add(row)
            known[str(row.__tablename__)] = row.id
            for parameter, tables in PARAMETERS.items():
                if name in tables:
                    ids.setdefault(parameter, []).append(row.id)
    return Belongings(done.visit_id, live, done, ids)


_counted = iter(range(10**6, 10**9))


def _filled(table: type[SQLModel], known: dict[str, str], special: dict[str, Any]) -> Any:
    """A row with a blank value in every column that must have one, and the known owners where they are named."""
    now = datetime.now(UTC)
    blanks: list[tuple[type, Any]] = [
        (DateTime, now + timedelta(hours=1)),
        (Boolean, False),
        (Integer, 1),
        (Numeric, 1),
        (Float, 1.0),
        (LargeBinary, b"sealed"),
    ]
    values: dict[str, Any] = {}
    for column in table.__table__.columns:  # type: ignore[attr-defined]
        owners = [key.column.table.name for key in column.foreign_keys]
        if owners and owners[0] in known:
            values[column.name] = known[owners[0]]
        elif column.name == "business_code":
            values[column.name] = known["business"]
        elif column.primary_key or column.name in ("client_id", "object_key", "code"):
            values[column.name] = f"theirs_{table.__name__.lower()}_{next(_counted)}"
        elif not column.nullable and column.default is None and column.server_default is None:
            values[column.name] = next((value for kind, value in blanks if isinstance(column.type, kind)), "x")
    if "number" in values:
        values["number"] = next(_counted)
    return table(**{**values, **special})


def example(schema: dict[str, Any], definitions: dict[str, Any], ids: dict[str, str], name: str = "") -> Any:
    """The smallest value a JSON schema allows, with known ids where a field is called like one."""
    schema = definitions[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema
    if name in ids and schema.get("type", "string") == "string":
        return ids[name]
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return example(schema[choice][0], definitions, ids, name)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        wanted = schema.get("properties", {})
        return {
            key: example(part, definitions, ids, key)
            for key, part in wanted.items()
            if key in schema.get("required", []) or key in ids
        }
    if kind == "array":
        return [example(schema["items"], definitions, ids, name)] * schema.get("minItems", 0)
    if kind in ("integer", "number"):
        return schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
    return {"boolean": True, "null": None}.get(str(kind), "x" * max(1, schema.get("minLength", 1)))


async def written_by(database: Database, actor: str) -> int:
    """How many audit entries somebody has caused."""
    async with database.read() as session:
        query = select(func.count()).where(col(models.AuditEntry.actor) == actor)
        return int((await session.scalars(query)).one())
