"""Bodies and answers of the customer's entry (they become the pages' TypeScript types)."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

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
