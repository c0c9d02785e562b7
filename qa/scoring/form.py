"""The form model: versioned data, validated when it is loaded, immutable afterwards."""

from decimal import Decimal
from functools import lru_cache
from importlib import resources
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.errors import BadInputError

FULL_WEIGHT = Decimal(100)


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Item(_Model):
    """One thing to judge.

    Attributes:
        weight: Percent of the whole form; 0 only for a fatal item.
        fatal: Failing it makes the whole score 0 (一票否决).
        nodes: Script nodes that answer it; violations: phrase rules that fail it.
        businesses: Codes it is asked of; empty means all.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    label_zh: str = Field(min_length=1)
    label_en: str = Field(min_length=1)
    weight: Decimal = Field(ge=0, le=100)
    fatal: bool = False
    nodes: tuple[str, ...] = ()
    violations: tuple[str, ...] = ()
    businesses: tuple[str, ...] = ()

    def concerns(self, business: str) -> bool:
        """Whether the item is asked of calls about this business."""
        return not self.businesses or business in self.businesses

    @model_validator(mode="after")
    def _counts(self) -> Self:
        if self.weight == 0 and not self.fatal:
            raise ValueError(f"item {self.id} has no weight and is not fatal")
        return self


class Section(_Model):
    """Items that belong together."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    label_zh: str = Field(min_length=1)
    label_en: str = Field(min_length=1)
    items: tuple[Item, ...] = Field(min_length=1)


class Form(_Model):
    """A version of the form."""

    id: str
    version: int = Field(ge=1)
    sections: tuple[Section, ...] = Field(min_length=1)

    @property
    def items(self) -> tuple[Item, ...]:
        """All items in order."""
        return tuple(item for section in self.sections for item in section.items)

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        ids = [item.id for item in self.items]
        if len(ids) != len(set(ids)) or len({s.id for s in self.sections}) != len(self.sections):
            raise ValueError("item and section ids must be unique")
        total = sum((item.weight for item in self.items), Decimal(0))
        if total != FULL_WEIGHT:
            raise ValueError(f"weights total {total} instead of 100")
        return self


def parse_form(text: str) -> Form:
    """Form from YAML text.

    Raises:
        BadInputError: The text is not a valid form (code ``form.invalid``).
    """
    try:
        return Form.model_validate(yaml.safe_load(text))
    except (yaml.YAMLError, ValueError) as error:
        raise BadInputError(f"The form is not valid: {error}", code="form.invalid") from error


@lru_cache(maxsize=4)
def load_form(name: str = "form_v1") -> Form:
    """A packaged form, parsed once per process."""
    data = resources.files("qa.scoring").joinpath("data", f"{name}.yaml")
    return parse_form(data.read_text(encoding="utf-8"))
