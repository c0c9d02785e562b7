"""Notice silence long before ICE does (30 s)."""

from core.ports.media import PeerState


class Watchdog:
    """Turns the times of received packets into connected → degraded → lost and back.

    Args:
        degraded_after_s / lost_after_s: Silence until each state.
        now_ns: Start of watching; a peer that never sends counts as silent from here.
    """

    def __init__(self, degraded_after_s: float, lost_after_s: float, now_ns: int) -> None:
        self._degraded_ns = int(degraded_after_s * 1e9)
        self._lost_ns = int(lost_after_s * 1e9)
        self.heard_ns = now_ns
        self.state = PeerState.CONNECTED

    def check(self, now_ns: int) -> PeerState | None:
        """The new state if it has changed since the last check."""
        silent_ns = now_ns - self.heard_ns
        if silent_ns >= self._lost_ns:
            state = PeerState.LOST
        elif silent_ns >= self._degraded_ns:
            state = PeerState.DEGRADED
        else:
            state = PeerState.CONNECTED
        if state is self.state:
            return None
        self.state = state
        return state
