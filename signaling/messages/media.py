"""Opening a transport in one's own seat."""

from typing import Annotated, Literal

from pydantic import Field

from core.security.permissions import Permission
from signaling.messages.base import Empty, Message, Payload, Push, Request

MAX_SDP = 65_536  # characters; a real answer of two tracks has about 3 000

Id = Annotated[str, Field(min_length=1, max_length=64)]
Sdp = Annotated[str, Field(min_length=1, max_length=MAX_SDP)]


class IceServer(Payload):
    """As `RTCIceServer` of the browser."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


class MediaJoined(Payload):
    """The server's offer for a new transport. `call_id`: the call it is for; a customer's may not have begun yet."""

    call_id: str
    peer_id: str
    sdp_offer: str
    ice_servers: list[IceServer]
    ice_transport_policy: Literal["all", "relay"]


class CustomerSdpAnswer(Request):
    """The browser's complete answer, all candidates gathered."""

    peer_id: Id
    sdp_answer: Sdp


class TellerJoin(Request):
    """Which call's teller seat; None: a transport that waits for the next call."""

    call_id: Id | None = None


class TellerSdpAnswer(CustomerSdpAnswer):
    """As the customer's, for one of the teller's calls; None: for the transport that waits."""

    call_id: Id | None = None


class TellerEnter(Request):
    """Into which call to bring the transport that waited."""

    call_id: Id
    peer_id: Id


class Share(Request):
    """Which call, and whether the teller's screen is in its slot now."""

    call_id: Id
    on: bool


class CustomerPicture(Request):
    """How much picture to send at most: ``auto`` what the line carries, ``low`` 15 pictures/s, ``audio`` none."""

    most: Literal["auto", "low", "audio"]


class TellerPicture(CustomerPicture):
    """The same for one of the two cameras of the teller's call."""

    call_id: Id
    seat: Literal["customer", "teller"]


class CustomerMediaNotice(Payload):
    """How a seat's media is."""

    seat: Literal["customer", "teller"]
    state: Literal["connected", "degraded", "lost"]


class TellerMediaNotice(CustomerMediaNotice):
    """The same, with the call."""

    call_id: str


CUSTOMER_JOIN = Message("media.join", Permission.VISIT_OWN, Empty, MediaJoined)
CUSTOMER_ANSWER = Message("media.answer", Permission.VISIT_OWN, CustomerSdpAnswer, Empty)
TELLER_JOIN = Message("media.join", Permission.CALL_TAKE, TellerJoin, MediaJoined)
TELLER_ANSWER = Message("media.answer", Permission.CALL_TAKE, TellerSdpAnswer, Empty)
TELLER_ENTER = Message("media.enter", Permission.CALL_TAKE, TellerEnter, Empty)
CUSTOMER_PICTURE = Message("media.picture", Permission.VISIT_OWN, CustomerPicture, Empty)
TELLER_PICTURE = Message("media.picture", Permission.CALL_TAKE, TellerPicture, Empty)
TELLER_SHARE = Message("media.share", Permission.CALL_TAKE, Share, Empty)

CUSTOMER_NOTICE = Push("media.notice", CustomerMediaNotice)
TELLER_NOTICE = Push("media.notice", TellerMediaNotice)
