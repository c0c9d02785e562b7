"""Which rules are in force."""

from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, func, select

from core.db import Database, UnitOfWork
from core.ids import new_id
from core.models.rules import RuleSetRow, RuleSetState
from qa.compliance.rules import RuleSet, dump_rules, load_rules, parse_rules


class RuleSource(Protocol):
    """Where the rules come from."""

    async def current(self) -> RuleSet:
        """The rules in force now."""
        ...


class FixedRules:
    """Always the same rules."""

    def __init__(self, rule_set: RuleSet) -> None:
        self._rule_set = rule_set

    async def current(self) -> RuleSet:
        """These."""
        return self._rule_set


class RuleBook:
    """The active rule set of the database; parsed once per version."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: tuple[str, RuleSet] | None = None

    async def current(self) -> RuleSet:
        """The rules in force now; those of the release before anybody has seeded the table."""
        async with self._database.read() as session:
            digest = await session.scalar(
                select(col(RuleSetRow.digest)).where(col(RuleSetRow.state) == RuleSetState.ACTIVE)
            )
            if digest is None:
                return load_rules()
            if self._known is None or self._known[0] != digest:
                row = await active_row(session)
                self._known = (digest, rules_of(row) if row else load_rules())
        return self._known[1]


def rules_of(row: RuleSetRow) -> RuleSet:
    """The parsed content, with the row's number as its version."""
    return parse_rules(row.content).numbered(row.number)


async def active_row(session: AsyncSession) -> RuleSetRow | None:
    """The rule set in force."""
    return (await session.scalars(select(RuleSetRow).where(col(RuleSetRow.state) == RuleSetState.ACTIVE))).first()


async def next_number(session: AsyncSession) -> int:
    """The number of the next rule set."""
    return int((await session.scalar(select(func.max(RuleSetRow.number)))) or 0) + 1


async def seed_rules(work: UnitOfWork) -> None:
    """Bring the release's rules into the table.

    They come into force at once only where no rules or rules of an earlier release are active. Where a bank has rules
    of its own, they wait for somebody to approve them.
    """
    packaged = load_rules()
    content = dump_rules(packaged)
    known = await work.session.scalar(select(col(RuleSetRow.id)).where(col(RuleSetRow.content) == content))
    if known is not None:
        return
    active = await active_row(work.session)
    replaces = active is None or active.author_id is None
    now, number = work.clock.now(), await next_number(work.session)
    if active is not None and replaces:
        active.state = RuleSetState.RETIRED
        await work.session.flush()
    work.session.add(
        RuleSetRow(
            id=new_id("rules"),
            number=number,
            digest=packaged.numbered(number).digest,
            content=content,
            state=RuleSetState.ACTIVE if replaces else RuleSetState.SUBMITTED,
            note="release",
            created_at=now,
            changed_at=now,
            submitted_at=None if replaces else now,
            activated_at=now if replaces else None,
        )
    )
    work.audit("rules.seed", "rule_set", str(number), active=replaces)
