"""What signaling asks of the counter room, and the views of a piece of business that travel to both pages."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Literal, Protocol

from core.ports.call_views import View
from core.security.actor import Actor

CaseStateName = Literal["running", "done", "stopped", "cancelled"]
StepStateName = Literal["pending", "active", "waiting", "done", "not_needed", "stopped", "rolled_back"]
DoerName = Literal["customer", "teller", "reviewer", "system"]


class StepView(View):
    """One step as one side sees it.

    Attributes:
        reason: Stable code: why it was returned, waits or was stopped. note: The same in a person's words.
        actions: What this side may do in it now.
        details: As the step's kind defines (docs/counter.md).
    """

    key: str
    kind: str
    doer: DoerName
    title_zh: str
    title_en: str
    plain_zh: str
    plain_en: str
    state: StepStateName
    reason: str | None
    note: str
    attempts: int
    actions: list[str]
    details: dict[str, Any]


class CaseView(View):
    """A piece of business as one side sees it, always whole.

    Attributes:
        version: To be named by every act; an act on an older one is refused.
        blocked: Stable code: why no step can be done right now, e.g. ``step.recording_not_running``.
        customer_class: ``minor``, ``adult`` or ``elderly`` once the ID card is read; only the teller sees it.
    """

    case_id: str
    call_id: str
    business_code: str
    name_zh: str
    name_en: str
    plain_zh: str
    plain_en: str
    fee_zh: str
    fee_en: str
    flow_version: int
    version: int
    state: CaseStateName
    end_reason: str | None
    started_at: datetime
    deadline_at: datetime
    overdue: bool
    ended_at: datetime | None
    identity_level: int
    customer_class: str | None
    blocked: str | None
    steps: list[StepView]


class BusinessChoice(View):
    """A business the teller can begin. `asked`: the customer queued for it."""

    code: str
    name_zh: str
    name_en: str
    time_limit_s: int
    asked: bool


class CaseDesk(Protocol):
    """What signaling asks. Both sides name the call or case; rows of others are not found."""

    async def customer_case(self, actor: Actor) -> CaseView | None:
        """The newest case of the visit's call."""
        ...

    async def teller_case(self, actor: Actor, call_id: str) -> CaseView | None:
        """The newest case of the teller's call. NotFoundError ``call.not_found``."""
        ...

    async def choices(self, actor: Actor, call_id: str) -> list[BusinessChoice]:
        """What can be begun in the teller's call. NotFoundError ``call.not_found``."""
        ...

    async def start(self, actor: Actor, call_id: str, business_code: str) -> CaseView:
        """Begin a business in the teller's running call.

        Raises:
            NotFoundError: ``call.not_found``, ``business.not_found``.
            ConflictError: ``case.running``, ``step.…`` (a precondition, see docs/counter.md).
        """
        ...

    async def act(
        self, actor: Actor, case_id: str, step: str, version: int, action: str, inputs: Mapping[str, Any]
    ) -> CaseView:
        """Do something in the open step.

        Raises:
            NotFoundError: ``case.not_found``. ConflictError: ``case.stale``, ``case.ended``, ``step.not_open`` …
            DeniedError: ``step.not_yours``. BadInputError: ``input.invalid``.
        """
        ...

    async def back(self, actor: Actor, case_id: str, step: str, version: int, reason: str) -> CaseView:
        """The teller opens an earlier step again; what was done since is undone."""
        ...

    async def cancel(self, actor: Actor, case_id: str, version: int, reason: str) -> CaseView:
        """The teller gives the business up; what was done is undone."""
        ...

    async def versions(self, visit_ids: Collection[str], staff_ids: Collection[str]) -> list["CaseHead"]:
        """The newest cases of the running calls among these people, to catch up with lost pushes."""
        ...

    async def both_views(self, case_id: str) -> "CaseViews | None":
        """Both sides' views, for pushing."""
        ...


class CaseHead(View):
    """Whom a case is for, and its newest version."""

    case_id: str
    version: int
    blocked: str | None
    visit_id: str
    teller_id: str | None


class CaseViews(View):
    """Both sides' views of one case, and whom they are for."""

    visit_id: str
    teller_id: str | None
    customer: CaseView
    teller: CaseView
