"""The books: requests by id, each booked once, in one transaction with its entries."""

import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from server.simbank.tables import account, entry, metadata, request

CLEARING, FEES, SOURCE = "9000000000000001", "9000000000000002", "9000000000000003"
INTERNAL = {CLEARING: "同城清算", FEES: "手续费收入", SOURCE: "开业资金"}
LARGEST_FEN = 10**15
WITHDRAWN = "bank.withdrawn"
BANK_TIME = timezone(timedelta(hours=8))
Row = Any
Content = dict[str, Any]


class RefusedError(Exception):
    """A refusal with its code. Nothing is booked, the refusal itself is remembered."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ContentDiffersError(Exception):
    """Another content under a known request id."""


async def prepare(engine: AsyncEngine) -> None:
    """Make the schema and the bank's own accounts; safe to repeat."""
    async with engine.begin() as connection:
        await connection.execute(text("create schema if not exists bank"))
        await connection.run_sync(metadata.create_all)
        for number, name in INTERNAL.items():
            row = upsert(account).values(number=number, kind="internal", owner_name=name)
            await connection.execute(row.on_conflict_do_nothing())


class Ledger:
    """Books requests."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._kinds: dict[str, Callable[[AsyncConnection, str, Content], Awaitable[Content]]] = {
            "hold": self._hold,
            "transfer": self._transfer,
            "fee": self._fee,
            "sweep": self._sweep,
            "open": self._open,
            "status": self._status,
            "contact": self._contact,
            "password": self._password,
            "reverse": self._reverse,
        }

    async def book(self, request_id: str, kind: str, content: Content, refuse: bool = False) -> Content:
        """Book a request, or say again what came of it: ``{"done", "code", "result"}``.

        Raises:
            ContentDiffersError: the id is known with another content. KeyError: no such kind.
        """
        act = self._kinds[kind]
        async with self._engine.begin() as connection:
            # Two deliveries of one request come one after the other; the second finds what the first has booked.
            await connection.execute(text("select pg_advisory_xact_lock(hashtext(:id))"), {"id": request_id})
            known = (await connection.execute(select(request).where(request.c.request_id == request_id))).first()
            if known is not None:
                if known.done == WITHDRAWN:
                    return _answer(WITHDRAWN, {})
                if known.kind != kind or known.content != content:
                    raise ContentDiffersError(request_id)
                return _answer(known.done, known.result)
            stored = insert(request).values(
                request_id=request_id, kind=kind, content=content, done="yes", result={}, at=now()
            )
            await connection.execute(stored)
            done, result = "yes", {}
            try:
                if refuse:
                    raise RefusedError("bank.simulated_refusal")
                async with connection.begin_nested():
                    result = await act(connection, request_id, content)
            except RefusedError as error:
                done = error.code
            settle = update(request).where(request.c.request_id == request_id)
            await connection.execute(settle.values(done=done, result=result))
            return _answer(done, result)

    # --- kinds ---------------------------------------------------------------------------------------------------

    async def _hold(self, connection: AsyncConnection, request_id: str, content: Content) -> Content:
        payer = await _active(connection, content["account"])
        amount = _amount(content)
        if payer.balance_fen - payer.held_fen < amount:
            raise RefusedError("bank.insufficient_funds")
        await _set(connection, payer.number, held_fen=payer.held_fen + amount)
        return {"account": payer.number, "held_fen": amount}

    async def _transfer(self, connection: AsyncConnection, request_id: str, content: Content) -> Content:
        amount, payee_number = _amount(content), content["payee_account"]
        if payee_number == content["account"]:
            raise RefusedError("bank.same_account")
        numbers = sorted([content["account"], payee_number])  # one order for all: no deadlock
        for number in numbers:
            await _find(connection, number, missing_ok=True)
        payee = await _find(connection, payee_number, missing_ok=True)
        if payee is not None and payee.kind == "customer":
            if payee.owner_name != content["payee_name"]:
                raise RefusedError("bank.payee_name")
            if payee.status != "active":
                raise RefusedError("bank.payee_not_active")
        await self._take(connection, content["account"], amount)
        to = payee.number if payee is not None and payee.kind == "customer" else CLEARING
        await _move(connection, request_id, content["account"], to, amount)
        return {"to": to, "amount_fen": amount}

    async def _fee(self, connection: AsyncConnection, request_id: str, content: Content) -> Content:
        amount = _amount(content)
        await self._take(connection, content["account"], amount)
        await _move(connection, request_id, content["account"], FEES, amount)
        return {"to": FEES, "amount_fen": amount}

    async def _take(self, connection: AsyncConnection, number: str, amount: int) -> None:
        """Use up what was set aside before."""
        payer = await _active(connection, number)
        if payer.held_fen < amount:
            raise RefusedError("bank.not_held")
        await _set(connection, number, held_fen=payer.held_fen - amount)

    async def _open(self, connection: AsyncConnection, request_id: str, content: Content) -> Content:
        number = "62220888" + "".join(secrets.choice("0123456789") for _ in range(11))
        owner = {key: str(content[key]) for key in ("owner_name", "id_number", "phone")}
        await connection.execute(insert(account).values(number=number, kind="customer", **owner))
        return {"account": number}

    async def _sweep(self, connection: AsyncConnection, request_id: str, content: Content) -> Content:
        source, target = content["account"], content["to_account"]
        if source == target:
            raise RefusedError("bank.same_account")
        for number in sorted([source, target]):
            await _active(connection, number)
        payer, payee = await _active(connection, source), await _active(connection, target)
        if payer.id_number != payee.id_number:
            raise RefusedError("bank.payee_name")
        if payer.held_fen:
            raise RefusedError("bank.not_empty")
        if payer.balance_fen:
            await _move(connection, request_id, source, target, payer.balance_fen)
        return {"to": target, "amount_fen": payer.balance_fen}

    async def _status(self, connection: AsyncConnection, request_id: str, content: Content) -> Content:
        wanted, before = content["to"], {}
        if wanted not in ("active", "frozen", "closed"):
            raise RefusedError("bank.bad_status")
        for row in await _owned(connection, content):
            if wanted == "closed" and (row.balance_fen or row.held_fen):
                raise RefusedError("bank.not_empty")
            await _set(connection, row.number, status=wanted)
            before[row.number] = row.status
        return {"before": before, "after": wanted}

    async def _contact(self, connection: AsyncConnection, request_id: str, content: Content) -> Content:
        rows = await _owned(connection, content)
        for row in rows:
            await _set(connection, row.number, phone=str(content["phone"]))
        return {"before": {row.number: row.phone for row in rows}}

    async def _password(self, connection: AsyncConnection, request_id: str, content: Content) -> Content:
        row = await _active(connection, content["account"])
        await _set(connection, row.number, password_reset_at=now())
        return {"account": row.number}

    async def _reverse(self, connection: AsyncConnection, request_id: str, content: Content) -> Content:
        target_id = content["request_id"]
        await connection.execute(text("select pg_advisory_xact_lock(hashtext(:id))"), {"id": target_id})
        target = select(request).where(request.c.request_id == target_id).with_for_update()
        earlier = (await connection.execute(target)).first()
        if earlier is None:  # it may still be on its way: it must not be booked when it comes
            gone = insert(request).values(request_id=target_id, kind="hold", content={}, done=WITHDRAWN, result={})
            await connection.execute(gone.values(at=now()))
            return {"withdrawn": True}
        if earlier.done != "yes":
            return {"nothing": True}
        if earlier.reversed_by is not None:
            raise RefusedError("bank.reversed_before")
        await self._undo(connection, request_id, earlier)
        mark = update(request).where(request.c.request_id == earlier.request_id)
        await connection.execute(mark.values(reversed_by=request_id))
        return {"reversed": earlier.request_id}

    async def _undo(self, connection: AsyncConnection, request_id: str, earlier: Row) -> None:
        content, result = earlier.content, earlier.result
        if earlier.kind == "hold":
            payer = await _find(connection, content["account"])
            await _set(connection, payer.number, held_fen=payer.held_fen - min(payer.held_fen, result["held_fen"]))
        elif earlier.kind in ("transfer", "fee"):
            amount = result["amount_fen"]
            receiver = await _find(connection, result["to"])
            if receiver.kind == "customer" and receiver.balance_fen - receiver.held_fen < amount:
                raise RefusedError("bank.already_spent")
            await _move(connection, request_id, result["to"], content["account"], amount)
            payer = await _find(connection, content["account"])
            await _set(connection, payer.number, held_fen=payer.held_fen + amount)  # set aside again, as before
        elif earlier.kind == "open":
            opened = await _find(connection, result["account"])
            if opened.balance_fen:
                raise RefusedError("bank.not_empty")
            await _set(connection, opened.number, status="closed")
        elif earlier.kind == "sweep" and result["amount_fen"]:
            receiver = await _find(connection, result["to"])
            if receiver.balance_fen - receiver.held_fen < result["amount_fen"]:
                raise RefusedError("bank.already_spent")
            await _move(connection, request_id, result["to"], content["account"], result["amount_fen"])
        elif earlier.kind in ("status", "contact"):
            field = "status" if earlier.kind == "status" else "phone"
            for number, value in result["before"].items():
                await _set(connection, number, **{field: value})

    # --- reading -------------------------------------------------------------------------------------------------

    async def account(self, number: str) -> Content | None:
        """Facts of a customer's account."""
        async with self._engine.connect() as connection:
            query = select(account).where(account.c.number == number, account.c.kind == "customer")
            row = (await connection.execute(query)).first()
            if row is None:
                return None
            midnight = datetime.now(BANK_TIME).replace(hour=0, minute=0, second=0, microsecond=0)
            sent = (
                select(func.coalesce(func.sum(-entry.c.amount_fen), 0))
                .join(request, request.c.request_id == entry.c.request_id)
                .where(
                    entry.c.account == number,
                    entry.c.at >= midnight,
                    request.c.kind == "transfer",
                    request.c.reversed_by.is_(None),
                    entry.c.amount_fen < 0,
                )
            )
            total = (await connection.execute(sent)).scalar_one()
        return {
            "number": row.number,
            "owner_name": row.owner_name,
            "id_number": row.id_number,
            "status": row.status,
            "balance_fen": row.balance_fen,
            "available_fen": row.balance_fen - row.held_fen,
            "day_total_fen": int(total),
        }

    async def holds(self, id_number: str, phone: str) -> bool:
        """Whether a person's open accounts have this phone number on file."""
        query = select(account.c.number).where(
            account.c.id_number == id_number, account.c.phone == phone, account.c.status != "closed"
        )
        async with self._engine.connect() as connection:
            return (await connection.execute(query)).first() is not None

    async def trial_balance(self) -> Content:
        """What an auditor checks: all entries sum to zero, every balance is its entries' sum; and what is set aside."""
        async with self._engine.connect() as connection:
            total = select(func.coalesce(func.sum(entry.c.amount_fen), 0))
            entries = (await connection.execute(total)).scalar_one()
            by_account = select(entry.c.account, func.sum(entry.c.amount_fen).label("sum")).group_by(entry.c.account)
            sums = {row.account: int(row.sum) for row in (await connection.execute(by_account)).all()}
            rows = (await connection.execute(select(account))).all()
        wrong = [row.number for row in rows if row.balance_fen != sums.get(row.number, 0)]
        held = sum(row.held_fen for row in rows)
        balances = {row.number: row.balance_fen for row in rows}
        return {"entries_fen": int(entries), "wrong": wrong, "held_fen": held, "balances": balances}

    async def endow(self, number: str, owner_name: str, id_number: str, phone: str, amount_fen: int) -> None:
        """A customer of the demonstration with money; nothing happens when the account is there."""
        async with self._engine.begin() as connection:
            row = upsert(account).values(
                number=number, kind="customer", owner_name=owner_name, id_number=id_number, phone=phone
            )
            made = await connection.execute(row.on_conflict_do_nothing().returning(account.c.number))
            if made.first() is None or not amount_fen:
                return
            opening = f"opening-{number}"
            await connection.execute(
                insert(request).values(request_id=opening, kind="opening", content={}, done="yes", result={}, at=now())
            )
            await _move(connection, opening, SOURCE, number, amount_fen)


