"""Consent wordings: versioned texts. What a customer agreed to is proved by version and SHA-256."""

from functools import lru_cache
from importlib import resources

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from core.errors import NotFoundError
from core.security.tokens import sha256_hex


class Wording(BaseModel):
    """One version of the text of one purpose."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    purpose: str = Field(min_length=1)
    version: str = Field(min_length=1)
    text_zh: str = Field(min_length=1)
    text_en: str = Field(min_length=1)

    def sha256(self, language: str) -> str:
        """SHA-256 of the text in the language it was shown in (``zh-CN`` or ``en``)."""
        return sha256_hex(self.text_en if language == "en" else self.text_zh)


@lru_cache(maxsize=1)
def packaged_wordings() -> tuple[Wording, ...]:
    """All wordings ever published, oldest first."""
    text = (resources.files("server.counter") / "data" / "consents.yaml").read_text(encoding="utf-8")
    wordings = TypeAdapter(tuple[Wording, ...]).validate_python(yaml.safe_load(text)["wordings"])
    if len({(wording.purpose, wording.version) for wording in wordings}) != len(wordings):
        raise ValueError("a wording version must not be published twice")
    return wordings


def current_wording(purpose: str) -> Wording:
    """The wording to show now.

    Raises:
        NotFoundError: ``consent.unknown_purpose``.
    """
    for wording in reversed(packaged_wordings()):
        if wording.purpose == purpose:
            return wording
    raise NotFoundError("there is no such consent", code="consent.unknown_purpose")


def published_wording(purpose: str, version: str) -> Wording | None:
    """A wording by its version, in force or not; None when there never was one."""
    return next((each for each in packaged_wordings() if (each.purpose, each.version) == (purpose, version)), None)


def wording_texts(purpose: str, version: str) -> dict[str, str] | None:
    """What stood on the customer's screen, by language; None when this release never published that version."""
    wording = published_wording(purpose, version)
    return {"zh-CN": wording.text_zh, "en": wording.text_en} if wording else None
