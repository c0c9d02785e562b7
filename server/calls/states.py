"""The life of a call as a pure table."""

from core.errors import ConflictError
from core.models.call import Call, CallState

MOVES: dict[CallState, frozenset[CallState]] = {
    CallState.QUEUED: frozenset({CallState.OFFERED, CallState.CLOSED}),
    CallState.OFFERED: frozenset({CallState.QUEUED, CallState.ACCEPTED, CallState.CLOSED}),
    CallState.ACCEPTED: frozenset({CallState.CONNECTED, CallState.QUEUED, CallState.WRAP_UP}),
    # Handed on: into the queue, or to another teller whose media are not there yet.
    CallState.CONNECTED: frozenset({CallState.ACCEPTED, CallState.QUEUED, CallState.WRAP_UP}),
    CallState.WRAP_UP: frozenset({CallState.CLOSED}),
    CallState.CLOSED: frozenset(),
}

WAITING = frozenset({CallState.QUEUED, CallState.OFFERED})
RUNNING = frozenset({CallState.ACCEPTED, CallState.CONNECTED})
ENDED = frozenset({CallState.WRAP_UP, CallState.CLOSED})


def require_move(state: CallState, to: CallState) -> None:
    """Raise ConflictError ``call.illegal_move`` unless the table allows the move."""
    if to not in MOVES[state]:
        raise ConflictError(f"a call cannot go from {state} to {to}", code="call.illegal_move", state=state.value)


def state_after_end(state: CallState) -> CallState:
    """Where a call goes when it ends: an answered one still needs its disposition.

    Raises:
        ConflictError: ``call.illegal_move`` when it has ended already.
    """
    if state in ENDED:
        raise ConflictError("the call has ended already", code="call.illegal_move", state=state.value)
    return CallState.WRAP_UP if state in RUNNING else CallState.CLOSED


def move(call: Call, to: CallState) -> None:
    """Change a locked row's state, if the table allows it."""
    require_move(CallState(call.state), to)
    call.state = to
    call.version += 1
