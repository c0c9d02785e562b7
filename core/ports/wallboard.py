"""The wallboard as it travels to the supervisors' pages, and what signaling and wallboard ask of other rooms."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Literal, Protocol

from core.ports.call_views import CallStateName, TellerStateName, View
from core.security.actor import Actor


class Aims(View):
    """What the figures are held against. Shares are 0 to 1."""

    service_level_s: int
    service_level: float
    answer_rate: float
    longest_wait_s: int


class Figures(View):
    """Today's figures; None where there is nothing yet. Definitions: docs/statistics.md."""

    offered: int
    answered: int
    abandoned: int
    short_abandoned: int
    service_level: float | None
    answer_rate: float | None
    abandon_rate: float | None
    asa_s: float | None
    aht_s: float | None
    satisfaction: float | None
    rated: int
    overtime: int


class QueueRow(View):
    """One business's queue.

    Attributes:
        waiting / ringing / running: Calls now.
        longest_since: The longest waiting call's time of joining.
        service_level_bad_since / answer_rate_bad_since: Below the aim since then; None: it is not.
    """

    business_code: str
    name_zh: str
    name_en: str
    waiting: int
    ringing: int
    running: int
    longest_since: datetime | None
    figures: Figures
    service_level_bad_since: datetime | None
    answer_rate_bad_since: datetime | None


class TellerRow(View):
    """One teller now, and today."""

    teller_id: str
    display_name: str
    staff_number: str
    state: TellerStateName
    reason: str
    since: datetime
    call_id: str | None
    answered: int
    aht_s: float | None
    occupancy: float | None
    satisfaction: float | None


class CallRow(View):
    """A call that waits or runs. `since`: of waiting calls when they joined, of running ones when they were taken."""

    call_id: str
    number: int | None
    business_code: str
    state: CallStateName
    since: datetime
    queued_at: datetime
    teller_id: str | None
    on_hold: bool
    limit_s: int


class AlarmRow(View):
    """An alarm that stands."""

    id: str
    kind: str
    call_id: str | None
    message: str
    raised_at: datetime


class HelpRow(View):
    """A request for help that waits for a supervisor."""

    help_id: str
    kind: Literal["help", "overtime"]
    teller_id: str
    call_id: str | None
    at: datetime


class EmergencyRow(View):
    """The emergency that lasts."""

    emergency_id: str
    drill: bool
    stop_entry: bool
    at: datetime


class WallboardView(View):
    """The whole wallboard, sent on every change, at most once a second."""

    at: datetime
    aims: Aims
    total: QueueRow
    queues: list[QueueRow]
    tellers: list[TellerRow]
    waiting: list[CallRow]
    running: list[CallRow]
    alarms: list[AlarmRow]
    help: list[HelpRow]
    emergency: EmergencyRow | None


class WallboardSource(Protocol):
    """What signaling asks of server.wallboard."""

    async def view(self) -> WallboardView:
        """The wallboard now."""
        ...

    def changes(self) -> AsyncIterator[WallboardView]:
        """The wallboard whenever something has changed, at most once a second; never ends."""
        ...


class QueueClearing(Protocol):
    """What server.wallboard asks of server.calls in an emergency."""

    async def reschedule_waiting(self, actor: Actor) -> int:
        """Send everybody who waits away, keeping what they have waited for when they come again.

        Returns:
            How many were sent away.
        """
        ...


class TellerOversight(Protocol):
    """What server.wallboard asks of server.acd."""

    async def force_state(self, actor: Actor, teller_id: str, state: Literal["ready", "break", "offline"]) -> None:
        """Move a teller who is not in a call to a state; the teller sees who did it.

        Raises:
            NotFoundError: ``teller.not_found``. ConflictError: ``presence.in_call``.
        """
        ...

    async def reassign(self, actor: Actor, call_id: str, teller_id: str) -> None:
        """Ring this ready teller for this waiting call now.

        Raises:
            NotFoundError: ``call.not_found``, ``teller.not_found``. ConflictError: ``call.stale``, ``teller.stale``.
        """
        ...
