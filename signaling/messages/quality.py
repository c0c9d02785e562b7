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


CUSTOMER_QUALITY = Push("media.quality", CustomerQuality)
TELLER_QUALITY = Push("media.quality", TellerQuality)
