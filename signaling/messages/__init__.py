"""Every message of the socket protocol (docs/protocol.md), one file per family."""

from signaling.messages import alarms, call, captions, media, offer, presence, quality, queue, recording
from signaling.messages.base import Message, Push

CUSTOMER = "/customer"
STAFF = "/staff"

MESSAGES: dict[str, tuple[Message, ...]] = {
    CUSTOMER: (
        queue.JOIN,
        queue.LEAVE,
        queue.SNAPSHOT,
        media.CUSTOMER_JOIN,
        media.CUSTOMER_ANSWER,
        call.CUSTOMER_HANG_UP,
        captions.SET,
    ),
    STAFF: (
        presence.SET,
        presence.GET,
        offer.ACCEPT,
        offer.DECLINE,
        media.TELLER_JOIN,
        media.TELLER_ANSWER,
        media.TELLER_SHARE,
        recording.PAUSE,
        call.TELLER_HANG_UP,
        call.HOLD,
        call.WRAP_UP,
    ),
}

PUSHES: dict[str, tuple[Push, ...]] = {
    CUSTOMER: (
        queue.CUSTOMER_STATE,
        captions.CUSTOMER_CAPTION,
        media.CUSTOMER_NOTICE,
        quality.CUSTOMER_QUALITY,
        quality.CUSTOMER_PROFILE,
    ),
    STAFF: (
        presence.PRESENCE,
        offer.RING,
        offer.END,
        call.TELLER_STATE,
        captions.TELLER_CAPTION,
        captions.SCRIPT,
        media.TELLER_NOTICE,
        quality.TELLER_QUALITY,
        quality.TELLER_PROFILE,
        alarms.ALARM,
    ),
}

__all__ = ["CUSTOMER", "MESSAGES", "PUSHES", "STAFF", "Message", "Push"]
