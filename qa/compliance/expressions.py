"""The expressions rules are made of: each operator is a small validated model; its meaning lies in one function.

A new operator needs a model here and a function in the table of ``local_ops`` (one utterance decides) or ``call_ops``.
"""

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from core.ports.speech import Party
from qa.compliance.feelings import Mood
from qa.compliance.likeness import packaged

Seconds = Annotated[float, Field(gt=0)]
WordList = Annotated[tuple[str, ...], Field(min_length=1)]


class FrozenModel(BaseModel):
    """Immutable; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def compiles(pattern: str | None) -> str | None:
    """Validator: the text is a regular expression."""
    if pattern is not None:
        re.compile(pattern)
    return pattern


class Words(FrozenModel):
    """Any of these words is heard; with ``at_least`` N, N different ones within one utterance."""

    op: Literal["words"]
    of: WordList
    at_least: int = Field(default=1, ge=1)
    min_score: float = Field(default=0, ge=0, le=100)


class Similar(FrozenModel):
    """Something like one of these sample sentences is heard."""

    op: Literal["similar"]
    of: WordList
    min_score: float = Field(default=72, ge=50, le=100)


class Like(FrozenModel):
    """A sentence is like the written examples of a concept, in whatever words (see ``likeness``)."""

    op: Literal["like"]
    concept: str
    min_score: float = Field(default=50, ge=30, le=100)
    phrase: str = ""

    @field_validator("concept")
    @classmethod
    def _known(cls, concept: str) -> str:
        if concept not in packaged().column:
            raise ValueError(f"there are no examples of {concept}; known: {', '.join(packaged().concepts)}")
        return concept


class Regex(FrozenModel):
    """A regular expression on the text with numerals as digits, unless ``exclude`` matches in the same utterance."""

    op: Literal["regex"]
    pattern: str
    exclude: str | None = None
    phrase: str = ""

    _valid = field_validator("pattern", "exclude")(compiles)


class Seq(FrozenModel):
    """One word of each list, in this order, at most ``gap`` characters apart, within one utterance."""

    op: Literal["seq"]
    of: tuple[WordList, ...] = Field(min_length=2)
    gap: int = Field(default=6, ge=0)
    phrase: str = ""


class Together(FrozenModel):
    """One word of each list, in any order, all within ``chars`` characters of one utterance."""

    op: Literal["together"]
    of: tuple[WordList, ...] = Field(min_length=2)
    chars: int = Field(default=24, ge=2)
    phrase: str = ""


class Unless(FrozenModel):
    """Not when one of ``words`` (or ``pattern``) stands within so many characters before or after, or inside."""

    op: Literal["unless"]
    of: "Expr"
    words: tuple[str, ...] = ()
    pattern: str | None = None
    before: int = Field(default=6, ge=0)
    after: int = Field(default=6, ge=0)

    _valid = field_validator("pattern")(compiles)


class Affirmed(FrozenModel):
    """Only when it is said in earnest: not denied, and (if ``quotes``) not quoted as somebody else's lie."""

    op: Literal["affirmed"]
    of: "Expr"
    quotes: bool = True


class Any_(FrozenModel):
    """Any of these."""

    op: Literal["any"]
    of: tuple["Expr", ...] = Field(min_length=1)


class All_(FrozenModel):
    """All of these within so many seconds; the first one is the anchor."""

    op: Literal["all"]
    of: tuple["Expr", ...] = Field(min_length=2)
    within_s: Seconds = 12


class AtLeast(FrozenModel):
    """At least ``n`` of these within so many seconds."""

    op: Literal["at_least"]
    n: int = Field(ge=1)
    of: tuple["Expr", ...] = Field(min_length=1)
    within_s: Seconds = 60


class Without(FrozenModel):
    """``of``, and not ``absent`` within so many seconds around it."""

    op: Literal["without"]
    of: "Expr"
    absent: "Expr"
    within_s: Seconds = 10


class After(FrozenModel):
    """``of`` that comes after, before or on either side of ``anchor``, at most so many seconds away."""

    op: Literal["after", "before", "around"]
    of: "Expr"
    anchor: "Expr"
    within_s: Seconds = 60


class Nth(FrozenModel):
    """The n-th hit of ``of`` in the call, as an anchor: 1 is the first, -1 the last."""

    op: Literal["nth"]
    of: "Expr"
    n: int = Field(ge=-100, le=100)

    @field_validator("n")
    @classmethod
    def _counts_from_one(cls, n: int) -> int:
        if n == 0:
            raise ValueError("hits count from 1, or from -1 backwards")
        return n


