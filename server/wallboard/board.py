"""The wallboard's fold: a state and facts make the next state. No I/O and no clock in here.

``Board.of(rows) + facts == Board.of(later rows)``, whatever order ratings, holds and ends come in; a fact that is older
than what is known does not turn anything back.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from core import events
from core.figures.definitions import DEFAULT_LIMIT_S, Tally, answer_rate, decided, ms, service_level, tally_of
from server.wallboard.facts import (
    RUNNING,
    AlarmFacts,
    CallFacts,
    EmergencyFacts,
    HelpFacts,
    QueueFacts,
    TellerFacts,
)

LEVEL_AIM = 0.72  # national figure for 20 seconds
ANSWER_AIM = 0.95
ENOUGH = 5  # so many decided calls, before a share is called bad


@dataclass(slots=True)
class Board:
    """Everything the wallboard shows, except names.

    Attributes:
        day_start: Calls that came before it are shown while they run, and not counted.
        limits_s: Time limit by business; one that is missing has the default.
        queues: By business. tallies: By teller.
    """

    day_start: datetime
    limits_s: Mapping[str, int] = field(default_factory=dict)
    calls: dict[str, CallFacts] = field(default_factory=dict)
    queues: dict[str, QueueFacts] = field(default_factory=dict)
    tellers: dict[str, TellerFacts] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=dict)
    alarms: dict[str, AlarmFacts] = field(default_factory=dict)
    help: dict[str, HelpFacts] = field(default_factory=dict)
    emergency: EmergencyFacts | None = None

    @classmethod
    def of(
        cls,
        day_start: datetime,
        limits_s: Mapping[str, int],
        calls: Iterable[CallFacts] = (),
        tellers: Iterable[TellerFacts] = (),
        alarms: Iterable[AlarmFacts] = (),
        help_requests: Iterable[HelpFacts] = (),
        emergency: EmergencyFacts | None = None,
    ) -> "Board":
        """The board these records make. Calls are taken in the order of their fate, as facts would have told it."""
        board = cls(day_start, limits_s, emergency=emergency)
        last = datetime.max.replace(tzinfo=day_start.tzinfo)
        for call in sorted(calls, key=lambda each: (each.decided_at or last, each.call_id)):
            board._put(call, call.decided_at)
        board.tellers = {teller.teller_id: teller for teller in tellers}
        board.alarms = {alarm.alarm_id: alarm for alarm in alarms}
        board.help = {request.help_id: request for request in help_requests}
        return board

    def apply(self, fact: events.Event) -> bool:
        """Take a fact in. Returns whether the board listens to such facts."""
        handler = _HANDLERS.get(type(fact))
        if handler is None:
            return False
        handler(self, fact)
        return True

    # --- calls --------------------------------------------------------------------------------------------------

    def _put(self, call: CallFacts, decided_at: datetime | None) -> None:
        """Replace a call's record; sums change by the difference. `decided_at`: its fate became known just now."""
        before = self.calls.get(call.call_id)
        self.calls[call.call_id] = call
        if call.queued_at < self.day_start:
            return
        limit_s = self.limits_s.get(call.business_code, DEFAULT_LIMIT_S)
        new = tally_of(call.times(limit_s))
        old = tally_of(before.times(limit_s)) if before else Tally()
        queue = self.queues.get(call.business_code, QueueFacts())
        queue = replace(queue, tally=queue.tally - old + new)
        if decided_at is not None:
            queue = judged(queue, decided_at)
        self.queues[call.business_code] = queue
        if before is not None and before.teller_id is not None:
            self._add(before.teller_id, Tally() - old)
        if call.teller_id is not None:
            self._add(call.teller_id, new)

    def _add(self, teller_id: str, tally: Tally) -> None:
        total = self.tallies.get(teller_id, Tally()) + tally
        if total == Tally():
            self.tallies.pop(teller_id, None)
        else:
            self.tallies[teller_id] = total

    def _queued(self, fact: events.CallQueued) -> None:
        if fact.call_id not in self.calls:
            call = CallFacts(fact.call_id, fact.number, fact.business_code, "queued", fact.at, fact.at)
            self._put(call, None)

    def _move(self, fact: events.CallEvent, state: str, only_from: str | None = None) -> None:
        call = self.calls.get(fact.call_id)
        if call is None or call.ended_at is not None or fact.at < call.state_at:
            return
        if only_from is None or call.state == only_from:
            self._put(replace(call, state=state, state_at=fact.at), None)

    def _offered(self, fact: events.CallOffered) -> None:
        self._move(fact, "offered")

    def _lapsed(self, fact: events.OfferLapsed) -> None:
        self._move(fact, "queued", only_from="offered")

    def _accepted(self, fact: events.CallAccepted) -> None:
        call = self.calls.get(fact.call_id)
        if call is None or call.ended_at is not None:
            return
        first = call.accepted_at is None
        call = replace(
            call, state="accepted", state_at=fact.at, accepted_at=call.accepted_at or fact.at, teller_id=fact.teller_id
        )
        self._put(call, fact.at if first else None)

    def _transferred(self, fact: events.CallTransferred) -> None:
        call = self.calls.get(fact.call_id)
        if call is None or call.ended_at is not None or fact.at < call.state_at:
            return
        holds = call.holds
        if call.held_since is not None:
            holds = (*holds[:-1], (holds[-1][0], fact.at))
        if fact.kind == "consult":
            call = replace(call, teller_id=fact.to_teller_id, state_at=fact.at, holds=holds)
        else:  # it waits again; who takes it next is a new fact
            call = replace(call, state="queued", teller_id=None, state_at=fact.at, holds=holds)
        self._put(call, None)

    def _connected(self, fact: events.CallConnected) -> None:
        self._move(fact, "connected")

    def _held(self, fact: events.CallHeld) -> None:
        call = self.calls.get(fact.call_id)
        if call is not None and call.ended_at is None and call.held_since is None:
            self._put(replace(call, holds=(*call.holds, (fact.at, None))), None)

    def _resumed(self, fact: events.CallResumed) -> None:
        call = self.calls.get(fact.call_id)
        if call is not None and call.held_since is not None:
            self._put(replace(call, holds=(*call.holds[:-1], (call.holds[-1][0], fact.at))), None)

    def _ended(self, fact: events.CallEnded) -> None:
        call = self.calls.get(fact.call_id)
        if call is None or call.ended_at is not None:
            return
        holds = call.holds
        if call.held_since is not None:
            holds = (*holds[:-1], (holds[-1][0], fact.at))
        talked = call.state in RUNNING
        call = replace(
            call,
            state="wrap_up" if talked else "closed",
            state_at=fact.at,
            ended_at=fact.at,
            closed_at=None if talked else fact.at,
            holds=holds,
        )
        self._put(call, fact.at if call.accepted_at is None else None)

    def _wrapped_up(self, fact: events.CallWrappedUp) -> None:
        call = self.calls.get(fact.call_id)
        if call is not None and call.closed_at is None:
            self._put(replace(call, state="closed", state_at=fact.at, closed_at=fact.at), None)

    def _rated(self, fact: events.CallRated) -> None:
        call = self.calls.get(fact.call_id)
        if call is not None and call.stars is None:
            self._put(replace(call, stars=fact.stars), None)

    # --- everything else ----------------------------------------------------------------------------------------

    def _teller(self, fact: events.TellerStateChanged) -> None:
        before = self.tellers.get(fact.teller_id)
        self.tellers[fact.teller_id] = stepped(before, fact, self.day_start)

    def _alarm(self, fact: events.AlarmRaised) -> None:
        self.alarms[fact.alarm_id] = AlarmFacts(fact.alarm_id, fact.kind, fact.call_id, fact.message, fact.at)

    def _alarm_cleared(self, fact: events.AlarmCleared) -> None:
        self.alarms.pop(fact.alarm_id, None)

    def _help(self, fact: events.HelpRequested) -> None:
        self.help[fact.help_id] = HelpFacts(fact.help_id, fact.kind, fact.teller_id, fact.call_id, fact.at)

    def _helped(self, fact: events.HelpAnswered) -> None:
        self.help.pop(fact.help_id, None)

    def _emergency(self, fact: events.EmergencyStarted) -> None:
        self.emergency = EmergencyFacts(fact.emergency_id, fact.drill, fact.stop_entry, fact.at)

    def _emergency_over(self, fact: events.EmergencyEnded) -> None:
        if self.emergency is not None and self.emergency.emergency_id == fact.emergency_id:
            self.emergency = None