def now() -> datetime:
    """Aware UTC."""
    return datetime.now(UTC)


def _answer(done: str, result: Content) -> Content:
    return {"done": done == "yes", "code": "" if done == "yes" else done, "result": result}


def _amount(content: Content) -> int:
    amount = content["amount_fen"]
    if isinstance(amount, bool) or not isinstance(amount, int) or not 0 < amount <= LARGEST_FEN:
        raise RefusedError("bank.bad_amount")
    return amount


async def _find(connection: AsyncConnection, number: str, missing_ok: bool = False) -> Row:
    row = (await connection.execute(select(account).where(account.c.number == number).with_for_update())).first()
    if row is None and not missing_ok:
        raise RefusedError("bank.no_account")
    return row


async def _customer(connection: AsyncConnection, number: str) -> Row:
    row = await _find(connection, number)
    if row.kind != "customer":
        raise RefusedError("bank.no_account")
    return row


async def _owned(connection: AsyncConnection, content: Content) -> list[Row]:
    """One account, or all of a person that are not closed."""
    if "account" in content:
        rows = [await _customer(connection, content["account"])]
    else:
        query = select(account).where(account.c.id_number == content["id_number"], account.c.kind == "customer")
        rows = list((await connection.execute(query.order_by(account.c.number).with_for_update())).all())
    rows = [row for row in rows if row.status != "closed"]
    if not rows:
        raise RefusedError("bank.no_account")
    return rows


async def _active(connection: AsyncConnection, number: str) -> Row:
    row = await _customer(connection, number)
    if row.status != "active":
        raise RefusedError("bank.account_not_active")
    return row


async def _set(connection: AsyncConnection, number: str, **values: Any) -> None:
    await connection.execute(update(account).where(account.c.number == number).values(**values))


async def _move(connection: AsyncConnection, request_id: str, payer: str, payee: str, amount_fen: int) -> None:
    at = now()
    for number, signed in ((payer, -amount_fen), (payee, amount_fen)):
        await connection.execute(insert(entry).values(request_id=request_id, account=number, amount_fen=signed, at=at))
        moved = update(account).where(account.c.number == number)
        await connection.execute(moved.values(balance_fen=account.c.balance_fen + signed))