class Answer(FrozenModel):
    """A question of one party and a clear yes of ``who`` within so many seconds; the last clear answer counts.

    A yes after ``other``, something else that the asker has asked meanwhile, answers that.
    """

    op: Literal["answer"]
    question: "Expr"
    accept: "Expr"
    refuse: "Expr"
    other: "Expr | None" = None
    who: Party = Party.CUSTOMER
    within_s: Seconds = 10


class Edge(FrozenModel):
    """Only in the first or last so many seconds of speech."""

    op: Literal["first", "last"]
    of: "Expr"
    seconds: Seconds


class Repeated(FrozenModel):
    """At least ``times`` times within so many seconds."""

    op: Literal["repeated"]
    of: "Expr"
    times: int = Field(ge=2)
    within_s: Seconds = 60


class By(FrozenModel):
    """Said by this party instead of the rule's."""

    op: Literal["by"]
    who: Party
    of: "Expr"


class And(FrozenModel):
    """All of these somewhere in the call; found where the first one is."""

    op: Literal["and"]
    of: tuple["Expr", ...] = Field(min_length=2)


class Not(FrozenModel):
    """``of`` is nowhere in the call."""

    op: Literal["not"]
    of: "Expr"


class Speed(FrozenModel):
    """An utterance spoken faster (``above``) or slower (``below``) than so many characters a second."""

    op: Literal["speed"]
    above: float | None = Field(default=None, gt=0)
    below: float | None = Field(default=None, gt=0)
    min_chars: int = Field(default=10, ge=1)


class Level(FrozenModel):
    """An utterance louder (``above_db``) or quieter (``below_db``) than this, in dBFS: 0 is the loudest there is.

    The level is measured on the recorded file, so it says nothing while the call runs. Microphones differ and browsers
    even loudness out: ordinary speech lies between -35 and -15.
    """

    op: Literal["level"]
    above_db: float | None = Field(default=None, ge=-100, le=0)
    below_db: float | None = Field(default=None, ge=-100, le=0)
    min_chars: int = Field(default=2, ge=1)

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.above_db is None and self.below_db is None:
            raise ValueError("a level needs above_db or below_db")
        return self


class Feeling(FrozenModel):
    """Words of somebody upset or pleased (see ``feelings``)."""

    op: Literal["feeling"]
    mood: Mood


class Share(FrozenModel):
    """Of all that is spoken, the party's part (0-1) is more than ``above`` or less than ``below``.

    Says nothing of calls with less than ``min_talk_s`` seconds of speech: a greeting is no conversation yet.
    """

    op: Literal["share"]
    above: float | None = Field(default=None, ge=0, lt=1)
    below: float | None = Field(default=None, gt=0, le=1)
    min_talk_s: Seconds = 30

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.above is None and self.below is None:
            raise ValueError("a share needs above or below")
        return self


class Silence(FrozenModel):
    """Nobody speaks for so many seconds between two utterances."""

    op: Literal["silence"]
    seconds: Seconds


class Response(FrozenModel):
    """The party answers the other one only after so many seconds."""

    op: Literal["response"]
    above_s: Seconds


class Overlap(FrozenModel):
    """The party begins to speak while the other one speaks, and both go on for more than so many seconds."""

    op: Literal["overlap"]
    seconds: Seconds = 1.0


class Hangup(FrozenModel):
    """The call ended for one of these reasons (values of ``core.models.call.EndReason``)."""

    op: Literal["hangup"]
    reasons: WordList


class CallIs(FrozenModel):
    """What the call is about: every condition that is given holds. Amounts in 分; an unknown one holds never."""

    op: Literal["call"]
    business: tuple[str, ...] = ()
    customer_class: tuple[str, ...] = ()
    amount_from: int | None = Field(default=None, ge=0)
    amount_to: int | None = Field(default=None, ge=0)


class Step(FrozenModel):
    """A step of the counter was recorded with one of these results, e.g. consent by a click."""

    op: Literal["step"]
    step: str = Field(min_length=1)
    results: tuple[str, ...] = ()


Expr = Annotated[
    Words
    | Similar
    | Like
    | Regex
    | Seq
    | Together
    | Unless
    | Affirmed
    | Any_
    | All_
    | AtLeast
    | Without
    | After
    | Answer
    | Edge
    | Repeated
    | By
    | Nth
    | And
    | Not
    | Speed
    | Level
    | Feeling
    | Share
    | Silence
    | Response
    | Overlap
    | Hangup
    | CallIs
    | Step,
    Field(discriminator="op"),
]
for _model in (Unless, Affirmed, Any_, All_, AtLeast, Without, After, Answer, Edge, Repeated, By, Nth, And, Not):
    _model.model_rebuild()
