"""Written words and pictures of a call. Writer: server.chat."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from core.models.base import utc_field


class ChatMessage(SQLModel, table=True):
    """One message, on the call's time line by its time.

    Attributes:
        party: ``customer`` or ``teller``. sender: The actor's name.
        client_id: The page's own id, so that a message sent twice is one.
        kind: ``text`` or ``image``.
        object_key / wrapped_key: An image's sealed object and its key, wrapped by the master key.
    """

    __tablename__ = "chat_message"
    __table_args__ = (UniqueConstraint("call_id", "party", "client_id"),)

    id: str = Field(primary_key=True)
    call_id: str = Field(foreign_key="call.id", index=True)
    party: str
    sender: str
    client_id: str
    kind: str
    text: str = ""
    media_type: str | None = None
    size_b: int | None = None
    width: int | None = None
    height: int | None = None
    sha256: str | None = None
    object_key: str | None = None
    wrapped_key: bytes | None = None
    at: datetime = utc_field()
