"""How good the connections are."""

from typing import Annotated, Literal

from pydantic import Field

from signaling.messages.base import Payload, Push


class CustomerQuality(Payload):
    """Quality of one party's connection: 0 nothing comes, 1 poor, 2 fair, 3 good, 4 very good."""

    seat: Literal["customer", "teller"]
    bars: Annotated[int, Field(ge=0, le=4)]


class TellerQuality(CustomerQuality):
    """The same, with the call."""

    call_id: str


class CustomerProfile(Payload):
    """What a party is to send: ``hd`` 1280×720, ``vga`` 640×480, ``low`` 15 pictures/s, ``audio`` no picture.

    `why`: ``asked`` all that is wanted, ``hand`` people want no more, ``line`` the network carries no more.
    `shown`: the other party gets the picture; not while only that one's network is too bad for it.
    """

    seat: Literal["customer", "teller"]
    profile: Literal["hd", "vga", "low", "audio"]
    why: Literal["asked", "hand", "line"]
    shown: bool


class TellerProfile(CustomerProfile):
    """The same, with the call."""

    call_id: str


CUSTOMER_QUALITY = Push("media.quality", CustomerQuality)
TELLER_QUALITY = Push("media.quality", TellerQuality)
CUSTOMER_PROFILE = Push("media.profile", CustomerProfile)
TELLER_PROFILE = Push("media.profile", TellerProfile)
