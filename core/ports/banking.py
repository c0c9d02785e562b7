"""What the counter asks of a bank's core system. Every request carries an id; the same id again is the same request.

Amounts are integers in 分. The core system keeps the books; the counter only keeps what it asked and what it was told.
"""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from core.errors import ConflictError, UnavailableError

RequestKind = Literal["hold", "transfer", "fee", "sweep", "open", "status", "contact", "password", "reverse"]


@dataclass(frozen=True, slots=True)
class BankRequest:
    """One request to the books.

    Attributes:
        request_id: Chosen by the counter and stored before the request is sent.
        kind: ``hold`` sets an amount aside; ``transfer`` and ``fee`` move it; ``sweep`` moves all there is to another
            account of the same person; ``open`` makes an account; ``status``, ``contact`` and ``password`` change one;
            ``reverse`` undoes an earlier request as a whole.
        fields: As the kind needs: ``account`` (or ``id_number`` for all of a person), ``amount_fen``, ``to_account``,
            ``payee_account``, ``payee_name``, ``to``, ``phone``, ``owner_name``, ``id_number``, ``request_id`` (of the
            request to reverse).
    """

    request_id: str
    kind: RequestKind
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class BankAnswer:
    """What the core system says about a request; the same again when asked again.

    Attributes:
        done: Booked. Otherwise refused: `code` says why, e.g. ``bank.insufficient_funds``; nothing was booked.
        result: Facts of a booked request, e.g. ``{"account": …}`` of a new account.
    """

    done: bool
    code: str = ""
    result: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """An account as the core system knows it.

    Attributes:
        available_fen: Balance without what is set aside. day_total_fen: Sent to others since midnight, bank's time.
    """

    number: str
    owner_name: str
    id_number: str
    status: Literal["active", "frozen", "closed"]
    balance_fen: int
    available_fen: int
    day_total_fen: int


class BankDownError(UnavailableError):
    """No answer: whether the request was booked is not known. Send the same request again."""

    code = "bank.unavailable"


class BankMisuseError(ConflictError):
    """The core system does not accept the request as such: another content under a known id, or nonsense."""

    code = "bank.misuse"


class CoreBanking(Protocol):
    """The core system."""

    async def book(self, request: BankRequest) -> BankAnswer:
        """Book a request, once.

        Raises:
            BankDownError: no answer in time. BankMisuseError: not a request, or another one under this id.
        """
        ...

    async def account(self, number: str) -> AccountFacts | None:
        """An account, or None when there is none. BankDownError when there is no answer."""
        ...
