"""Outside services that say who somebody is. Each has a simulator that matches, does not match, is slow or is down."""

from dataclasses import dataclass
from typing import Literal, Protocol

Verdict = Literal["match", "no_match", "unknown"]


@dataclass(frozen=True, slots=True)
class FaceVerdict:
    """Comparison of two faces. `likeness`: 0 to 1; `unknown` when one of the pictures shows no single face."""

    verdict: Verdict
    likeness: float | None
    engine: str


@dataclass(frozen=True, slots=True)
class Challenge:
    """A question whose answer only the customer knows, with possible answers to choose from."""

    key: str
    question_zh: str
    question_en: str
    choices: tuple[str, ...]


class Registry(Protocol):
    """联网核查: the register of citizens."""

    async def check(self, name: str, id_number: str) -> Verdict:
        """Whether name and number belong together. UnavailableError ``registry.unavailable``."""
        ...


class FaceMatcher(Protocol):
    """1:1 comparison of a face on an ID card with the person on camera."""

    async def compare(self, card: bytes, person: bytes) -> FaceVerdict:
        """Two JPEG pictures. UnavailableError ``face.unavailable``."""
        ...


class PhoneCodes(Protocol):
    """Sends a one-time code to a phone. What is sent is never logged."""

    async def send(self, message_id: str, phone: str, code: str, language: str) -> None:
        """Send it, once per `message_id`; `language`: ``zh-CN`` or ``en``. UnavailableError ``phone.unavailable``."""
        ...


class PhoneBook(Protocol):
    """The phone numbers on file at the bank (预留手机号). A code proves something only when sent to one of them."""

    async def holds(self, id_number: str, phone: str) -> bool:
        """Whether the bank holds this number for this person. UnavailableError ``bank.unavailable``."""
        ...


class ChallengeBook(Protocol):
    """Questions about the customer's own past business (历史交易)."""

    async def ask(self, id_number: str) -> tuple[Challenge, ...]:
        """Questions for this customer; none when there is no past. UnavailableError ``challenge.unavailable``."""
        ...

    async def verify(self, id_number: str, answers: dict[str, str]) -> Verdict:
        """Whether all answers are right. UnavailableError ``challenge.unavailable``."""
        ...


@dataclass(frozen=True, slots=True)
class IdentityPorts:
    """All of them, for the composition root."""

    registry: Registry
    faces: FaceMatcher
    phone_codes: PhoneCodes
    phone_book: PhoneBook
    challenges: ChallengeBook
