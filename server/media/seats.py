"""Who hears and sees whom. Decided here and nowhere else."""

from core.ports.media import Seat

_SOURCES: dict[Seat, tuple[Seat, ...]] = {
    Seat.CUSTOMER: (Seat.TELLER,),
    Seat.TELLER: (Seat.CUSTOMER,),
}
"""For each listener the seats it hears and sees, in the order of the slots of its offer."""


def sources_of(listener: Seat) -> tuple[Seat, ...]:
    """The seats whose sound and picture a seat gets, one per slot of its offer."""
    return _SOURCES[listener]


def hears(listener: Seat, speaker: Seat) -> bool:
    """Whether packets of `speaker` may ever reach `listener`."""
    return speaker in _SOURCES[listener]
