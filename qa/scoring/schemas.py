"""Bodies and answers of editing forms (they become the pages' TypeScript types)."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from qa.wire import Version

FormVersion = Annotated[str, Field(max_length=80, pattern=r"^[a-z][a-z0-9_]*-[0-9]+$")]


class ConditionBody(BaseModel):
    """The item is asked only when an earlier item was answered like this."""

    model_config = ConfigDict(extra="forbid")

    item: str
    answered: Literal["full", "deducted", "zero", "not_applicable"]


class ItemBody(BaseModel):
    """One item as it is edited; the meaning of each field is told by `qa.scoring.form.Item`."""

    model_config = ConfigDict(extra="forbid")

    id: str
    label_zh: str
    label_en: str
    hint_zh: str = ""
    hint_en: str = ""
    weight: float
    bonus: bool = False
    points: int = 2
    fatal: Literal["none", "section", "form"] = "none"
    may_skip: bool = True
    comment: Literal["never", "deduction", "always"] = "never"
    when: ConditionBody | None = None
    defect: Literal["entry_error", "operation", "verification", "other"] = "other"
    nodes: list[str] = []
    violations: list[str] = []
    businesses: list[str] = []


class SectionBody(BaseModel):
    """Items that belong together."""

    model_config = ConfigDict(extra="forbid")

    id: str
    label_zh: str
    label_en: str
    items: list[ItemBody]


class FormBody(BaseModel):
    """A form as it is edited. Its version is given by the server."""

    model_config = ConfigDict(extra="forbid")

    id: str
    title_zh: str
    title_en: str
    businesses: list[str] = []
    pass_mark: float = 80
    sections: list[SectionBody]


class FormRow(BaseModel):
    """One version of a form. `used`: evaluations that it judged."""

    form_version: str
    form_id: str
    version: int
    title_zh: str
    title_en: str
    state: Literal["draft", "active", "retired", "packaged"]
    businesses: list[str]
    items: int
    used: int
    edited_by: str | None
    edited_at: datetime | None
    activated_at: datetime | None


class FormRows(BaseModel):
    """All versions, newest first, and what items may refer to."""

    items: list[FormRow]
    nodes: list[str]
    violations: list[str]


class FormDetail(FormRow):
    """A version with its content. `revision` goes back with the next save."""

    revision: int
    form: FormBody


class FormProblem(BaseModel):
    """What is wrong, and where."""

    field: str
    problem: str


class FormCheck(BaseModel):
    """The form as it would be read: its weights' total, and all that is wrong with it."""

    total: float
    problems: list[FormProblem]


class FormDraftRequest(BaseModel):
    """Save a draft. `revision` is the one that was read; 0 begins a new version of the form."""

    model_config = ConfigDict(extra="forbid")

    revision: Version
    form: FormBody


class ActivateRequest(BaseModel):
    """Let a draft judge new calls; the version in force until now is retired."""

    model_config = ConfigDict(extra="forbid")

    revision: Version


def form_body(content: dict[str, Any]) -> FormBody:
    """The editable part of a stored form."""
    return FormBody.model_validate({key: value for key, value in content.items() if key != "version"})
