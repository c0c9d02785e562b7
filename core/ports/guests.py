"""Experts and supervisors in a call: what signaling asks of server.calls, and how such a call looks to them."""

from datetime import datetime
from typing import Literal, Protocol

from core.ports.call_views import CallStateName, TellerName, View
from core.ports.media import PeerOffer, SupervisorMode
from core.security.actor import Actor

GuestSeat = Literal["expert", "supervisor"]
GuestPurpose = Literal["oversee", "expert", "consult"]
GuestState = Literal["invited", "joined", "left"]
GuestMode = Literal["monitor", "whisper", "barge"]


class GuestCall(View):
    """The call as somebody sees it who is in it beside the teller."""

    call_id: str
    number: int
    business_code: str
    business_name_zh: str
    business_name_en: str
    language: str
    state: CallStateName
    teller: TellerName | None
    accepted_at: datetime | None
    connected_at: datetime | None
    ended_at: datetime | None
    on_hold: bool
    sharing: bool
    recording_ok: bool


class Guest(View):
    """One's own place in somebody else's call.

    Attributes:
        note: What the teller wrote when inviting. invited_by: The teller.
        left_reason: Why it is over; None while it lasts.
    """

    guest_id: str
    seat: GuestSeat
    purpose: GuestPurpose
    mode: GuestMode
    state: GuestState
    note: str
    invited_by: TellerName | None
    invited_at: datetime
    left_reason: str | None
    call: GuestCall


class GuestDesk(Protocol):
    """Places in a call beside its teller. Who hears whom is decided by the media node's seat table alone."""

    async def oversee(self, actor: Actor, call_id: str) -> Guest:
        """Take the supervisor's seat, heard by none. Asking again returns the same place.

        Raises:
            NotFoundError: ``call.not_found``. ConflictError: ``call.not_running``, ``call.own``, ``oversee.taken``.
        """
        ...

    async def set_mode(self, actor: Actor, guest_id: str, mode: SupervisorMode) -> Guest:
        """Decide who hears the supervisor.

        Raises:
            NotFoundError: ``guest.gone``. UnavailableError: ``media.unavailable``; then nothing has changed.
        """
        ...

    async def invite(self, actor: Actor, call_id: str, staff_id: str, purpose: GuestPurpose, note: str) -> str:
        """The teller invites an expert, or another teller to consult. Returns the guest's id.

        Raises:
            NotFoundError: ``call.not_found``, ``staff.not_found``.
            ConflictError: ``call.not_running``, ``guest.taken``, ``guest.busy``.
        """
        ...

    async def media(self, actor: Actor, guest_id: str) -> PeerOffer:
        """Open a transport in one's own seat. A supervisor begins as monitor with each.

        Raises:
            NotFoundError: ``guest.gone``. UnavailableError: ``media.unavailable``.
        """
        ...

    async def answer(self, actor: Actor, guest_id: str, peer_id: str, sdp_answer: str) -> None:
        """Hand over the browser's answer.

        Raises:
            NotFoundError: ``guest.gone``, ``media.peer_not_found``. BadInputError: ``media.bad_sdp``.
        """
        ...

    async def leave(self, actor: Actor, guest_id: str) -> None:
        """Leave, decline the invitation, or (as the call's teller) send the guest out. Twice is the same as once.

        Raises:
            NotFoundError: ``guest.gone``.
        """
        ...

    async def mine(self, actor: Actor) -> list[Guest]:
        """Open invitations and places of the actor."""
        ...

    async def guest(self, guest_id: str) -> tuple[str, Guest] | None:
        """One place and whose it is."""
        ...

    async def of_call(self, call_id: str) -> list[tuple[str, Guest]]:
        """Open places of a call and whose they are."""
        ...


class Transfers(Protocol):
    """What signaling asks of server.calls when a teller hands a call on."""

    async def transfer(
        self,
        actor: Actor,
        call_id: str,
        kind: Literal["blind", "consult", "return"],
        staff_id: str | None,
        skill_group: str | None,
        note: str,
    ) -> None:
        """Hand the actor's call on: blind to a teller or a group through the queue, to the one who is being consulted
        at once, or back into the queue, keeping the place.

        Raises:
            NotFoundError: ``call.not_found``, ``staff.not_found``, ``group.not_found``.
            ConflictError: ``call.not_running``, ``guest.busy``, ``transfer.nobody_consulted``.
        """
        ...
