"""Who else is in a call, and how it went from hand to hand. Writer: server.calls."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from core.models.base import utc_field


class CallGuest(SQLModel, table=True):
    """Somebody of the staff in a call beside its teller: an expert, a teller who is consulted, a supervisor.

    Attributes:
        seat: ``expert`` or ``supervisor``. mode: Of a supervisor: ``monitor``, ``whisper`` or ``barge``.
        purpose: ``oversee``, ``expert`` or ``consult`` (may be handed the call).
        state: ``invited``, ``joined`` or ``left``.
        peer_id: The transport of the moment.
        left_reason: ``left``, ``declined``, ``expired``, ``removed``, ``handed_over``, ``connection``, ``call_ended``.
    """

    __tablename__ = "call_guest"

    id: str = Field(primary_key=True)
    call_id: str = Field(foreign_key="call.id", index=True)
    staff_id: str = Field(foreign_key="staff.id", index=True)
    seat: str
    purpose: str
    mode: str = "monitor"
    state: str
    invited_by: str | None = None
    note: str = ""
    peer_id: str | None = None
    invited_at: datetime = utc_field()
    joined_at: datetime | None = utc_field(nullable=True)
    left_at: datetime | None = utc_field(nullable=True)
    left_reason: str | None = None


class CallLeg(SQLModel, table=True):
    """One teller's stretch of a call.

    Attributes:
        ended_by: ``transfer``, ``return`` or ``end``; None while it lasts.
    """

    __tablename__ = "call_leg"

    id: str = Field(primary_key=True)
    call_id: str = Field(foreign_key="call.id", index=True)
    teller_id: str = Field(foreign_key="staff.id", index=True)
    began_at: datetime = utc_field(index=True)
    ended_at: datetime | None = utc_field(nullable=True)
    ended_by: str | None = None


class CallTransfer(SQLModel, table=True):
    """A call handed on, with what the next teller has to know.

    Attributes:
        kind: ``blind``, ``consult`` or ``return`` (back into the queue, keeping the place).
        to_teller_id / skill_group: Whom it was meant for.
    """

    __tablename__ = "call_transfer"

    id: str = Field(primary_key=True)
    call_id: str = Field(foreign_key="call.id", index=True)
    kind: str
    from_teller_id: str = Field(foreign_key="staff.id")
    to_teller_id: str | None = Field(default=None, foreign_key="staff.id")
    skill_group: str | None = None
    note: str = ""
    at: datetime = utc_field()
