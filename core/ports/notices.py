"""Messages to customers: any room may queue one in its own unit of work; the counter room delivers them."""

from dataclasses import dataclass
from typing import Protocol

from core.db import UnitOfWork
from core.errors import ConflictError, UnavailableError


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where a notice goes: one message to every address that is given.

    Attributes:
        visit_id: In-app, shown on the pages of this visit. email: One address. phone: Mainland mobile number.
    """

    visit_id: str | None = None
    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """What a customer is told, in the customer's language.

    Attributes:
        kind: Stable code of the occasion, e.g. ``transfer.done``.
        title: One line. text: Plain words; account, card and ID numbers only masked, it travels over foreign networks.
        call_id: The call it belongs to, if any. subject_id: What it is about, e.g. a case, ticket or appointment.
    """

    kind: str
    title: str
    text: str
    recipient: Recipient
    call_id: str | None = None
    subject_id: str | None = None


class Notices(Protocol):
    """Queues notices. They are delivered after commit, tried again when a channel fails, and never lost silently."""

    async def queue(self, work: UnitOfWork, notice: Notice) -> list[str]:
        """Queue one message per address.

        Returns:
            Ids of the messages.

        Raises:
            BadInputError: ``notice.bad_address``, ``notice.bad_text``.
        """
        ...


class DeliveryRefusedError(ConflictError):
    """The channel will never take this message; trying again is of no use."""

    code = "notice.refused"


class ChannelDownError(UnavailableError):
    """The channel does not work right now."""

    code = "notice.channel_down"


class MessageGateway(Protocol):
    """A channel out of the house (e-mail server, SMS centre)."""

    async def send(self, message_id: str, address: str, title: str, text: str) -> None:
        """Hand one message over; the same `message_id` again is the same message.

        Raises:
            DeliveryRefusedError: for good. ChannelDownError: for now.
        """
        ...
