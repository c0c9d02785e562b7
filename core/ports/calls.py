"""What the rooms calls, acd and signaling ask of each other; what travels to the pages is in `call_views`.

Methods that take a `UnitOfWork` take part in the caller's transaction: one use case changes rows of both rooms, each
room writes only its own tables, and everything commits together. Rows are locked in the order call, presence, offer.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from core.db import UnitOfWork
from core.models.business import Business
from core.models.call import EndReason
from core.ports.call_views import (
    Channel,
    CustomerCall,
    DeclaredClass,
    Disposition,
    HandoverNote,
    Offer,
    Presence,
    TellerCall,
    View,
)
from core.ports.media import PeerOffer, Profile, Seat
from core.security.actor import Actor


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """Where a waiting call stands. The range is None when nobody serves its queue."""

    position: int
    low_s: int | None
    high_s: int | None


@dataclass(frozen=True, slots=True)
class Admission:
    """With which place somebody comes into the queue."""

    queued_at: datetime
    priority: int
    customer_class: str
    class_source: str = ""


@dataclass(frozen=True, slots=True)
class CallViews:
    """Both sides' views of one call, and whom they are for."""

    visit_id: str
    customer: CustomerCall
    teller_id: str | None
    teller: TellerCall | None


class Connections(Protocol):
    """Who has a live socket, on any edge."""

    async def online_visits(self, visit_ids: Collection[str]) -> set[str]:
        """Those of the visits whose page is connected."""
        ...

    async def online_staff(self, staff_ids: Collection[str]) -> set[str]:
        """Those of the staff whose console is connected."""
        ...


class TellerDesk(Protocol):
    """What server.calls asks of server.acd when a call moves. The call's row is locked by the caller."""

    async def call_over(self, work: UnitOfWork, call_id: str, teller_id: str | None) -> None:
        """The call ended: withdraw its open offers; send the teller who had it into wrap-up."""
        ...

    async def wrap_up_done(self, work: UnitOfWork, call_id: str, teller_id: str) -> None:
        """The teller has filed the disposition (or let the time pass) and is ready again."""
        ...

    async def is_ready(self, work: UnitOfWork, staff_id: str) -> bool:
        """Whether a teller is ready for a call right now."""
        ...

    async def handed_over(self, work: UnitOfWork, call_id: str, from_teller_id: str, to_teller_id: str | None) -> None:
        """The call went on: who had it is ready again; who has it now, if anybody yet, is in the call."""
        ...

    async def consulted(self, work: UnitOfWork, staff_id: str, call_id: str, on: bool) -> None:
        """A teller is asked into a colleague's call and must not be rung meanwhile; or may be rung again."""
        ...


class QueueView(Protocol):
    """Positions and estimates of waiting calls (server.acd)."""

    async def places(self, session: AsyncSession, call_ids: Collection[str]) -> Mapping[str, QueuePlace]:
        """Places of those of the calls that wait."""
        ...

    async def line(self, session: AsyncSession) -> Mapping[str, QueuePlace]:
        """Places of all who wait, by visit."""
        ...


class NoticeText(View):
    """A line on the waiting page."""

    id: str
    kind: Literal["notice", "broadcast"]
    business_code: str | None
    text_zh: str
    text_en: str
    valid_until: datetime
    withdrawn: bool


class QueueNotices(Protocol):
    """What signaling asks of server.acd about notices."""

    async def notice(self, notice_id: str) -> NoticeText | None:
        """One notice, if it is valid by now or was withdrawn."""
        ...

    async def turned(self, since: datetime | None) -> tuple[datetime, Sequence[NoticeText]]:
        """Now, and the notices whose time began or ended since then; what is over counts as withdrawn."""
        ...


class QueueEntry(Protocol):
    """The door of the queue (server.acd)."""

    async def admit(
        self, session: AsyncSession, visit_id: str, business: Business, declared: DeclaredClass | None, now: datetime
    ) -> Admission:
        """Let a visit in. Booked and called back customers come in at any hour, with their place.

        Raises:
            ConflictError: ``queue.closed`` (with `next_opening`), ``queue.full``, ``queue.too_long``.
        """
        ...


