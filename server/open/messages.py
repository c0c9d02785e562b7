"""What a webhook is told and how it is signed. Pure."""

import hashlib
import hmac
import json

from core.events import (
    CallAccepted,
    CallConnected,
    CallEnded,
    CallEvent,
    CallQueued,
    CallScored,
    RecordingFinalized,
    VoucherIssued,
)

SIGNATURE_HEADER = "AirCounter-Signature"
EVENT_HEADER = "AirCounter-Event"
DELIVERY_HEADER = "AirCounter-Delivery"

EVENTS: dict[type[CallEvent], str] = {
    CallQueued: "call.queued",
    CallAccepted: "call.accepted",
    CallConnected: "call.connected",
    CallEnded: "call.ended",
    RecordingFinalized: "recording.ready",
    CallScored: "result.ready",
    VoucherIssued: "voucher.issued",
}
"""Facts that travel, with their public names. Names are part of the interface; facts may be renamed inside."""


def body_of(delivery_id: str, event: CallEvent, reference: str | None) -> str:
    """The message as JSON. It names things and carries no personal data: details are fetched with the key."""
    data: dict[str, object] = {}
    if isinstance(event, CallEnded):
        data = {"reason": event.reason, "was_answered": event.was_answered}
    elif isinstance(event, VoucherIssued):
        data = {"voucher_id": event.voucher_id}
    message = {
        "id": delivery_id,
        "event": EVENTS[type(event)],
        "at": event.at.isoformat(),
        "call_id": event.call_id,
        "reference": reference,
        "data": data,
    }
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def signature(secret: str, at_s: int, body: bytes) -> str:
    """Value of the signature header: ``t=<Unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">``.

    The time is signed, so that whoever checks it can refuse what was recorded and sent again later.
    """
    digest = hmac.new(secret.encode(), str(at_s).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={digest}"
