"""Messages that leave the house: one job per message, tried again with growing pauses, then a person is called.

Notices and webhook messages differ in what they send and to whom; that they are never lost and never silent is here.
"""

from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from core.alarms import raise_alarm
from core.db import Database
from core.errors import CounterError
from core.security.actor import Actor


class OutgoingRow(Protocol):
    """What a table of messages has.

    Attributes:
        state: ``waiting``, ``sent`` or ``failed``. error: Code of the last failure.
        round: Which sending this is; a retry by a person begins a new one. attempts: Within the round.
    """

    id: str
    call_id: Any
    state: str
    round: int
    attempts: int
    error: str | None
    sent_at: datetime | None


Row = TypeVar("Row", bound=OutgoingRow)


class Outgoing(Generic[Row]):
    """Sends what waits. At least once: receivers know a message by its id. `_send` and `_alarm` are the kind's own."""

    def __init__(self, database: Database, table: type[Row], actor: Actor, max_attempts: int) -> None:
        self._database = database
        self._table = table
        self._actor = actor
        self._max_attempts = max_attempts

    async def _send(self, row: Row) -> dict[str, Any]:
        """Hand one message over; answers columns to keep. CounterError when it fails, retryable or for good."""
        raise NotImplementedError

    def _alarm(self, row: Row, code: str) -> tuple[str, str, dict[str, object]]:
        """Kind, sentence and facts of the alarm when a message is given up."""
        raise NotImplementedError

    async def deliver_row(self, row_id: str, sending: int) -> None:
        """Send one message, unless it is sent already or a newer round has begun.

        Raises:
            CounterError: a retryable one, to be tried again by the job engine.
        """
        row = await self._begin(row_id, sending)
        if row is None:
            return
        try:
            kept = await self._send(row)
        except CounterError as error:
            final = not error.retryable or row.attempts >= self._max_attempts
            await self._failed(row.id, error, final)
            if not final:
                raise
        else:
            async with self._database.unit_of_work(self._actor) as work:
                sent = await work.session.get_one(self._table, row.id, with_for_update=True)
                sent.state, sent.error, sent.sent_at = "sent", None, work.clock.now()
                for name, value in kept.items():
                    setattr(sent, name, value)

    async def _begin(self, row_id: str, sending: int) -> Row | None:
        async with self._database.unit_of_work(self._actor) as work:
            row = await work.session.get(self._table, row_id, with_for_update=True)
            if row is None or row.state != "waiting" or row.round != sending:
                return None
            row.attempts += 1
        return row

    async def _failed(self, row_id: str, error: CounterError, final: bool) -> None:
        async with self._database.unit_of_work(self._actor) as work:
            row = await work.session.get_one(self._table, row_id, with_for_update=True)
            row.error = error.code
            if hasattr(row, "status"):
                row.status = error.fields.get("status")
            if final:
                row.state = "failed"
                kind, text, facts = self._alarm(row, error.code)
                raise_alarm(work, kind, text, row.call_id, **facts)