class CallMoves(Protocol):
    """What server.acd asks of server.calls when an offer moves."""

    async def mark_offered(self, work: UnitOfWork, call_id: str, version: int) -> None:
        """A teller rings.

        Raises:
            ConflictError: ``call.stale`` when the call has moved since it was read.
        """
        ...

    async def mark_requeued(self, work: UnitOfWork, call_id: str) -> None:
        """The offer ended without success. Nothing happens when the call is not offered any more."""
        ...

    async def mark_accepted(self, work: UnitOfWork, call_id: str, teller_id: str) -> datetime:
        """A teller takes the call. Once this is committed, media flow and are recorded.

        Returns:
            When the call was accepted, by this teller or by the first one who had it.

        Raises:
            ConflictError: ``call.illegal_move`` when it is not offered any more.
        """
        ...

    async def handover(self, session: AsyncSession, call_id: str) -> list[HandoverNote]:
        """What tellers before wrote when they handed the call on."""
        ...

    async def expire_wrap_up(self, call_id: str) -> None:
        """The wrap-up time has passed: close the call with `UNSPECIFIED`. Nothing happens when it is closed."""
        ...


class CallDesk(Protocol):
    """What signaling asks of server.calls."""

    async def join(
        self, actor: Actor, declared: DeclaredClass | None = None, channel: Channel = "video"
    ) -> CustomerCall:
        """Join the queue with the actor's visit; the call that already waits or runs is returned again.

        Args:
            declared: What the customer says of themselves.
            channel: ``text`` for a consultation in writing; it needs no consent to a recording, as there is none.

        Raises:
            ConflictError: ``consent.required``, and what `QueueEntry.admit` refuses.
            NotFoundError: ``visit.not_found``.
        """
        ...

    async def leave(self, actor: Actor, reason: EndReason = EndReason.CUSTOMER_LEFT_QUEUE) -> None:
        """Leave the queue, for the customer's own reason.

        Raises:
            ConflictError: ``call.none`` when the visit has no call that waits.
        """
        ...

    async def snapshot(self, actor: Actor) -> CustomerCall | None:
        """The visit's newest call."""
        ...

    async def hang_up(self, actor: Actor, call_id: str | None = None) -> None:
        """End the call: the visit's own, or the teller's call named by `call_id`. Ending an ended call does nothing.

        Raises:
            ConflictError: ``call.none``. NotFoundError: ``call.not_found``.
        """
        ...

    async def teller_call(self, actor: Actor) -> TellerCall | None:
        """The teller's running call or the one in wrap-up."""
        ...

    async def wrap_up(self, actor: Actor, call_id: str, disposition: Disposition, note: str) -> None:
        """File the disposition and close the call. A call closed by the clock may still get its disposition.

        Raises:
            NotFoundError: ``call.not_found``. ConflictError: ``call.not_in_wrap_up``.
        """
        ...

    async def views(self, call_id: str) -> CallViews | None:
        """Both sides' views."""
        ...

    async def open_calls(
        self, visit_ids: Collection[str], line: Mapping[str, QueuePlace]
    ) -> Mapping[str, CustomerCall]:
        """Views of the waiting and running calls among the visits, by visit."""
        ...

    async def line(self) -> Mapping[str, QueuePlace]:
        """Places of all who wait, by visit; cheap, so that it can be looked at twice a second however many wait."""
        ...


class TextCalls(Protocol):
    """Consultations in writing that may go on by video (server.calls)."""

    async def ask_for_video(self, actor: Actor, call_id: str) -> None:
        """The teller asks the customer to go on by video. Twice is the same as once.

        Raises:
            NotFoundError: ``call.not_found``. ConflictError: ``call.not_running``, ``call.not_text``.
        """
        ...

    async def decline_video(self, actor: Actor) -> None:
        """The customer would rather go on writing. ConflictError ``call.none``."""
        ...

    async def go_on_by_video(self, actor: Actor) -> None:
        """The customer agrees, or wants it anyway: from now on it is a call like any other, media and recording start.

        Raises:
            ConflictError: ``call.none``, ``call.not_running``, ``consent.required``. Twice is the same as once.
        """
        ...


class CallHelp(Protocol):
    """Help for whoever cannot wait."""

    async def ask(self, actor: Actor) -> None:
        """The customer asks for help: the call moves ahead, supervisors are alarmed. Twice is the same as once.

        Raises:
            ConflictError: ``call.none``.
        """
        ...

    async def jump(self, actor: Actor, call_id: str) -> None:
        """A supervisor moves a waiting call ahead, once.

        Raises:
            NotFoundError: ``call.not_found``. ConflictError: ``call.not_waiting``.
        """
        ...


