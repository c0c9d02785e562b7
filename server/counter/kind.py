"""The contract of a step kind: what the engine asks of it and what it may answer.

A kind is one module in `server/counter/kinds/` with a function ``build(house: House) -> StepKind``; it is found by its
being there. In the browser it has one component per side: ``web_client/src/staff/tools/business/steps/<kind>.vue``
and ``web_client/src/customer/counter/steps/<kind>.vue``. See docs/counter.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from core.bus import Bus
from core.clock import Clock
from core.db import Database, UnitOfWork
from core.events import CaseQuestionAsked
from core.models.business import Business
from core.models.call import Call
from core.models.case import BusinessCase, CaseStep
from core.models.recording import Recording
from core.ports.identity import IdentityPorts
from core.rate_limit import RateLimiter
from core.security.keys import MasterKey
from core.security.sealing import Sealer
from core.settings import Settings
from core.store import Store
from server.counter.flows import Doer, Flow, StepSpec
from server.counter.preconditions import Circumstances

Side = Literal["customer", "teller"]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class House:
    """What kinds are built from. A field for each thing of the house that a kind may use."""

    database: Database
    clock: Clock
    store: Store
    sealer: Sealer
    master_key: MasterKey
    settings: Settings
    bus: Bus
    limiter: RateLimiter
    identity: IdentityPorts


class Inputs(BaseModel):
    """Base of what a doer hands in: nothing is converted, unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class NoInputs(Inputs):
    """Nothing to hand in."""


class Config(BaseModel):
    """Base of a step's settings in a flow."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoConfig(Config):
    """Nothing to set."""


@dataclass(frozen=True, slots=True)
class Action:
    """Something somebody may do in an open step.

    Attributes:
        doers: Who may. The review desk acts as ``reviewer`` through `Engine.resume_in`.
        while_waiting: Also while the step waits for an answer from outside.
    """

    inputs: type[BaseModel]
    doers: frozenset[Doer]
    while_waiting: bool = False


@dataclass(slots=True)
class StepData:
    """One step of a loaded case. `inputs` and `result` are opened; the engine seals them again.

    Attributes:
        held: What is sealed in the row, as JSON text: what has not changed is not written again.
    """

    row: CaseStep
    spec: StepSpec
    inputs: Json
    result: Json
    held: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a case stands in. `consent`: the visit's newest word on being recorded."""

    call: Call
    business: Business
    recording: Recording | None
    consent: bool

    def circumstances(self, now: datetime) -> Circumstances:
        """What steps depend on."""
        call, recording = self.call, self.recording
        state, paused_until = recording.state if recording else None, call.recording_paused_until
        return Circumstances(call.state, self.consent, state, call.recording_ok, paused_until, now)


@dataclass(slots=True)
class CaseData:
    """A loaded case. `data` is opened; the engine seals it again."""

    row: BusinessCase
    flow: Flow
    data: Json
    steps: list[StepData]
    scene: Scene

    def step(self, key: str) -> StepData:
        """One step. KeyError when there is none."""
        for step in self.steps:
            if step.row.key == key:
                return step
        raise KeyError(key)

    def results(self, kind: str) -> list[Json]:
        """Results of the steps of a kind that are done, in order."""
        return [step.result for step in self.steps if step.row.kind == kind and step.row.state == "done"]


@dataclass(frozen=True, slots=True)
class Step:
    """What a kind is told. It may change `case.data` and `case.row.identity_level`, add rows of its own to
    `work.session`, emit facts and write audit entries; everything else is the engine's.
    """

    work: UnitOfWork
    case: CaseData
    this: StepData
    call: Call
    config: Any
    now: datetime
    call_s: float | None

    @property
    def flow(self) -> Flow:
        """The version of the flow this case runs by."""
        return self.case.flow

    def ask(self, question: str, ref: str = "") -> None:
        """Let a job ask outside after commit; return `Waiting` as well. See `CaseQuestionAsked`."""
        self.work.emit(
            CaseQuestionAsked(
                at=self.now,
                call_id=self.case.row.call_id,
                call_s=self.call_s,
                case_id=self.case.row.id,
                step=self.this.row.key,
                kind=self.this.row.kind,
                attempt=self.this.row.attempts,
                question=question,
                ref=ref,
            )
        )


@dataclass(frozen=True, slots=True)
class Stay:
    """Open as before; something of it has changed. `None` keeps what was stored."""

    result: Json | None = None
    inputs: Json | None = None


@dataclass(frozen=True, slots=True)
class Returned:
    """Open, and somebody has to correct something. `reason`: stable code; `note`: a person's words."""

    reason: str
    note: str = ""
    result: Json | None = None
    inputs: Json | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An answer from outside is on its way; `reason` says for what. A job calls `Engine.resume` with it."""

    reason: str
    result: Json | None = None
    inputs: Json | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The step is done; the next one begins."""

    result: Json | None = None
    inputs: Json | None = None


@dataclass(frozen=True, slots=True)
class NotNeeded:
    """This case does not need the step."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The business ends here, refused. What was done before is undone, newest first, by the steps' `undo`."""

    reason: str
    note: str = ""
    result: Json | None = None
    inputs: Json | None = None


Outcome = Stay | Returned | Waiting | Done | NotNeeded | Stopped


class StepKind(Protocol):
    """One kind of step.

    Every method runs inside the engine's unit of work with the case locked: rows, audit and facts commit together or
    not at all. Nothing slow and no outside call here: return `Waiting`, emit a fact, let a job do it after commit
    and call `Engine.resume`. To refuse an act raise a `CounterError`: nothing has changed then.
    """

    @property
    def name(self) -> str:
        """Name in flows, rows and the pages' files."""
        ...

    @property
    def config(self) -> type[BaseModel]:
        """Settings of a step of this kind in a flow."""
        ...

    @property
    def doers(self) -> frozenset[Doer]:
        """Who a step of this kind may belong to."""
        ...

    @property
    def actions(self) -> Mapping[str, Action]:
        """What may be done in an open step, by name."""
        ...

    async def begin(self, step: Step) -> Outcome:
        """The step opens. `Stay` leaves it to its doer."""
        ...

    async def act(self, step: Step, action: str, doer: Doer, inputs: Any) -> Outcome:
        """Somebody did something; `inputs` is an instance of the action's model."""
        ...

    async def resume(self, step: Step, answer: Json) -> Outcome:
        """The answer from outside is there. Only called while the step waits."""
        ...

    async def undo(self, step: Step) -> None:
        """The step was done and is opened again, or the business was given up.

        Raises:
            ConflictError: ``step.final`` when it cannot be undone; then nothing before it can be opened again.
        """
        ...

    async def view(self, step: Step, side: Side) -> Json:
        """What a page shows of the step: JSON, whole, and only what this side may see."""
        ...


@dataclass(frozen=True, slots=True)
class PlainKind:
    """What most kinds have in common; a kind overrides what it needs."""

    name: str
    config: type[BaseModel] = NoConfig
    doers: frozenset[Doer] = frozenset({"teller"})
    actions: Mapping[str, Action] = field(default_factory=dict)

    async def begin(self, step: Step) -> Outcome:
        return Stay()

    async def act(self, step: Step, action: str, doer: Doer, inputs: Any) -> Outcome:
        raise NotImplementedError(f"{self.name} declares {action} and does not do it")

    async def resume(self, step: Step, answer: Json) -> Outcome:
        raise NotImplementedError(f"{self.name} never waits")

    async def undo(self, step: Step) -> None:
        return None

    async def view(self, step: Step, side: Side) -> Json:
        return {}
