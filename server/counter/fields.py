"""Fields of a form: what may be written into them. Pure rules; a refusal names the field and a stable problem."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from server.counter.flows import LARGEST_FEN, Code, Label, Sentence
from server.counter.id_card import id_number_problem

FieldType = Literal["text", "name", "id_number", "phone", "account", "amount", "choice", "date", "email"]
Value = str | int

MAX_TEXT = 200
_NAME = re.compile(
    r"^[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f]+(?:·[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f]+)*$"
)
_LATIN_NAME = re.compile(r"^[A-Za-z]+(?:[ .'-]{1,2}[A-Za-z]+)*\.?$")
_EMAIL = re.compile(r"^[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}$")
_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})


class Choice(BaseModel):
    """One of several answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: Code
    label_zh: Label
    label_en: Label


class FieldSpec(BaseModel):
    """One field of a form.

    Attributes:
        type: What may be written. ``amount`` is an integer in 分, everything else text.
        same_as: Key of a field of the identity step (``name``, ``id_number``) that must say the same.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Code
    type: FieldType
    label_zh: Label
    label_en: Label
    hint_zh: Sentence | None = None
    hint_en: Sentence | None = None
    required: bool = True
    max_length: Annotated[int, Field(ge=1, le=MAX_TEXT)] = 60
    choices: tuple[Choice, ...] = ()
    same_as: Literal["name", "id_number"] | None = None

    @model_validator(mode="after")
    def _check(self) -> "FieldSpec":
        if (self.type == "choice") != bool(self.choices):
            raise ValueError("a choice has choices, nothing else has")
        if len({choice.value for choice in self.choices}) != len(self.choices):
            raise ValueError("values of choices must be unique")
        return self


def problem_of(field: FieldSpec, value: Value | None) -> str | None:
    """Why a value is not accepted, e.g. ``missing``, ``type``, ``too_long``, ``format``, ``range``; None when it is."""
    if value is None or value == "":
        return "missing" if field.required else None
    if field.type == "amount":
        if isinstance(value, bool) or not isinstance(value, int):
            return "type"
        return None if 0 < value <= LARGEST_FEN else "range"
    if not isinstance(value, str):
        return "type"
    if len(value) > field.max_length:
        return "too_long"
    if value != value.strip() or any(unicodedata.category(letter) in _INVISIBLE for letter in value):
        return "characters"
    return _CHECKS[field.type](field, value)


def problems_of(fields: tuple[FieldSpec, ...], values: Mapping[str, Any]) -> list[dict[str, str]]:
    """All problems of a filled form: ``[{"field", "problem"}]``, also for fields the form does not have."""
    known = {field.key: field for field in fields}
    found = [{"field": key[:40], "problem": "unknown"} for key in values if key not in known]
    for field in fields:
        problem = problem_of(field, values.get(field.key))
        if problem is not None:
            found.append({"field": field.key, "problem": problem})
    return found


def _text(field: FieldSpec, value: str) -> str | None:
    # Full-width and other look-alike forms of one character are one more way to say something else than is read.
    return (
        None
        if unicodedata.normalize("NFKC", value) == unicodedata.normalize("NFC", value) or _chinese(value)
        else "characters"
    )


def _chinese(value: str) -> bool:
    """Chinese text may have full-width punctuation; digits and letters may not be full-width."""
    return not any(
        "\uff10" <= letter <= "\uff19" or "\uff21" <= letter <= "\uff3a" or "\uff41" <= letter <= "\uff5a"
        for letter in value
    )


def _name(field: FieldSpec, value: str) -> str | None:
    return None if _NAME.match(value) or _LATIN_NAME.match(value) else "characters"


def _pattern(pattern: str) -> Callable[[FieldSpec, str], str | None]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda field, value: None if compiled.fullmatch(value) else "format"


def _date(field: FieldSpec, value: str) -> str | None:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        return "format"
    try:
        date.fromisoformat(value)
    except ValueError:
        return "format"
    return None


def _choice(field: FieldSpec, value: str) -> str | None:
    return None if any(choice.value == value for choice in field.choices) else "choice"


_CHECKS: dict[FieldType, Callable[[FieldSpec, str], str | None]] = {
    "text": _text,
    "name": _name,
    "id_number": lambda field, value: id_number_problem(value),
    "phone": _pattern(r"1[3-9]\d{9}"),
    "account": _pattern(r"\d{12,19}"),
    "choice": _choice,
    "date": _date,
    "email": lambda field, value: None if _EMAIL.fullmatch(value) else "format",
}
