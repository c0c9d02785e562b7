"""Every HTTP route and every socket message, tried as everybody: only what the permission matrix allows answers.

Routes and messages are taken from the running edge, so that new ones are covered by being there.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from edge_house import Belongings, EdgeHouse, add_belongings, edge_house, example, written_by
from sqlmodel import col, select

from core.errors import CounterError
from core.models import Staff
from core.security.passwords import hash_password
from core.security.permissions import NOT_OWN_WORK, Permission, own_only, permissions_of
from server.app.permission_table import page_of
from server.identity import seed
from server.identity.seed import DEMO_LOGINS, DEMO_PASSWORD
from signaling.client import SignalingClient
from signaling.messages import CUSTOMER, MESSAGES, STAFF

ROLE_OF = {login.username: login.role.value for login in DEMO_LOGINS}
ONE_OF_EACH = {role: name for name, role in reversed(ROLE_OF.items())}
ENDS_THE_SESSION = {"/api/auth/logout", "/api/account/sign-out-everywhere"}
NOT_LET_IN = {"auth.required", "auth.denied"}


@pytest.fixture(scope="module", autouse=True)
def one_hash() -> Iterator[None]:
    stored = hash_password(DEMO_PASSWORD)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seed, "hash_password", lambda password: stored)
        yield


@pytest.fixture
async def house(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[EdgeHouse]:
    async with edge_house(database_url, redis_url, tmp_path, session_idle_s=3600) as opened:
        yield opened


def routes(app: web.Application) -> list[tuple[str, str, Permission]]:
    """Method, path and permission of everything that is mounted under /api, and of the health pages."""
    found = []
    for route in app.router.routes():
        permission = getattr(route.handler, "declared_permission", None)
        path = route.resource.canonical if route.resource else ""
        if permission is not None and route.method != "HEAD":
            found.append((route.method, path, permission))
    assert len(found) > 150
    return found


def filled(path: str, ids: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: ids.get(match[1], "x"), path)


async def test_every_route_as_everybody(house: EdgeHouse) -> None:
    """Nobody is answered 401, the wrong post 403, and whoever the matrix allows gets past the guard."""
    house.customer("customer", "visit_none")
    people = {"nobody": None, "customer": "customer"} | {name: role for role, name in ONE_OF_EACH.items()}
    wrong, tried = [], 0
    for method, path, permission in routes(house.app):
        if path in ENDS_THE_SESSION:
            continue
        for who, role in people.items():
            held = permissions_of([role]) if role else permissions_of([])
            status, code, text = await house.ask(who, method, filled(path, {}), {} if method != "GET" else None)
            tried += 1
            if permission in held:
                right = code not in NOT_LET_IN and status != 500
            else:
                right = (status, code) == ((401, "auth.required") if role is None else (403, "auth.denied"))
            if not right:
                wrong.append((who, method, path, status, code, text[:200]))
    assert wrong == []
    assert tried > 1500


async def test_the_documented_matrix_is_the_one_in_force(house: EdgeHouse) -> None:
    text = (Path(__file__).parents[2] / "docs" / "permissions.md").read_text()
    assert text == page_of(house.app), "run ./dev gen and commit docs/permissions.md"


async def test_no_route_takes_a_cookie_without_its_csrf_token(house: EdgeHouse) -> None:
    cookie_only = {name: {"Cookie": house.who[name]["Cookie"]} for name in ONE_OF_EACH.values()}
    house.who |= cookie_only
    for method, path, permission in routes(house.app):
        if method == "GET" or permission is Permission.PUBLIC:
            continue
        for role, name in ONE_OF_EACH.items():
            if permission in permissions_of([role]):
                assert (await house.ask(name, method, filled(path, {}), {}))[:2] == (403, "auth.csrf"), path


async def test_a_sign_in_that_is_not_complete_opens_nothing(house: EdgeHouse) -> None:
    async with house.database.transaction() as session:
        for staff in (await session.scalars(select(Staff))).all():
            staff.must_change_password = True
    for method, path, permission in routes(house.app):
        if permission in (Permission.PUBLIC, Permission.SESSION_OWN, Permission.ACCOUNT_OWN):
            continue
        for role, name in ONE_OF_EACH.items():
            if permission in permissions_of([role]):
                answered = await house.ask(name, method, filled(path, {}), {} if method != "GET" else None)
                assert answered[:2] == (403, "auth.password_change_required"), path
    socket = SignalingClient("/staff", headers=house.who["teller1"] | {"Origin": house.url})
    with pytest.raises(CounterError):
        await socket.connect(house.url)


async def description(house: EdgeHouse) -> dict[str, Any]:
    async with house.http.get(f"{house.url}/openapi.json") as answer:
        return dict(await answer.json())


def body_of(described: dict[str, Any], method: str, path: str, ids: dict[str, str]) -> Any:
    """A body the endpoint's description allows; None where it takes none."""
    operation = described["paths"].get(path, {}).get(method.lower(), {})
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    return example(content["schema"], described["components"]["schemas"], ids) if content else None


