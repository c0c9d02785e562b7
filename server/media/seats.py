"""Who hears and sees whom. Decided here and nowhere else."""

from dataclasses import dataclass

from core.ports.media import Seat, SupervisorMode


@dataclass(frozen=True, slots=True)
class Situation:
    """What, besides the seats themselves, decides who hears whom.

    Attributes:
        mode: How the supervisor listens in.
        on_hold: The customer hears and sees nothing of the counter.
        spared: Who gets no pictures, because the line to them carries none.
    """

    mode: SupervisorMode = SupervisorMode.MONITOR
    on_hold: bool = False
    spared: frozenset[Seat] = frozenset()


_OTHERS: dict[Seat, tuple[Seat, Seat, Seat]] = {
    Seat.CUSTOMER: (Seat.TELLER, Seat.EXPERT, Seat.SUPERVISOR),
    Seat.TELLER: (Seat.CUSTOMER, Seat.EXPERT, Seat.SUPERVISOR),
    Seat.EXPERT: (Seat.CUSTOMER, Seat.TELLER, Seat.SUPERVISOR),
    Seat.SUPERVISOR: (Seat.CUSTOMER, Seat.TELLER, Seat.EXPERT),
}
"""For each listener the seats of its slots: the other party and a third party with sound and picture, a fourth with
sound alone. A supervisor thus is heard at most, never seen."""

_SUPERVISOR_HEARD_BY: dict[SupervisorMode, frozenset[Seat]] = {
    SupervisorMode.MONITOR: frozenset(),
    SupervisorMode.WHISPER: frozenset({Seat.TELLER}),
    SupervisorMode.BARGE: frozenset({Seat.CUSTOMER, Seat.TELLER, Seat.EXPERT}),
}

_SLOTS = (("audio", "video"), ("audio2", "video2"), ("audio3", None))
"""Names of the slots (`server.media.sdp.SLOTS`) in the order of `_OTHERS`."""

SCREEN_SEAT = Seat.TELLER
"""Who may share a screen."""


def hears(listener: Seat, speaker: Seat, situation: Situation) -> bool:
    """Whether sound, picture and screen of `speaker` may reach `listener` now."""
    if listener is speaker or (listener is Seat.CUSTOMER and situation.on_hold):
        return False
    return speaker is not Seat.SUPERVISOR or listener in _SUPERVISOR_HEARD_BY[situation.mode]


def plan(listener: Seat, situation: Situation) -> dict[str, tuple[Seat, str]]:
    """For each slot of a listener's offer that is to carry something: whose stream, and which one."""
    found: dict[str, tuple[Seat, str]] = {}
    for (audio, video), speaker in zip(_SLOTS, _OTHERS[listener], strict=True):
        if hears(listener, speaker, situation):
            found[audio] = (speaker, "audio")
            if video is not None and listener not in situation.spared:
                found[video] = (speaker, "video")
    if hears(listener, SCREEN_SEAT, situation) and listener not in situation.spared:
        found["screen"] = (SCREEN_SEAT, "screen")
    return found


def publishes_screen(seat: Seat) -> bool:
    """Whether the seat's offer has a slot for a screen of its own."""
    return seat is SCREEN_SEAT


def recorded(seat: Seat, situation: Situation) -> bool:
    """Whether the seat's packets go to recorder and tap: everybody the customer may hear, and the customer."""
    return seat is not Seat.SUPERVISOR or situation.mode is SupervisorMode.BARGE
