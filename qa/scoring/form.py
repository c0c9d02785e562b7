"""The form model: versioned data, validated when it is loaded or edited, immutable once it is in use."""

from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from core.errors import BadInputError

FULL_WEIGHT = Decimal(100)
_ID = r"^[a-z][a-z0-9_]{0,63}$"

Name = Annotated[str, Field(pattern=_ID)]
Label = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00]*$")]
Hint = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]


class Fatal(StrEnum):
    """What a failed item takes with it (一票否决)."""

    NONE = "none"
    SECTION = "section"  # the points of its section
    FORM = "form"  # all points


class CommentRule(StrEnum):
    """When the inspector has to say why."""

    NEVER = "never"
    DEDUCTION = "deduction"  # when the item loses points
    ALWAYS = "always"


class DefectKind(StrEnum):
    """The taxonomy of defects."""

    ENTRY_ERROR = "entry_error"
    OPERATION = "operation"
    VERIFICATION = "verification"
    OTHER = "other"


def _fatal(value: Any) -> Any:
    """Packaged forms say ``true`` for the usual case."""
    return {True: Fatal.FORM, False: Fatal.NONE}.get(value, value) if isinstance(value, bool) else value


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Condition(_Model):
    """The item is asked only when an earlier item was answered like this; else it does not apply."""

    item: Name
    answered: Literal["full", "deducted", "zero", "not_applicable"]


class Item(_Model):
    """One thing to judge.

    Attributes:
        weight: Percent of the whole form; 0 only for a fatal item. Of a bonus item: points it may add.
        bonus: Adds points (never above 100 in all) instead of being part of the 100 %.
        points: In how many equal steps the inspector judges it: 2 = full, half, nothing.
        fatal: What failing it takes away.
        may_skip: Whether the inspector may say that it does not apply.
        nodes: Script nodes that answer it; violations: phrase rules that fail it.
        businesses: Codes it is asked of; empty means all.
        defect: Kind of defect when it loses points.
    """

    id: Name
    label_zh: Label
    label_en: Label
    hint_zh: Hint = ""
    hint_en: Hint = ""
    weight: Decimal = Field(ge=0, le=100, decimal_places=2)
    bonus: bool = False
    points: int = Field(default=2, ge=1, le=10)
    fatal: Annotated[Fatal, BeforeValidator(_fatal)] = Fatal.NONE
    may_skip: bool = True
    comment: CommentRule = CommentRule.NEVER
    when: Condition | None = None
    defect: DefectKind = DefectKind.OTHER
    nodes: tuple[Name, ...] = ()
    violations: tuple[Name, ...] = ()
    businesses: tuple[Name, ...] = ()

    def concerns(self, business: str) -> bool:
        """Whether the item is asked of calls about this business."""
        return not self.businesses or business in self.businesses

    @model_validator(mode="after")
    def _counts(self) -> Self:
        if self.weight == 0 and self.fatal is Fatal.NONE:
            raise ValueError(f"item {self.id} has no weight and is not fatal")
        if self.bonus and self.fatal is not Fatal.NONE:
            raise ValueError(f"item {self.id} cannot be a bonus and fatal")
        return self


class Section(_Model):
    """Items that belong together."""

    id: Name
    label_zh: Label
    label_en: Label
    items: tuple[Item, ...] = Field(min_length=1, max_length=60)


class Form(_Model):
    """A version of the form.

    Attributes:
        businesses: Codes it judges; empty means all that no other form names.
        pass_mark: Points from which a call has passed.
    """

    id: Name
    version: int = Field(ge=1)
    title_zh: Label = "柜面质检评分表"
    title_en: Label = "Counter inspection form"
    businesses: tuple[Name, ...] = ()
    pass_mark: Decimal = Field(default=Decimal(80), ge=0, le=100)
    sections: tuple[Section, ...] = Field(min_length=1, max_length=20)

    @property
    def items(self) -> tuple[Item, ...]:
        """All items in order."""
        return tuple(item for section in self.sections for item in section.items)

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        ids = [item.id for item in self.items]
        if len(ids) != len(set(ids)) or len({s.id for s in self.sections}) != len(self.sections):
            raise ValueError("item and section ids must be unique")
        total = sum((item.weight for item in self.items if not item.bonus), Decimal(0))
        if total != FULL_WEIGHT:
            raise ValueError(f"weights total {total} instead of 100")
        for at, item in enumerate(self.items):
            if item.when is not None and item.when.item not in ids[:at]:
                raise ValueError(f"item {item.id} depends on {item.when.item}, which does not come before it")
        return self


def read_form(content: Any) -> Form:
    """Form from plain data.

    Raises:
        BadInputError: ``form.invalid``; `problems` says where and what, without the values.
    """
    try:
        return Form.model_validate(content)
    except ValidationError as error:
        problems = [
            {"field": ".".join(str(part) for part in item["loc"]), "problem": item["msg"]}
            for item in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise BadInputError("the form is not valid", code="form.invalid", problems=problems) from None


def parse_form(text: str) -> Form:
    """Form from YAML text. BadInputError ``form.invalid`` when it is not a valid form."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadInputError(f"the form is not valid: {error}", code="form.invalid") from error
    return read_form(content)


@lru_cache(maxsize=4)
def load_form(name: str = "form_v1") -> Form:
    """A packaged form, parsed once per process."""
    data = resources.files("qa.scoring").joinpath("data", f"{name}.yaml")
    return parse_form(data.read_text(encoding="utf-8"))
