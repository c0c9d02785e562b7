"""Bodies and answers of customers' requests (they become the pages' TypeScript types)."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from recording.retention.rules import DataClass
from recording.retention.schemas import CallNumber, IdNumber, Reason


class SubjectAskRequest(BaseModel):
    """What a customer asks for. Who it is was checked before; exactly one of ID number and call is named."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["export", "deletion"]
    id_number: IdNumber | None = None
    call_number: CallNumber | None = None
    note: Reason


class SubjectResult(BaseModel):
    """What became of one class of data of one call.

    `code` of a refusal: ``hold``, ``not_over`` (something about it is still open), ``kept`` (the law's time is not
    over), ``needed`` (something that is kept refers to it), ``no_rule``, ``rejected`` (the second person said no).
    """

    call_number: int
    data_class: DataClass | None
    result: Literal["given", "listed", "deleted", "refused"]
    code: str | None
    until: datetime | None


class SubjectRequestView(BaseModel):
    """A request. `url` while its package can be fetched by me; `purge_id` while a second person has to decide."""

    request_id: str
    kind: Literal["export", "deletion"]
    subject: str
    whole_person: bool
    calls: int
    note: str
    state: Literal["open", "running", "done", "partly", "refused", "failed"]
    error: str | None
    outcome: list[SubjectResult]
    purge_id: str | None
    created_by: str
    created_at: datetime
    due_at: datetime
    finished_at: datetime | None
    size_b: int | None
    sha256: str | None
    expires_at: datetime | None
    url: str | None


class SubjectRequestList(BaseModel):
    """The newest requests."""

    items: list[SubjectRequestView]