async def test_nobody_reaches_what_is_somebody_elses(house: EdgeHouse) -> None:
    """Whatever a post may do with own rows only, it does not do with another's: no answer, no trace, no change."""
    theirs = await add_belongings(house, "teller1")
    own_visit = (await add_belongings(house, "teller3")).visit_id
    house.customer("other customer", own_visit)
    house.customer("no such visit", "visit_none")
    others = {"other customer": "customer", "no such visit": "customer", "teller2": "teller", "expert1": "expert"}
    described = await description(house)
    wrong, tried = [], 0
    for method, path, permission in routes(house.app):
        named = re.findall(r"\{(\w+)\}", path)
        for who, role in others.items():
            if permission not in permissions_of([role]) or not own_only(role, permission) or path in ENDS_THE_SESSION:
                continue
            if path.startswith("/api/account/"):
                continue  # the own account has no id to be mistaken in
            for ids in each_of(theirs, named):
                body = None if method == "GET" else body_of(described, method, path, ids)
                actor = await actor_name(house, who, own_visit)
                before = await written_by(house.database, actor)
                status, code, text = await house.ask(who, method, filled(path, ids), body)
                seen = theirs.everything() & set(re.findall(r"\w+", text))
                changed = await written_by(house.database, actor) > before
                tried += 1
                uses_ids = any(name in theirs.ids for name in named)
                if status == 500 or seen or (uses_ids and (status < 400 or changed)):
                    wrong.append((who, method, path, status, code, sorted(seen)[:2], changed))
    assert wrong == []
    assert tried > 60


def each_of(theirs: Belongings, named: list[str]) -> list[dict[str, str]]:
    """The ids of the running call's rows, and those of the finished call's."""
    known = [name for name in named if name in theirs.ids]
    versions = max((len(theirs.ids[name]) for name in known), default=1)
    return [{name: ids[min(at, len(ids) - 1)] for name, ids in theirs.ids.items()} for at in range(versions)]


async def actor_name(house: EdgeHouse, who: str, own_visit: str) -> str:
    if who not in ROLE_OF:
        return f"visit:{own_visit if who == 'other customer' else 'visit_none'}"
    async with house.database.read() as session:
        return f"staff:{(await session.scalars(select(Staff.id).where(col(Staff.username) == who))).one()}"


async def test_the_owner_does_reach_it(house: EdgeHouse) -> None:
    """The test above would also pass if nothing answered at all: for their owners the same rows are there."""
    mine = await add_belongings(house, "teller1")
    house.customer("customer", mine.visit_id)
    call_id = mine.live.id
    for who, path in (
        ("customer", f"/api/visit/chat/{call_id}"),
        ("customer", f"/api/calls/{call_id}/result"),
        ("teller1", f"/api/staff/chat/{call_id}"),
        ("teller1", f"/api/calls/{call_id}/fraud-alerts"),
        ("teller1", "/api/my/coaching"),
        ("teller1", f"/api/calls/{call_id}/customer-history"),
    ):
        status, code, text = await house.ask(who, "GET", path)
        assert (status, code) == (200, ""), (who, path, text)


