"""Words of speech recognition shared by the rooms."""

from dataclasses import dataclass
from enum import StrEnum


class Party(StrEnum):
    """Whose voice it is. Each side is recorded and transcribed apart, so nobody is guessed."""

    CUSTOMER = "customer"
    TELLER = "teller"


@dataclass(frozen=True, slots=True)
class Word:
    """One recognised word with its time span in seconds since the call's recording began."""

    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Segment:
    """One recognised utterance of one party.

    Attributes:
        start_s / end_s: Seconds since the call's recording began (common time line of both parties).
        text: Simplified Chinese, without spaces between characters.
        words: Word times when the engine gives them, else empty.
        level_db: Loudness of the voice in dBFS (RMS; 0 is a full-scale square wave), measured on the recorded file;
            None while the call runs.
    """

    party: Party
    start_s: float
    end_s: float
    text: str
    words: tuple[Word, ...] = ()
    level_db: float | None = None
