"""Bodies and answers of the customer's entry (they become the pages' TypeScript types)."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# PostgreSQL text cannot hold NUL, so it is refused at the border instead of failing inside.
_NO_NUL = r"^[^\x00]*$"
Code = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_NO_NUL)]
BusinessCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class BusinessView(BaseModel):
    """A business a customer can choose."""

    code: str
    name_zh: str
    name_en: str
    hint_zh: str
    hint_en: str
    recording_required: bool


class WordingView(BaseModel):
    """The text a customer is asked to agree to."""

    purpose: str
    version: str
    text_zh: str
    text_en: str


class VisitRequest(BaseModel):
    """Entering. `device` describes browser and hardware in the page's own words."""

    model_config = ConfigDict(extra="forbid")

    business_code: Code
    channel: Literal["web", "kiosk", "demo"]
    device: Annotated[str, StringConstraints(max_length=300, pattern=_NO_NUL)]
    language: Literal["zh-CN", "en"]


class VisitView(BaseModel):
    """The visit, and the token that lets its bearer act on it."""

    visit_id: str
    token: str


class ConsentRequest(BaseModel):
    """A consent given (`granted`) or refused."""

    model_config = ConfigDict(extra="forbid", strict=True)

    purpose: Literal["recording", "face"]
    wording_version: Code
    granted: bool


class ConsentGiven(BaseModel):
    """The word that counts for a purpose, with the text it was about; empty when this release never published it."""

    purpose: str
    wording_version: str
    granted: bool
    at: datetime
    text_zh: str
    text_en: str


class ConsentView(BaseModel):
    """The stored consent."""

    consent_id: str


class DocumentView(BaseModel):
    """A document that was handed in."""

    document_id: str


class PrefillForm(BaseModel):
    """The form a customer can fill in before the call. `fields` as in a form step; null: this business has none."""

    business_code: str
    fields: list[dict[str, Any]] | None
    values: dict[str, str | int]


class PrefillRequest(BaseModel):
    """A filled form: texts, and integers for amounts in 分."""

    model_config = ConfigDict(extra="forbid", strict=True)

    values: Annotated[dict[str, str | int], Field(max_length=30)]


class PrefillLink(BaseModel):
    """A form kept for one visit: `url` brings it along, once. `qr_svg`: the same as a picture."""

    url: str
    qr_svg: str
    expires_at: datetime


class PrefillLinkRequest(BaseModel):
    """A form filled in before the visit: texts, and integers for amounts in 分."""

    model_config = ConfigDict(extra="forbid", strict=True)

    business_code: Code
    values: Annotated[dict[str, str | int], Field(max_length=30)]


class PrefillClaimRequest(BaseModel):
    """The link's token, to take what was filled in along on this visit."""

    model_config = ConfigDict(extra="forbid", strict=True)

    token: Annotated[str, StringConstraints(min_length=20, max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]


class FlowRow(BaseModel):
    """A business and the version of its flow in force. `changing`: a change of it waits to be decided."""

    code: str
    name_zh: str
    name_en: str
    enabled: bool
    version: int
    versions: int
    changing: bool


class StepKindView(BaseModel):
    """A kind of step: who may do one, and its settings as JSON schema."""

    name: str
    doers: list[str]
    config: dict[str, Any]


class CatalogueView(BaseModel):
    """All businesses, and what flows are made of."""

    rows: list[FlowRow]
    kinds: list[StepKindView]
    skill_groups: list[str]


class FlowVersionView(BaseModel):
    """One version, without its content."""

    version: int
    active: bool
    note: str
    created_by: str
    created_at: datetime


class BusinessFields(BaseModel):
    """How a business is offered."""

    model_config = ConfigDict(extra="forbid")

    name_zh: Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=_NO_NUL)]
    name_en: Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=_NO_NUL)]
    hint_zh: Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=_NO_NUL)]
    hint_en: Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=_NO_NUL)]
    skill_group: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,39}$")]
    recording_required: bool
    enabled: bool


class FlowView(BaseModel):
    """A flow to edit, as `server.counter.flows.Flow`, and all its versions, newest first."""

    code: str
    version: int
    newest: int
    business: BusinessFields
    flow: dict[str, Any]
    history: list[FlowVersionView]


class BusinessOffer(BaseModel):
    """Whether a business is offered to customers, and which skill group serves it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    enabled: bool
    skill_group: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_]*$")]


class BusinessOfferRequest(BusinessOffer):
    """The choice, with what was in force when it was shown."""

    seen: BusinessOffer


class WantedDocument(BaseModel):
    """A document a business asks for."""

    code: str
    name_zh: str
    name_en: str
    required: bool


class EarlyDocumentView(BaseModel):
    """A file handed in with a booking. `taken`: it is part of a case now."""

    id: str
    code: str
    content_type: str
    size_b: int
    at: datetime
    taken: bool


class EarlyPapers(BaseModel):
    """What can be handed in with a booking, and what was."""

    wanted: list[WantedDocument]
    documents: list[EarlyDocumentView]


class TakeRequest(BaseModel):
    """Where a file handed in with the booking goes: the open step of a case."""

    model_config = ConfigDict(extra="forbid", strict=True)

    case_id: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_NO_NUL)]
    step: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class FlowCheckRequest(BaseModel):
    """A draft to look over, as data or as YAML."""

    model_config = ConfigDict(extra="forbid", strict=True)

    flow: dict[str, Any] | None = None
    text: Annotated[str, StringConstraints(min_length=1, max_length=60_000, pattern=_NO_NUL)] | None = None


class FlowProblem(BaseModel):
    """One thing to put right. `at`: where, e.g. ``steps.2.config.fields.0.key``; `problem`: stable word."""

    at: str
    problem: str
    text: str


class FlowCheck(BaseModel):
    """What is wrong with a draft; nothing when it can be handed in. `flow` is null when it has not the shape of one."""

    problems: list[FlowProblem]
    flow: dict[str, Any] | None
    text: str