def judged(queue: QueueFacts, at: datetime) -> QueueFacts:
    """Note since when a figure is below its aim, after a call's fate became known."""
    level, answers = service_level(queue.tally), answer_rate(queue.tally)
    enough = decided(queue.tally) >= ENOUGH
    level_bad = enough and level is not None and level < LEVEL_AIM
    answers_bad = enough and answers is not None and answers < ANSWER_AIM
    return replace(
        queue,
        level_bad_since=(queue.level_bad_since or at) if level_bad else None,
        answers_bad_since=(queue.answers_bad_since or at) if answers_bad else None,
    )


def stepped(before: TellerFacts | None, fact: events.TellerStateChanged, day_start: datetime) -> TellerFacts:
    """A teller after a change of state; the time in the old one is added to today's."""
    if before is None:
        return TellerFacts(fact.teller_id, fact.state, fact.reason, fact.at)
    if fact.at < before.since:
        return before
    spent = dict(before.spent_ms)
    today = ms(fact.at - max(before.since, day_start))
    if today > 0:
        spent[before.state] = spent.get(before.state, 0) + today
    return TellerFacts(fact.teller_id, fact.state, fact.reason, fact.at, spent)


_HANDLERS: dict[type[events.Event], Callable[[Board, Any], None]] = {
    events.CallQueued: Board._queued,
    events.CallOffered: Board._offered,
    events.OfferLapsed: Board._lapsed,
    events.CallAccepted: Board._accepted,
    events.CallTransferred: Board._transferred,
    events.CallConnected: Board._connected,
    events.CallHeld: Board._held,
    events.CallResumed: Board._resumed,
    events.CallEnded: Board._ended,
    events.CallWrappedUp: Board._wrapped_up,
    events.CallRated: Board._rated,
    events.TellerStateChanged: Board._teller,
    events.AlarmRaised: Board._alarm,
    events.AlarmCleared: Board._alarm_cleared,
    events.HelpRequested: Board._help,
    events.HelpAnswered: Board._helped,
    events.EmergencyStarted: Board._emergency,
    events.EmergencyEnded: Board._emergency_over,
}
HEARD: frozenset[str] = frozenset(kind.__name__ for kind in _HANDLERS)
