"""Every message of the socket protocol (docs/protocol.md), one file per family."""

from signaling.messages import (
    alarms,
    call,
    captions,
    chat,
    counter,
    guest,
    media,
    offer,
    presence,
    quality,
    queue,
    recording,
    transfer,
    wallboard,
)
from signaling.messages.base import Message, Push

CUSTOMER = "/customer"
STAFF = "/staff"

MESSAGES: dict[str, tuple[Message, ...]] = {
    CUSTOMER: (
        queue.JOIN,
        queue.LEAVE,
        queue.HELP,
        queue.GO_ON_BY_VIDEO,
        queue.DECLINE_VIDEO,
        queue.SNAPSHOT,
        media.CUSTOMER_JOIN,
        media.CUSTOMER_ANSWER,
        media.CUSTOMER_PICTURE,
        call.CUSTOMER_HANG_UP,
        captions.SET,
        counter.CUSTOMER_GET,
        counter.CUSTOMER_ACT,
    ),
    STAFF: (
        presence.SET,
        presence.GET,
        offer.ACCEPT,
        offer.DECLINE,
        media.TELLER_JOIN,
        media.TELLER_ANSWER,
        media.TELLER_ENTER,
        media.TELLER_SHARE,
        media.TELLER_PICTURE,
        recording.PAUSE,
        call.TELLER_HANG_UP,
        call.HOLD,
        guest.OVERSEE,
        guest.OVERSEE_MODE,
        guest.INVITE,
        guest.GET,
        guest.MEDIA,
        guest.ANSWER,
        guest.LEAVE,
        transfer.TRANSFER,
        call.ASK_FOR_VIDEO,
        call.WRAP_UP,
        counter.TELLER_GET,
        counter.START,
        counter.TELLER_ACT,
        counter.BACK,
        counter.CANCEL,
        wallboard.GET,
    ),
}

PUSHES: dict[str, tuple[Push, ...]] = {
    CUSTOMER: (
        queue.CUSTOMER_STATE,
        queue.NOTICE,
        chat.CUSTOMER_CHAT,
        captions.CUSTOMER_CAPTION,
        media.CUSTOMER_NOTICE,
        quality.CUSTOMER_QUALITY,
        quality.CUSTOMER_PROFILE,
        counter.CUSTOMER_CASE,
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
        alarms.ALARM_CLEARED,
        counter.TELLER_CASE,
        wallboard.WALLBOARD,
        wallboard.TELLER_NOTICE,
        wallboard.HELP_TAKEN,
        guest.STATE,
        chat.TELLER_CHAT,
    ),
}

__all__ = ["CUSTOMER", "MESSAGES", "PUSHES", "STAFF", "Message", "Push"]
