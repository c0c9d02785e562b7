"""A customer's entry and consents. Writer: server.counter."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from core.models.base import utc_field


class Visit(SQLModel, table=True):
    """Automatic record of one entry (channel, device, time, class of address)."""

    id: str = Field(primary_key=True)
    business_code: str = Field(foreign_key="business.code")
    channel: str
    device: str
    address_class: str
    language: str
    created_at: datetime = utc_field(index=True)


class Consent(SQLModel, table=True):
    """A consent given or refused, with the wording it was about."""

    id: str = Field(primary_key=True)
    visit_id: str = Field(foreign_key="visit.id", index=True)
    purpose: str
    wording_version: str
    wording_sha256: str
    granted: bool
    at: datetime = utc_field()
