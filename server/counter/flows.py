"""How a business is done, as data: steps, documents, limits, wording. Versioned; new businesses need no code."""

from functools import lru_cache
from importlib import resources
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Label = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^\x00]*$")]
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
Doer = Literal["customer", "teller", "reviewer", "system"]

SIMPLE_LANE_S = 5 * 60
LONGEST_S = 60 * 60
LARGEST_FEN = 10_000_000_000_00  # 10 billion yuan: larger than anything a counter handles


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DocumentSpec(_Data):
    """A document the business needs. `required`: the documents step cannot end without an accepted one."""

    code: Code
    name_zh: Label
    name_en: Label
    hint_zh: Sentence
    hint_en: Sentence
    required: bool = True


class Limits(_Data):
    """Amounts in 分. None: no limit of this business's own.

    Attributes:
        day_total_check_fen: From more than this on a day on, the second person writes down why it is right.
    """

    amount_max_fen: Annotated[int, Field(gt=0, le=LARGEST_FEN)] | None = None
    day_total_check_fen: Annotated[int, Field(gt=0, le=LARGEST_FEN)] | None = None


class StepSpec(_Data):
    """One step of a flow.

    Attributes:
        title_… / plain_…: For both screens; `plain` says in one everyday sentence what happens and what to do.
        identity: Identity level the case must have reached before this step begins.
        config: As the step's kind defines.
    """

    key: Code
    kind: Code
    doer: Doer
    title_zh: Label
    title_en: Label
    plain_zh: Sentence
    plain_en: Sentence
    identity: Annotated[int, Field(ge=0, le=3)] = 0
    config: dict[str, Any] = Field(default_factory=dict)


class Flow(_Data):
    """One version of how a business is done.

    Attributes:
        lane: ``simple`` businesses are done within five minutes.
        review: Level of the second person who has to agree; 0 none. Finer rules are the review step's own.
    """

    code: Code
    lane: Literal["standard", "simple"] = "standard"
    time_limit_s: Annotated[int, Field(ge=30, le=LONGEST_S)]
    review: Annotated[int, Field(ge=0, le=3)] = 0
    fee_zh: Sentence
    fee_en: Sentence
    plain_zh: Sentence
    plain_en: Sentence
    limits: Limits = Limits()
    documents: tuple[DocumentSpec, ...] = ()
    steps: Annotated[tuple[StepSpec, ...], Field(min_length=1, max_length=20)]

    @model_validator(mode="before")
    @classmethod
    def _without_script(cls, content: Any) -> Any:
        """Versions stored before what has to be said was the script rules' matter alone still name it."""
        return (
            {key: value for key, value in content.items() if key != "script"} if isinstance(content, dict) else content
        )

    @model_validator(mode="after")
    def _check(self) -> "Flow":
        for what, codes in (
            ("step keys", [step.key for step in self.steps]),
            ("document codes", [document.code for document in self.documents]),
        ):
            if len(set(codes)) != len(codes):
                raise ValueError(f"{what} must be unique")
        if self.documents and not any(step.kind == "documents" for step in self.steps):
            raise ValueError("documents are asked for, but no step takes them")
        return self

    def step(self, key: str) -> StepSpec:
        """One step. KeyError when there is none."""
        return next(step for step in self.steps if step.key == key)


@lru_cache(maxsize=1)
def packaged_flows() -> tuple[Flow, ...]:
    """The flows as shipped: version 1 of every business, one file each."""
    folder = resources.files("server.counter") / "data" / "flows"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)
    return tuple(Flow.model_validate(yaml.safe_load(file.read_text(encoding="utf-8"))) for file in files)
