"""A chat message as both sides see it (it becomes the pages' TypeScript type)."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

MAX_TEXT = 1000
MAX_IMAGE_B = 240 * 1024
"""As base64-free bytes; pages shrink a photo to 1600 pixels before they send it."""

Text = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_TEXT, strip_whitespace=True, pattern=r"^[^\x00]*$")
]
ClientId = Annotated[str, StringConstraints(min_length=8, max_length=64, pattern=r"^[\w-]+$")]


class ChatTextRequest(BaseModel):
    """Something to say. `client_id`: the page's own, so that a message sent twice is one."""

    model_config = ConfigDict(extra="forbid", strict=True)

    client_id: ClientId
    text: Text


class ChatMessageView(BaseModel):
    """One message. `width` and `height` of an image in pixels; the picture is asked for by its id."""

    id: str
    call_id: str
    party: Literal["customer", "teller"]
    kind: Literal["text", "image"]
    text: str
    width: int | None
    height: int | None
    at: datetime
