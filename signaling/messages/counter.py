"""Business done during a call: the case, its steps, and what both sides do in them."""

from typing import Annotated, Any

from pydantic import Field

from core.ports.counter import BusinessChoice, CaseView
from core.security.permissions import Permission
from signaling.messages.base import Empty, Message, Payload, Push, Request
from signaling.messages.media import Id

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
Reason = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]


class StepAct(Request):
    """Something done in the open step; `inputs` as the step's kind and action define (docs/counter.md)."""

    case_id: Id
    step: Key
    version: Version
    action: Key
    inputs: Annotated[dict[str, Any], Field(max_length=40)] = Field(default_factory=dict)


class CounterGet(Request):
    """Which call."""

    call_id: Id


class CounterStart(Request):
    """Which business to begin in which call."""

    call_id: Id
    business_code: Key


class CounterBack(Request):
    """Open an earlier step again."""

    case_id: Id
    step: Key
    version: Version
    reason: Reason


class CounterCancel(Request):
    """Give the business up."""

    case_id: Id
    version: Version
    reason: Reason


class CustomerCase(Payload):
    """The newest business of the call; null when none was begun."""

    case: CaseView | None


class TellerCase(Payload):
    """The same for the teller, with the call it belongs to."""

    call_id: str
    case: CaseView | None


class TellerCounter(TellerCase):
    """With what can be begun."""

    choices: list[BusinessChoice]


CUSTOMER_GET = Message("counter.get", Permission.VISIT_OWN, Empty, CustomerCase)
CUSTOMER_ACT = Message("counter.act", Permission.VISIT_OWN, StepAct, CustomerCase)
TELLER_GET = Message("counter.get", Permission.CALL_TAKE, CounterGet, TellerCounter)
START = Message("counter.start", Permission.CALL_TAKE, CounterStart, TellerCase)
TELLER_ACT = Message("counter.act", Permission.CALL_TAKE, StepAct, TellerCase)
BACK = Message("counter.back", Permission.CALL_TAKE, CounterBack, TellerCase)
CANCEL = Message("counter.cancel", Permission.CALL_TAKE, CounterCancel, TellerCase)

CUSTOMER_CASE = Push("counter.state", CustomerCase)
TELLER_CASE = Push("counter.state", TellerCase)
