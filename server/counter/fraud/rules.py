"""Pure rules: what typed words and answers hint at fraud, and what is proposed."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from core.models.fraud import FraudOutcome

ASSESS_S = 30
_DROPPED = re.compile(r"[\W_]+")


class DangerWords(BaseModel):
    """A kind of story and the words it is told with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(pattern=r"^[a-z_]+$")
    label_zh: str
    label_en: str
    words: tuple[str, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Sign:
    """One hint. `key` and `at_s` make it the same when it is told again."""

    source: str
    key: str
    label_zh: str
    label_en: str
    party: str
    words: str
    at_s: float | None = None

    def as_json(self) -> dict[str, object]:
        """As stored."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@lru_cache(maxsize=1)
def danger_words() -> tuple[DangerWords, ...]:
    """The shipped list."""
    text = (resources.files("server.counter") / "data" / "danger_words.yaml").read_text(encoding="utf-8")
    return TypeAdapter(tuple[DangerWords, ...]).validate_python(yaml.safe_load(text)["stories"])


def plain(text: str) -> str:
    """Without spaces, punctuation, full width and invisible characters: words cannot be hidden by 安 全 账·户."""
    return _DROPPED.sub("", unicodedata.normalize("NFKC", text)).lower()


def signs_in(text: str, source: str, party: str, at_s: float | None = None) -> list[Sign]:
    """Hints in what somebody typed or answered."""
    heard = plain(text)
    found = []
    for story in danger_words():
        word = next((word for word in story.words if plain(word) in heard), None)
        if word is not None:
            found.append(Sign(source, story.key, story.label_zh, story.label_en, party, word, at_s))
    return found


# Answers to the three questions that are a warning by themselves.
_RISKY = {
    ("relation", "stranger"): ("unknown_payee", "收款人是陌生人", "The payee is a stranger"),
    ("relation", "online"): ("online_friend", "收款人是网友，未见过面", "The payee is known from the internet only"),
    ("purpose", "investment"): ("investment", "投资理财转账", "Paying into an investment"),
    ("purpose", "official"): ("authorities", "自称公检法要求转账", "Told to pay by the authorities"),
    ("source", "loan"): ("loan", "资金来自贷款", "The money is borrowed"),
}


def signs_in_answers(answers: dict[str, str]) -> list[Sign]:
    """Hints in the answers to the three questions: in the choices and in the free words."""
    found = [
        Sign("answers", key, zh, en, "customer", answers[question])
        for (question, answer), (key, zh, en) in _RISKY.items()
        if answers.get(question) == answer
    ]
    return found + signs_in(" ".join(answers.get(name, "") for name in ("purpose_note", "note")), "answers", "customer")


def proposal_for(signs: list[dict[str, object]]) -> FraudOutcome:
    """Delay for one hint, stop for several or for the classic stories."""
    keys = {str(sign["key"]) for sign in signs}
    grave = keys & {"safe_account", "authorities", "danger_words", "unfreeze", "remote_control"}
    return FraudOutcome.STOP if grave or len(keys) > 1 else FraudOutcome.DELAY