async def test_nobody_judges_own_work_whatever_posts_they_hold(house: EdgeHouse) -> None:
    """Separation of posts: with every role at once, nothing of one's own can be scored, released or authorised."""
    mine = await add_belongings(house, "teller1")
    async with house.database.transaction() as session:
        me = (await session.scalars(select(Staff).where(col(Staff.username) == "teller1"))).one()
        me.roles = sorted(set(ROLE_OF.values()))
    described = await description(house)
    ids = mine.ids | {"staff_id": [me.id], "teller_id": [me.id]}
    wrong, codes = [], set()
    for method, path, permission in routes(house.app):
        if method == "GET" or permission not in NOT_OWN_WORK:
            continue
        blank = body_of(described, method, path, {name: given[-1] for name, given in ids.items()})
        named = set(re.findall(r"\{(\w+)\}", path)) | set(blank or {})
        if not named & set(ids):
            continue
        for one in each_of(Belongings(mine.visit_id, mine.live, mine.done, ids), sorted(named)):
            body = body_of(described, method, path, one)
            before = await written_by(house.database, f"staff:{me.id}")
            status, code, text = await house.ask("teller1", method, filled(path, one), body)
            changed = await written_by(house.database, f"staff:{me.id}") > before
            codes.add(code)
            if status < 400 or status == 500 or changed:
                wrong.append(f"{method} {path} {status} {text[:100]} {changed}")
    assert wrong == []
    assert {"qa.own_call", "staff.own_account"} <= codes, codes


async def socket_of(house: EdgeHouse, namespace: str, who: str) -> SignalingClient:
    headers = dict(house.who[who])
    if namespace == CUSTOMER:
        token = headers.get("Authorization", "Bearer ").removeprefix("Bearer ")
        return await SignalingClient(CUSTOMER, auth={"token": token}).connect(house.url)
    return await SignalingClient(STAFF, headers=headers | {"Origin": house.url}).connect(house.url)


async def answer(socket: SignalingClient, name: str, payload: Any) -> str:
    """The refusal's code, empty when there was none."""
    try:
        await socket.request(name, **payload)
    except CounterError as error:
        return error.code
    return ""


async def test_every_message_as_everybody(house: EdgeHouse) -> None:
    theirs = await add_belongings(house, "teller1")
    own_visit = (await add_belongings(house, "teller3")).visit_id
    house.customer("other customer", own_visit)
    with pytest.raises(CounterError):
        await socket_of(house, STAFF, "nobody")
    with pytest.raises(CounterError):
        await socket_of(house, CUSTOMER, "nobody")
    with pytest.raises(CounterError):
        await socket_of(house, STAFF, "other customer")
    with pytest.raises(CounterError):
        await socket_of(house, CUSTOMER, "teller2")
    people = {"other customer": (CUSTOMER, "customer")} | {
        name: (STAFF, role) for role, name in {**ONE_OF_EACH, "teller": "teller2"}.items()
    }
    ids = {name: given[0] for name, given in theirs.ids.items()}
    wrong = []
    for who, (namespace, role) in people.items():
        socket = await socket_of(house, namespace, who)
        for message in MESSAGES[namespace]:
            await asyncio.sleep(0.05)  # a socket may send 20 messages a second
            schema = message.request.model_json_schema()
            payload = example(schema, schema.get("$defs", {}), ids)
            code = await answer(socket, message.name, payload)
            assert message.permission is not None
            held = message.permission in permissions_of([role])
            theirs_named = any(value in theirs.everything() for value in payload.values() if isinstance(value, str))
            own = own_only(role, message.permission)
            if (not held and code != "auth.denied") or (held and (code in NOT_LET_IN - {"auth.denied"})):
                wrong.append((who, message.name, code, payload))
            if code in ("internal", "signaling.no_answer", "input.invalid") or (
                held and own and theirs_named and not code
            ):
                wrong.append((who, message.name, code, payload))
        await socket.close()
    assert wrong == []
