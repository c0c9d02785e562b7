"""From the board to what the page shows. Pure: the board, names and a moment make a view."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from core.figures.definitions import (
    DEFAULT_LIMIT_S,
    SERVICE_LEVEL_S,
    Tally,
    abandon_rate,
    aht_s,
    answer_rate,
    asa_s,
    ms,
    occupancy,
    satisfaction,
    service_level,
)
from core.ports.call_views import CallStateName, TellerStateName
from core.ports.wallboard import (
    Aims,
    AlarmRow,
    CallRow,
    EmergencyRow,
    Figures,
    HelpRow,
    QueueRow,
    TellerRow,
    WallboardView,
)
from server.wallboard.board import ANSWER_AIM, LEVEL_AIM, Board, judged
from server.wallboard.facts import RUNNING, WAITING, CallFacts, QueueFacts, TellerFacts

LONGEST_WAIT_S = 300
SHOWN_CALLS = 60
BUSY = ("offered", "in_call", "wrap_up")
AIMS = Aims(
    service_level_s=SERVICE_LEVEL_S, service_level=LEVEL_AIM, answer_rate=ANSWER_AIM, longest_wait_s=LONGEST_WAIT_S
)
_CALL_STATES: dict[str, CallStateName] = {
    "queued": "queued",
    "offered": "offered",
    "accepted": "accepted",
    "connected": "connected",
    "wrap_up": "wrap_up",
    "closed": "closed",
}
_TELLER_STATES: dict[str, TellerStateName] = {
    "offline": "offline",
    "ready": "ready",
    "offered": "offered",
    "in_call": "in_call",
    "wrap_up": "wrap_up",
    "break": "break",
}


@dataclass(frozen=True, slots=True)
class Names:
    """How businesses ``(zh, en)`` and tellers ``(name, number)`` are called, in the order they are shown."""

    businesses: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    tellers: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def figures_of(tally: Tally) -> Figures:
    """The ratios of a tally."""
    return Figures(
        offered=tally.offered,
        answered=tally.answered,
        abandoned=tally.abandoned,
        short_abandoned=tally.short_abandoned,
        service_level=service_level(tally),
        answer_rate=answer_rate(tally),
        abandon_rate=abandon_rate(tally),
        asa_s=asa_s(tally),
        aht_s=aht_s(tally),
        satisfaction=satisfaction(tally),
        rated=tally.rated,
        overtime=tally.overtime,
    )


def wallboard_view(board: Board, names: Names, now: datetime) -> WallboardView:
    """Everything the page shows."""
    live = [call for call in board.calls.values() if call.state in WAITING + RUNNING]
    waiting = sorted((call for call in live if call.state in WAITING), key=lambda call: (call.queued_at, call.call_id))
    running = sorted((call for call in live if call.state in RUNNING), key=_taken_at)
    codes = [*names.businesses, *(code for code in board.queues if code not in names.businesses)]
    in_call = {call.teller_id: call.call_id for call in running}
    return WallboardView(
        at=now,
        aims=AIMS,
        total=_queue("", ("全部", "All"), live, _all(board)),
        queues=[
            _queue(
                code,
                names.businesses.get(code, (code, code)),
                [call for call in live if call.business_code == code],
                board.queues.get(code, QueueFacts()),
            )
            for code in codes
        ],
        tellers=[
            _teller(board, board.tellers[teller_id], named, in_call.get(teller_id), now)
            for teller_id, named in names.tellers.items()
            if teller_id in board.tellers
        ],
        waiting=[_call(board, call) for call in waiting[:SHOWN_CALLS]],
        running=[_call(board, call) for call in running[:SHOWN_CALLS]],
        alarms=[
            AlarmRow(
                id=alarm.alarm_id, kind=alarm.kind, call_id=alarm.call_id, message=alarm.message, raised_at=alarm.at
            )
            for alarm in sorted(board.alarms.values(), key=lambda each: each.at, reverse=True)
        ],
        help=[
            HelpRow(
                help_id=each.help_id,
                kind="overtime" if each.kind == "overtime" else "help",
                teller_id=each.teller_id,
                call_id=each.call_id,
                at=each.at,
            )
            for each in sorted(board.help.values(), key=lambda each: each.at)
        ],
        emergency=EmergencyRow(
            emergency_id=board.emergency.emergency_id,
            drill=board.emergency.drill,
            stop_entry=board.emergency.stop_entry,
            at=board.emergency.at,
        )
        if board.emergency
        else None,
    )


def _all(board: Board) -> QueueFacts:
    """All queues together; bad since the first of them is bad."""
    total = judged(QueueFacts(Tally.sum(queue.tally for queue in board.queues.values())), board.day_start)
    levels = [queue.level_bad_since for queue in board.queues.values() if queue.level_bad_since]
    answers = [queue.answers_bad_since for queue in board.queues.values() if queue.answers_bad_since]
    return QueueFacts(
        total.tally,
        min(levels, default=None) if total.level_bad_since else None,
        min(answers, default=None) if total.answers_bad_since else None,
    )


def _queue(code: str, names: tuple[str, str], live: list[CallFacts], queue: QueueFacts) -> QueueRow:
    waiting = [call for call in live if call.state in WAITING]
    return QueueRow(
        business_code=code,
        name_zh=names[0],
        name_en=names[1],
        waiting=len(waiting),
        ringing=sum(call.state == "offered" for call in live),
        running=sum(call.state in RUNNING for call in live),
        longest_since=min((call.queued_at for call in waiting), default=None),
        figures=figures_of(queue.tally),
        service_level_bad_since=queue.level_bad_since,
        answer_rate_bad_since=queue.answers_bad_since,
    )


def _teller(board: Board, teller: TellerFacts, named: tuple[str, str], call_id: str | None, now: datetime) -> TellerRow:
    tally = board.tallies.get(teller.teller_id, Tally())
    return TellerRow(
        teller_id=teller.teller_id,
        display_name=named[0],
        staff_number=named[1],
        state=_TELLER_STATES[teller.state],
        reason=teller.reason,
        since=teller.since,
        call_id=call_id,
        answered=tally.answered,
        aht_s=aht_s(tally),
        occupancy=teller_occupancy(teller, board.day_start, now),
        satisfaction=satisfaction(tally),
    )


def teller_occupancy(teller: TellerFacts, day_start: datetime, now: datetime) -> float | None:
    """Today's, up to now."""
    spent = dict(teller.spent_ms)
    spent[teller.state] = spent.get(teller.state, 0) + max(0, ms(now - max(teller.since, day_start)))
    return occupancy(sum(spent.get(state, 0) for state in BUSY), spent.get("ready", 0))


def _call(board: Board, call: CallFacts) -> CallRow:
    return CallRow(
        call_id=call.call_id,
        number=call.number,
        business_code=call.business_code,
        state=_CALL_STATES[call.state],
        since=_taken_at(call),
        queued_at=call.queued_at,
        teller_id=call.teller_id if call.state in RUNNING else None,
        on_hold=call.held_since is not None,
        limit_s=board.limits_s.get(call.business_code, DEFAULT_LIMIT_S),
    )


def _taken_at(call: CallFacts) -> datetime:
    return call.accepted_at or call.queued_at
