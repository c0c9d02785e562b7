"""Answers of the verification page and the customer's own documents."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel


class VerificationView(BaseModel):
    """What anybody may know of a voucher or signed document: nothing personal but what is masked.

    Attributes:
        sha256: Of the file as it was handed out; the page compares a file with it in the browser.
    """

    kind: Literal["voucher", "document"]
    code: str
    business_name_zh: str
    business_name_en: str
    at: datetime
    masked: str
    sha256: str


class OwnVoucher(BaseModel):
    """A voucher of the customer's visit. `url` is None until the file is made."""

    id: str
    code: str
    business_name_zh: str
    business_name_en: str
    issued_at: datetime
    url: str | None


class PaperRow(BaseModel):
    """A signed document or voucher of a call, for staff. `ready`: its file is there. `state`: as its table has it."""

    id: str
    kind: Literal["voucher", "document"]
    code: str
    business_name_zh: str
    business_name_en: str
    state: Literal["ready", "sealed", "withdrawn", "issued"]
    at: datetime
    ready: bool
