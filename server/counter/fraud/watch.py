"""Listens during calls: danger warnings of the live script and words typed in the chat become alerts.

Everything may be told twice or by several workers; an alert knows its signs. The live script repeats its whole state
every few seconds, so a lost message only delays.
"""

import asyncio
from typing import Any

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from core.bus import LIVE, Bus
from core.db import Database
from core.events import ChatMessageSent
from core.jobs import Subscription
from core.models.call import Call
from core.models.chat import ChatMessage
from core.models.fraud import FraudAlert, FraudState
from core.ports.speech import Party
from core.security.actor import system_actor
from server.counter.fraud.rows import raise_signs, tell
from server.counter.fraud.rules import Sign, signs_in

log = structlog.get_logger(__name__)

RECONNECT_S = 1.0
SWEEP_S = 1.0
_FAILURES = (RedisError, SQLAlchemyError, OSError)


class FraudWatch:
    """One per worker."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._bus = bus
        self._actor = system_actor("fraud")
        self._told: dict[str, set[tuple[str, float]]] = {}

    async def listen(self) -> None:
        """Hear the live script until cancelled."""
        while True:
            try:
                async with self._bus.subscribe(LIVE) as messages:
                    async for _, message in messages:
                        if message.get("kind") == "script":
                            await self.heard(message)
            except _FAILURES as error:
                log.warning("fraud watch lost the bus", error=str(error))
            await asyncio.sleep(RECONNECT_S)

    async def heard(self, script: dict[str, Any]) -> None:
        """Take in a script state: its warnings of kind danger."""
        call_id = str(script["call_id"])
        signs = [
            Sign(
                "speech",
                str(warning["rule_id"]),
                str(warning["label_zh"]),
                str(warning["label_en"]),
                str(warning["party"]),
                str(warning["phrase"]),
                float(warning["at_s"]),
            )
            for warning in script.get("warnings", [])
            if warning.get("kind") == "danger"
        ]
        seen = self._told.setdefault(call_id, set())
        fresh = [sign for sign in signs if (sign.key, sign.at_s or 0.0) not in seen]
        if fresh:
            await self._raise(call_id, fresh)
            seen.update((sign.key, sign.at_s or 0.0) for sign in fresh)

    async def chatted(self, event: ChatMessageSent) -> None:
        """A message of the chat; its words are in its row."""
        if event.kind != "text":
            return
        async with self._database.read() as session:
            row = await session.get(ChatMessage, event.message_id)
        if row is not None and row.party == Party.CUSTOMER:
            await self.typed(event.call_id, row.party, row.text)

    async def typed(self, call_id: str, party: str, text: str) -> None:
        """Words typed in the chat."""
        signs = signs_in(text, "chat", party)
        if signs:
            await self._raise(call_id, signs)

    async def _raise(self, call_id: str, signs: list[Sign]) -> None:
        async with self._database.unit_of_work(self._actor) as work:
            call = await work.session.get(Call, call_id)
            if call is not None and call.ended_at is None:
                await raise_signs(work, call_id, signs)

    async def keep_time(self) -> None:
        """Mark assessments that are overdue, every second until cancelled."""
        while True:
            try:
                await self.sweep()
            except _FAILURES as error:
                log.warning("fraud sweep failed", error=str(error))
            await asyncio.sleep(SWEEP_S)

    async def sweep(self) -> None:
        """One pass; forgets calls that have ended."""
        now = self._database.clock.now()
        late = (
            select(FraudAlert)
            .where(col(FraudAlert.state) == FraudState.OPEN, col(FraudAlert.late).is_(False))
            .where(col(FraudAlert.assess_by) <= now)
            .with_for_update(skip_locked=True)
        )
        async with self._database.unit_of_work(self._actor) as work:
            for alert in (await work.session.scalars(late)).all():
                alert.late = True
                alert.version += 1
                work.audit("fraud.late", "fraud_alert", alert.id, call_id=alert.call_id)
                tell(work, alert)
            running = select(Call.id).where(col(Call.id).in_(list(self._told)), col(Call.ended_at).is_(None))
            alive = set((await work.session.scalars(running)).all())
        for call_id in set(self._told) - alive:
            del self._told[call_id]


def subscriptions(watch: FraudWatch) -> list[Subscription]:
    """The chat comes as a job: no word of it is lost."""
    return [Subscription(ChatMessageSent, "counter.fraud.chat", watch.chatted)]
