"""A ringing call."""

from typing import Literal

from core.ports.call_views import Offer, TellerCall
from core.security.permissions import Permission
from signaling.messages.base import Empty, Message, Payload, Push, Request
from signaling.messages.media import Id


class OfferChoice(Request):
    """Which offer."""

    offer_id: Id


class OfferTaken(Payload):
    """The call that is now the teller's."""

    call: TellerCall


class OfferEnd(Payload):
    """An offer rings no more."""

    offer_id: str
    outcome: Literal["timeout", "declined", "withdrawn", "accepted"]


ACCEPT = Message("offer.accept", Permission.CALL_TAKE, OfferChoice, OfferTaken)
DECLINE = Message("offer.decline", Permission.CALL_TAKE, OfferChoice, Empty)

RING = Push("offer.ring", Offer)
END = Push("offer.end", OfferEnd)
