"""What colleagues say of each other, for the monthly radar. Writer: server.statistics."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from core.models.base import utc_field


class PeerReview(SQLModel, table=True):
    """One colleague's marks for one teller and month.

    Attributes:
        month: ``2026-03``.
        score: 0 to 100.
    """

    __tablename__ = "peer_review"
    __table_args__ = (UniqueConstraint("month", "teller_id", "reviewer_id"),)

    id: str = Field(primary_key=True)
    month: str = Field(index=True)
    teller_id: str = Field(foreign_key="staff.id", index=True)
    reviewer_id: str = Field(foreign_key="staff.id")
    score: Decimal = Field(max_digits=5, decimal_places=2)
    comment: str = ""
    at: datetime = utc_field()
