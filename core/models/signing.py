"""Documents signed by customers, and vouchers. Writer: server.counter."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from core.models.base import utc_field


class SignedDocumentState(StrEnum):
    """Life of a document to sign."""

    READY = "ready"
    SEALED = "sealed"
    WITHDRAWN = "withdrawn"


class SignedDocument(SQLModel, table=True):
    """A document filled in for one business, read and signed on the customer's own screen.

    Attributes:
        object_key / sha256: The document as it was read. sealed_key / sealed_sha256: With the signatures, sealed.
        code: Verification code printed on it.
        signers: How many have to sign: 2 when a guardian signs as well.
    """

    __tablename__ = "signed_document"

    id: str = Field(primary_key=True)
    case_id: str = Field(foreign_key="business_case.id", index=True)
    step_key: str
    call_id: str = Field(foreign_key="call.id", index=True)
    visit_id: str = Field(foreign_key="visit.id", index=True)
    business_code: str
    code: str = Field(unique=True)
    state: str
    signers: int = 1
    object_key: str
    sha256: str
    size_b: int
    sealed_key: str | None = None
    sealed_sha256: str | None = Field(default=None, index=True)
    created_at: datetime = utc_field()
    sealed_at: datetime | None = utc_field(nullable=True)


class Signature(SQLModel, table=True):
    """One person's signature on one document.

    Attributes:
        sealed_ink: Strokes (points with time and pressure) and the picture, encrypted.
        document_sha256: What was on the screen. consent_id: To signing this way.
        call_s: When, on the recording.
    """

    id: str = Field(primary_key=True)
    document_id: str = Field(foreign_key="signed_document.id", index=True)
    role: str  # customer, guardian
    masked_name: str
    sealed_ink: bytes
    ink_sha256: str
    document_sha256: str
    consent_id: str = Field(foreign_key="consent.id")
    call_s: float | None
    at: datetime = utc_field()


class Voucher(SQLModel, table=True):
    """The electronic voucher of a finished business.

    Attributes:
        code: Verification code, printed and in the QR code.
        sealed_facts: What the voucher says, encrypted. masked: What the public verification page may show.
        object_key: None until the PDF is made.
    """

    id: str = Field(primary_key=True)
    case_id: str = Field(foreign_key="business_case.id", unique=True)
    call_id: str = Field(foreign_key="call.id", index=True)
    visit_id: str = Field(foreign_key="visit.id", index=True)
    business_code: str
    code: str = Field(unique=True)
    sealed_facts: bytes
    masked: str
    object_key: str | None = None
    sha256: str | None = Field(default=None, index=True)
    issued_at: datetime = utc_field()
    ready_at: datetime | None = utc_field(nullable=True)
