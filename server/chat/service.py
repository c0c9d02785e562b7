"""Sending and reading messages. The only writer of `ChatMessage`."""

import asyncio
import hashlib
import secrets
from typing import Literal

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database
from core.errors import ConflictError, NotFoundError
from core.events import ChatMessageSent
from core.ids import new_id
from core.models.call import Call, CallState
from core.models.chat import ChatMessage
from core.ports.calls import ChatNews
from core.ports.speech import Party
from core.rate_limit import RateLimiter
from core.security.actor import Actor
from core.security.keys import MasterKey, unwrap_key, wrap_key
from core.store import Store
from server.chat.images import check_image
from server.chat.schemas import ChatMessageView, ChatTextRequest

OPEN = frozenset({CallState.QUEUED, CallState.OFFERED, CallState.ACCEPTED, CallState.CONNECTED})
SENT_PER_MINUTE = 60
LISTED = 500


class ChatService:
    """Texts lie in the database, pictures sealed in the object store, each with its own key under the master key."""

    def __init__(self, database: Database, store: Store, master_key: MasterKey, limiter: RateLimiter) -> None:
        self._database = database
        self._store = store
        self._master_key = master_key
        self._limiter = limiter

    async def messages(self, actor: Actor, call_id: str) -> list[ChatMessageView]:
        """All messages of a call the actor takes part in, oldest first. NotFoundError ``call.not_found``."""
        async with self._database.read() as session:
            call = await access_chat(session, actor, call_id)
            query = select(ChatMessage).where(col(ChatMessage.call_id) == call.id)
            rows = (await session.scalars(query.order_by(col(ChatMessage.at), col(ChatMessage.id)).limit(LISTED))).all()
        return [message_view(row) for row in rows]

    async def send_text(self, actor: Actor, call_id: str, request: ChatTextRequest) -> ChatMessageView:
        """Say something; the same `client_id` again returns the first message.

        Raises:
            NotFoundError: ``call.not_found``. ConflictError: ``chat.closed``. RateLimitedError.
        """
        return await self._keep(actor, call_id, request.client_id, {"kind": "text", "text": request.text})

    async def send_image(self, actor: Actor, call_id: str, client_id: str, data: bytes) -> ChatMessageView:
        """Send a picture.

        Raises:
            BadInputError: ``chat.image_too_large``, ``chat.not_an_image``. UnavailableError: ``store.write_failed``.
            NotFoundError: ``call.not_found``. ConflictError: ``chat.closed``. RateLimitedError.
        """
        picture = await asyncio.to_thread(check_image, data)
        async with self._database.read() as session:
            await access_chat(session, actor, call_id)
        key, data_key = f"chat/{call_id}/{new_id('image')}", secrets.token_bytes(32)
        await self._store.put(key, wrap_key(data_key, data, key))
        return await self._keep(
            actor,
            call_id,
            client_id,
            {
                "kind": "image",
                "media_type": picture.media_type,
                "width": picture.width,
                "height": picture.height,
                "size_b": len(data),
                "sha256": hashlib.sha256(data).hexdigest(),
                "object_key": key,
                "wrapped_key": wrap_key(self._master_key, data_key, key),
            },
        )

    async def image(self, actor: Actor, message_id: str) -> tuple[str, bytes]:
        """A picture's media type and bytes. NotFoundError ``chat.not_found``, ``call.not_found``."""
        async with self._database.read() as session:
            row = await session.get(ChatMessage, message_id)
            if row is None or row.object_key is None or row.wrapped_key is None or row.media_type is None:
                raise NotFoundError("there is no such picture", code="chat.not_found")
            await access_chat(session, actor, row.call_id)
        data_key = unwrap_key(self._master_key, row.wrapped_key, row.object_key)
        return row.media_type, unwrap_key(data_key, await self._store.get(row.object_key), row.object_key)

    async def news(self, message_id: str) -> ChatNews | None:
        """One message as it travels to the pages; see `core.ports.calls.ChatNewsDesk`."""
        async with self._database.read() as session:
            row = await session.get(ChatMessage, message_id)
            if row is None:
                return None
            call = await session.get_one(Call, row.call_id)
        return ChatNews(call.visit_id, call.teller_id, message_view(row).model_dump())

    async def _keep(self, actor: Actor, call_id: str, client_id: str, content: dict[str, object]) -> ChatMessageView:
        await self._limiter.hit(f"chat:{actor.name}", SENT_PER_MINUTE, 60)
        party: Literal["customer", "teller"] = "customer" if actor.visit_id is not None else "teller"
        try:
            async with self._database.unit_of_work(actor) as work:
                call = await access_chat(work.session, actor, call_id)
                if call.state not in OPEN:
                    raise ConflictError("the call is over", code="chat.closed")
                row = ChatMessage.model_validate(
                    {
                        "id": new_id("chat"),
                        "call_id": call.id,
                        "party": party,
                        "sender": actor.name,
                        "client_id": client_id,
                        "at": work.clock.now(),
                        **content,
                    }
                )
                work.session.add(row)
                await work.session.flush()
                sent = ChatMessageSent(
                    at=row.at,
                    call_id=call.id,
                    message_id=row.id,
                    party=Party(party),
                    kind="image" if row.kind == "image" else "text",
                )
                work.emit(sent)
        except IntegrityError:  # sent before, and the answer got lost
            async with self._database.read() as session:
                query = select(ChatMessage).where(
                    col(ChatMessage.call_id) == call_id,
                    col(ChatMessage.party) == party,
                    col(ChatMessage.client_id) == client_id,
                )
                row = (await session.scalars(query)).one()
        return message_view(row)


async def access_chat(session: AsyncSession, actor: Actor, call_id: str) -> Call:
    """A call whose chat the actor may read: the visit's own, or the teller's own.

    Raises:
        NotFoundError: ``call.not_found``, also for other people's calls.
    """
    call = await session.get(Call, call_id)
    if call is not None and actor.visit_id is not None and call.visit_id == actor.visit_id:
        return call
    if call is not None and actor.staff_id is not None and call.teller_id == actor.staff_id:
        return call
    raise NotFoundError("there is no such call", code="call.not_found")


def message_view(row: ChatMessage) -> ChatMessageView:
    """As the pages see it."""
    return ChatMessageView.model_validate(
        {
            "id": row.id,
            "call_id": row.call_id,
            "party": row.party,
            "kind": row.kind,
            "text": row.text,
            "width": row.width,
            "height": row.height,
            "at": row.at,
        }
    )
