"""The wallboard's fold: a fresh board plus facts is the next fresh board, whatever happens in the centre."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core import events
from core.figures.definitions import Tally
from core.ports.wallboard import WallboardView
from server.wallboard.board import Board, stepped
from server.wallboard.facts import CallFacts, HelpFacts, TellerFacts
from server.wallboard.figures import Names, teller_occupancy, wallboard_view

DAY = datetime(2026, 3, 2, tzinfo=UTC)
START = DAY + timedelta(hours=9)
TELLERS = ("t1", "t2")
BUSINESSES = ("transfer", "wealth")


@dataclass
class Centre:
    """A centre in miniature: rows as the rooms would store them, and the facts they would tell."""

    now: datetime = START
    calls: dict[str, CallFacts] = field(default_factory=dict)
    tellers: dict[str, TellerFacts] = field(default_factory=dict)
    help: dict[str, HelpFacts] = field(default_factory=dict)
    facts: list[events.Event] = field(default_factory=list)

    def board(self) -> Board:
        return Board.of(DAY, {"wealth": 60}, self.calls.values(), self.tellers.values(), (), self.help.values())

    def _tell(self, fact: events.Event) -> None:
        self.facts.append(fact)

    def _store(self, call: CallFacts, **changes: object) -> None:
        self.calls[call.call_id] = replace(call, state_at=self.now, **changes)  # type: ignore[arg-type]

    def teller(self, which: int, state: str) -> None:
        teller_id = TELLERS[which % len(TELLERS)]
        fact = events.TellerStateChanged(at=self.now, teller_id=teller_id, state=state, reason="")
        self.tellers[teller_id] = stepped(self.tellers.get(teller_id), fact, DAY)
        self._tell(fact)

    def queue(self, which: int) -> None:
        number = len(self.calls) + 1
        code, call_id = BUSINESSES[which % len(BUSINESSES)], f"call_{number}"
        self.calls[call_id] = CallFacts(call_id, number, code, "queued", self.now, self.now)
        self._tell(events.CallQueued(at=self.now, call_id=call_id, business_code=code, number=number))

    def step(self, which: int, choice: int) -> None:
        """The next legal thing for one of the calls."""
        if not self.calls:
            return
        call = list(self.calls.values())[which % len(self.calls)]
        moves = {
            "queued": [self._offer, self._end],
            "offered": [self._accept, self._lapse, self._end],
            "accepted": [self._connect, self._end],
            "connected": [self._hold, self._end],
            "wrap_up": [self._wrap_up, self._rate],
            "closed": [self._rate],
        }[call.state]
        moves[choice % len(moves)](call, TELLERS[choice % 2])

    def _offer(self, call: CallFacts, teller_id: str) -> None:
        self._store(call, state="offered")
        self._tell(
            events.CallOffered(
                at=self.now, call_id=call.call_id, offer_id="o", teller_id=teller_id, expires_at=self.now
            )
        )

    def _lapse(self, call: CallFacts, teller_id: str) -> None:
        self._store(call, state="queued")
        fact = events.OfferLapsed(
            at=self.now, call_id=call.call_id, offer_id="o", teller_id=teller_id, outcome="timeout"
        )
        self._tell(fact)

    def _accept(self, call: CallFacts, teller_id: str) -> None:
        self._store(call, state="accepted", accepted_at=self.now, teller_id=teller_id)
        self._tell(events.CallAccepted(at=self.now, call_id=call.call_id, offer_id="o", teller_id=teller_id))

    def _connect(self, call: CallFacts, _: str) -> None:
        self._store(call, state="connected")
        self._tell(events.CallConnected(at=self.now, call_id=call.call_id))

    def _hold(self, call: CallFacts, _: str) -> None:
        teller_id = call.teller_id or ""
        if call.held_since is None:
            self.calls[call.call_id] = replace(call, holds=(*call.holds, (self.now, None)))
            self._tell(events.CallHeld(at=self.now, call_id=call.call_id, teller_id=teller_id))
        else:
            self._close_hold(call)
            self._tell(events.CallResumed(at=self.now, call_id=call.call_id, teller_id=teller_id))

    def _close_hold(self, call: CallFacts) -> CallFacts:
        if call.held_since is not None:
            call = replace(call, holds=(*call.holds[:-1], (call.holds[-1][0], self.now)))
            self.calls[call.call_id] = call
        return call

    def _end(self, call: CallFacts, _: str) -> None:
        call = self._close_hold(call)
        talked = call.state in ("accepted", "connected")
        state = "wrap_up" if talked else "closed"
        self._store(call, state=state, ended_at=self.now, closed_at=None if talked else self.now)
        answered = call.accepted_at is not None
        ended = events.CallEnded(
            at=self.now, call_id=call.call_id, reason="x", teller_id=call.teller_id, was_answered=answered
        )
        self._tell(ended)

    def _wrap_up(self, call: CallFacts, _: str) -> None:
        self._store(call, state="closed", closed_at=self.now)
        fact = events.CallWrappedUp(
            at=self.now, call_id=call.call_id, teller_id=call.teller_id or "", disposition="resolved"
        )
        self._tell(fact)

    def _rate(self, call: CallFacts, _: str) -> None:
        if call.stars is None:
            self.calls[call.call_id] = replace(call, stars=3)
            self._tell(events.CallRated(at=self.now, call_id=call.call_id, stars=3))

    def ask(self, which: int) -> None:
        help_id = f"help_{which}"
        if help_id in self.help:
            del self.help[help_id]
            self._tell(events.HelpAnswered(at=self.now, help_id=help_id, teller_id="t1", by_name="x"))
        else:
            self.help[help_id] = HelpFacts(help_id, "help", "t1", None, self.now)
            self._tell(events.HelpRequested(at=self.now, help_id=help_id, kind="help", teller_id="t1", call_id=None))


STEP = st.tuples(
    st.sampled_from(["queue", "queue", "step", "step", "step", "step", "teller", "ask"]),
    st.integers(0, 40),
    st.integers(0, 5),
    st.integers(1, 40_000),
)


def live(steps: list[tuple[str, int, int, int]], cut: int) -> tuple[Centre, Board, int]:
    """A centre that has lived through the steps, its board after `cut` of them, and the facts told by then."""
    centre = Centre()
    board, told = centre.board(), 0
    for number, (what, which, choice, pause_ms) in enumerate(steps):
        if number == cut:
            board, told = centre.board(), len(centre.facts)
        centre.now += timedelta(milliseconds=pause_ms)
        if what == "queue":
            centre.queue(which)
        elif what == "step":
            centre.step(which, choice)
        elif what == "teller":
            centre.teller(which, ("ready", "break", "in_call", "offline")[choice % 4])
        else:
            centre.ask(which % 2)
    return centre, board, told


def everything(board: Board, now: datetime) -> WallboardView:
    names = Names({code: (code, code) for code in BUSINESSES}, {each: (each, each) for each in TELLERS})
    return wallboard_view(board, names, now)


@given(st.lists(STEP, max_size=60), st.integers(0, 60))
def test_snapshot_plus_facts_is_the_fresh_snapshot(steps: list[tuple[str, int, int, int]], cut: int) -> None:
    centre, board, told = live(steps, cut)
    for fact in centre.facts[told:]:
        board.apply(fact)
    fresh = centre.board()
    assert board == fresh
    assert everything(board, centre.now) == everything(fresh, centre.now)


@given(st.lists(STEP, max_size=40))
def test_sums_are_those_of_the_calls(steps: list[tuple[str, int, int, int]]) -> None:
    centre, board, _ = live(steps, 0)
    for fact in centre.facts:
        board.apply(fact)
    total = Tally.sum(queue.tally for queue in board.queues.values())
    assert total.offered == len(centre.calls)
    assert total.answered == sum(call.accepted_at is not None for call in centre.calls.values())
    by_teller = Tally.sum(board.tallies.values())
    assert (by_teller.answered, by_teller.handled, by_teller.talk_ms) == (total.answered, total.handled, total.talk_ms)
    assert total.talk_ms + total.hold_ms >= 0


def test_what_is_bad_says_since_when() -> None:
    centre = Centre()
    for number in range(6):
        centre.queue(0)
        centre.step(number, 0)  # offered
        centre.now += timedelta(seconds=60)
        centre.step(number, 0)  # accepted after a minute
    row = everything(centre.board(), centre.now).queues[0]
    assert row.figures.service_level == 0
    assert row.service_level_bad_since == START + timedelta(seconds=300)  # with the fifth call it was certain
    assert row.answer_rate_bad_since is None
    assert row.figures.asa_s == 60


def test_an_older_fact_turns_nothing_back() -> None:
    centre = Centre()
    centre.queue(0)
    for _ in range(2):
        centre.now += timedelta(seconds=1)
        centre.step(0, 0)
    board = centre.board()
    board.apply(events.CallOffered(at=START, call_id="call_1", offer_id="o", teller_id="t2", expires_at=START))
    assert board.calls["call_1"].state == "accepted"
    centre.step(0, 1)
    board.apply(centre.facts[-1])
    board.apply(events.CallConnected(at=centre.now, call_id="call_1"))
    assert board.calls["call_1"].state == "wrap_up"


def test_occupancy_leaves_breaks_out() -> None:
    teller = TellerFacts("t1", "ready", "", START + timedelta(minutes=30), {"in_call": 600_000, "break": 900_000})
    assert teller_occupancy(teller, DAY, START + timedelta(minutes=40)) == 0.5
    assert teller_occupancy(TellerFacts("t2", "break", "", START), DAY, START + timedelta(hours=1)) is None
