"""Bodies and answers of the customer's entry (they become the pages' TypeScript types)."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# PostgreSQL text cannot hold NUL, so it is refused at the border instead of failing inside.
_NO_NUL = r"^[^\x00]*$"
Code = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_NO_NUL)]


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

    purpose: Literal["recording"]
    wording_version: Code
    granted: bool


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
    """A link under which a form can be filled in once, before the visit. `qr_svg`: the same as a picture."""

    token: str
    path: str
    qr_svg: str
    expires_at: datetime


class PrefillLinkRequest(BaseModel):
    """For which business."""

    model_config = ConfigDict(extra="forbid", strict=True)

    business_code: Code


class PrefillClaimRequest(BaseModel):
    """The link's token, to take what was filled in along on this visit."""

    model_config = ConfigDict(extra="forbid", strict=True)

    token: Annotated[str, StringConstraints(min_length=20, max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]


class FlowRow(BaseModel):
    """A business and the version of its flow in force."""

    code: str
    name_zh: str
    name_en: str
    enabled: bool
    version: int
    versions: int
    note: str
    created_by: str
    created_at: datetime


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
    """A flow to edit: its text, and all its versions, newest first."""

    code: str
    version: int
    business: BusinessFields
    text: str
    history: list[FlowVersionView]


class FlowRequest(BaseModel):
    """A flow as YAML. `based_on`: the newest version its editor has seen, 0 for a new business."""

    model_config = ConfigDict(extra="forbid", strict=True)

    business: BusinessFields
    text: Annotated[str, StringConstraints(min_length=1, max_length=60_000, pattern=_NO_NUL)]
    note: Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=_NO_NUL)]
    based_on: Annotated[int, Field(ge=0)]


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
    """A flow's text to look over."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: Annotated[str, StringConstraints(min_length=1, max_length=60_000, pattern=_NO_NUL)]


class FlowCheck(BaseModel):
    """What is wrong with it; nothing when it can be saved."""

    problems: list[str]
    steps: list[str]
