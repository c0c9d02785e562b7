"""Simulated identity services.

What a service does is told by its mode (setting ``AIRCOUNTER_IDENTITY_SIMULATION``, e.g. ``registry=down,face=slow``).
In mode ``match`` the ID number decides, so that every way can be shown in one house: the sequence number (digits 15 to
17) 999 is not in the register, 998 makes it fail, 997 makes it slow.
"""

import asyncio
import hashlib
from dataclasses import dataclass, replace
from typing import Literal

import structlog

from core.errors import UnavailableError
from core.ports.identity import Challenge, FaceMatcher, FaceVerdict, IdentityPorts, PhoneBook, PhoneCodes, Verdict

log = structlog.get_logger(__name__)

Mode = Literal["match", "no_match", "slow", "down"]
SERVICES = ("registry", "face", "phone", "challenge")
MODES = ("match", "no_match", "slow", "down")
SLOW_S = 4.0

_BY_SEQUENCE: dict[str, Mode] = {"999": "no_match", "998": "down", "997": "slow"}


@dataclass(frozen=True, slots=True)
class Simulation:
    """The mode of each service."""

    registry: Mode = "match"
    face: Mode = "match"
    phone: Mode = "match"
    challenge: Mode = "match"
    slow_s: float = SLOW_S

    @classmethod
    def parse(cls, text: str) -> "Simulation":
        """``service=mode`` pairs, comma separated. ValueError for unknown words."""
        modes: dict[str, Mode] = {}
        for pair in filter(None, (part.strip() for part in text.split(","))):
            service, _, mode = pair.partition("=")
            if service not in SERVICES or mode not in MODES:
                raise ValueError(f"{pair!r}: write service=mode with {', '.join(SERVICES)} and {', '.join(MODES)}")
            modes[service] = mode  # type: ignore[assignment]
        return replace(cls(), **modes)  # type: ignore[arg-type]


async def _behave(mode: Mode, slow_s: float, what: str) -> Verdict:
    if mode == "slow":
        await asyncio.sleep(slow_s)
    if mode == "down":
        raise UnavailableError(f"the simulated {what} is down", code=f"{what}.unavailable")
    return "no_match" if mode == "no_match" else "match"


class SimulatedRegistry:
    """Implements `core.ports.identity.Registry`."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    async def check(self, name: str, id_number: str) -> Verdict:
        """Known sequence numbers decide, otherwise the mode."""
        mode = self._simulation.registry
        if mode == "match":
            mode = _BY_SEQUENCE.get(id_number[14:17], "match")
        return await _behave(mode, self._simulation.slow_s, "registry")


class SimulatedFaces:
    """Implements `core.ports.identity.FaceMatcher`: says what it is told to, whatever the pictures show."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    async def compare(self, card: bytes, person: bytes) -> FaceVerdict:
        """The mode's verdict."""
        verdict = await _behave(self._simulation.face, self._simulation.slow_s, "face")
        return FaceVerdict(verdict, 0.93 if verdict == "match" else 0.31, "simulator")


class SimulatedPhone:
    """Implements `core.ports.identity.PhoneCodes`: a carrier in a mood, before the message centre if there is one."""

    def __init__(self, simulation: Simulation, carrier: PhoneCodes | None) -> None:
        self._simulation = simulation
        self._carrier = carrier

    async def send(self, message_id: str, phone: str, code: str, language: str) -> None:
        """Hands it on; ``no_match`` means that it never arrives."""
        arrives = await _behave(self._simulation.phone, self._simulation.slow_s, "phone") == "match"
        if arrives and self._carrier is not None:
            await self._carrier.send(message_id, phone, code, language)
        log.info("one-time code handed to the carrier", pii_phone=f"{phone[:3]}****{phone[-4:]}")


class NobodyOnFile:
    """Implements `core.ports.identity.PhoneBook` where no core banking system is reached: no number is on file."""

    async def holds(self, id_number: str, phone: str) -> bool:
        """Never."""
        return False


class SimulatedChallenges:
    """Implements `core.ports.identity.ChallengeBook`: three questions whose right answers follow from the ID number."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    async def ask(self, id_number: str) -> tuple[Challenge, ...]:
        """Questions with four answers each, one of them right."""
        await _behave(self._simulation.challenge, self._simulation.slow_s, "challenge")
        return questions()

    async def verify(self, id_number: str, answers: dict[str, str]) -> Verdict:
        """Whether all are right."""
        verdict = await _behave(self._simulation.challenge, self._simulation.slow_s, "challenge")
        right = all(answers.get(key) == right_answer(id_number, key) for key, *_ in _QUESTIONS)
        return "match" if verdict == "match" and right else "no_match"


def questions() -> tuple[Challenge, ...]:
    """What every simulated customer is asked."""
    return tuple(
        Challenge(key, question_zh, question_en, choices) for key, question_zh, question_en, choices in _QUESTIONS
    )


def right_answer(id_number: str, key: str) -> str:
    """The simulated customer's past, the same every time."""
    choices = next(choices for name, _, _, choices in _QUESTIONS if name == key)
    digest = hashlib.sha256(f"{id_number}/{key}".encode()).digest()
    return choices[digest[0] % len(choices)]


_QUESTIONS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    (
        "last_branch",
        "您最近一次在哪里办理业务？",
        "Where did you last do business with us?",
        ("城东支行", "城西支行", "手机银行", "自助设备"),
    ),
    (
        "last_credit",
        "最近一笔入账大约是多少？",
        "About how much was the last payment you received?",
        ("1000元以下", "1000至5000元", "5000至2万元", "2万元以上"),
    ),
    (
        "opened",
        "您的账户是哪一年开立的？",
        "In which year was your account opened?",
        ("2012年", "2015年", "2018年", "2021年"),
    ),
)


def simulated(
    simulation: Simulation, phone_book: PhoneBook, carrier: PhoneCodes | None = None, faces: FaceMatcher | None = None
) -> IdentityPorts:
    """All services simulated but those given; one-time codes go on to `carrier`, where there is one."""
    return IdentityPorts(
        SimulatedRegistry(simulation),
        faces or SimulatedFaces(simulation),
        SimulatedPhone(simulation, carrier),
        phone_book,
        SimulatedChallenges(simulation),
    )