@dataclass(frozen=True, slots=True)
class ChatNews:
    """A message, and whom it is for."""

    visit_id: str
    teller_id: str | None
    message: dict[str, object]


class ChatNewsDesk(Protocol):
    """What signaling asks of server.chat."""

    async def news(self, message_id: str) -> ChatNews | None:
        """One message as it travels to the pages."""
        ...


class CallMedia(Protocol):
    """Transports of the actor's own seat and what flows through them, asked for by signaling."""

    async def join_customer(self, actor: Actor) -> PeerOffer:
        """Open a transport in the customer's seat, of the call there is or, before queue and consent, the one there
        will be. Then nothing flows through it, on either side.

        Raises:
            NotFoundError: ``visit.not_found``. UnavailableError: ``media.unavailable``.
        """
        ...

    async def join_lobby(self, actor: Actor) -> PeerOffer:
        """Open a teller's transport that waits for the next call. Nothing flows through it.

        Raises:
            UnavailableError: ``media.unavailable``.
        """
        ...

    async def enter(self, actor: Actor, call_id: str, peer_id: str) -> None:
        """Bring the teller's waiting transport into a call: while the offer rings, and during the call.

        Raises:
            NotFoundError: ``call.not_found``; ``media.peer_not_found`` when it cannot be used for this call: then open
                another one there.
        """
        ...

    async def join_teller(self, actor: Actor, call_id: str) -> PeerOffer:
        """Open a transport in the teller's seat: while the offer rings here, and during the call.

        Raises:
            NotFoundError: ``call.not_found``. UnavailableError: ``media.unavailable``.
        """
        ...

    async def answer(self, actor: Actor, peer_id: str, sdp_answer: str, call_id: str | None = None) -> None:
        """Hand over the browser's answer for a transport that this actor opened.

        Raises:
            NotFoundError: ``media.peer_not_found``. BadInputError: ``media.bad_sdp``.
        """
        ...

    async def hold(self, actor: Actor, call_id: str, on: bool) -> None:
        """Put the teller's call on hold or take it up again. Asking for what is so already does nothing.

        Raises:
            NotFoundError: ``call.not_found``. ConflictError: ``call.not_running``.
            UnavailableError: ``media.unavailable``; then nothing has changed.
        """
        ...

    async def set_profile(self, actor: Actor, call_id: str, seat: Seat, profile: Profile) -> None:
        """Ask for another picture of a party in the teller's call: `Profile.HD` for identity and documents, then back.

        Raises:
            NotFoundError: ``call.not_found``. ConflictError: ``call.not_running``.
            UnavailableError: ``media.unavailable``; then nothing has changed.
        """
        ...

    async def limit_picture(self, actor: Actor, seat: Seat, profile: Profile, call_id: str | None = None) -> None:
        """Let a party send no more than this, because people want so; `Profile.HD` takes it back.

        Customers decide about their own camera in their running call, tellers about both of their call `call_id`.

        Raises:
            DeniedError: another's camera. NotFoundError: ``call.not_found``. ConflictError: ``call.not_running``.
            UnavailableError: ``media.unavailable``; then nothing has changed.
        """
        ...

    async def share(self, actor: Actor, call_id: str, on: bool) -> None:
        """Tell that the teller shows a screen in its slot, or no longer does.

        Raises:
            NotFoundError: ``call.not_found``. ConflictError: ``call.not_running``.
        """
        ...


class TellerService(Protocol):
    """What signaling asks of server.acd."""

    async def presence(self, staff_id: str) -> Presence:
        """What the teller is doing."""
        ...

    async def set_presence(self, actor: Actor, state: Literal["ready", "break", "offline"], reason: str) -> Presence:
        """Change it. An offer that rings is declined, a wrap-up is ended.

        Raises:
            ConflictError: ``presence.in_call``. DeniedError: ``presence.not_certified`` who may not take calls yet.
        """
        ...

    async def ringing(self, staff_id: str) -> Offer | None:
        """The offer that rings at this teller."""
        ...

    async def offer(self, offer_id: str) -> Offer | None:
        """An offer that still rings."""
        ...

    async def accept(self, actor: Actor, offer_id: str) -> None:
        """Take the offered call.

        Raises:
            ConflictError: ``offer.gone`` when it lapsed, was withdrawn or is not this teller's.
        """
        ...

    async def decline(self, actor: Actor, offer_id: str) -> None:
        """Let the next teller have it.

        Raises:
            ConflictError: ``offer.gone``.
        """
        ...
