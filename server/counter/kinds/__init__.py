"""Step kinds, one module each: a function ``build(house) -> StepKind``. They are found by being here."""

import pkgutil
from collections.abc import Mapping
from importlib import import_module

from server.counter.kind import House, StepKind

Kinds = Mapping[str, StepKind]


def load_kinds(house: House) -> Kinds:
    """Every kind of this folder, by name. RuntimeError when a module's name is not its kind's."""
    kinds: dict[str, StepKind] = {}
    for module in pkgutil.iter_modules(__path__):
        kind: StepKind = import_module(f"{__name__}.{module.name}").build(house)
        if kind.name != module.name:
            raise RuntimeError(f"server/counter/kinds/{module.name}.py builds the kind {kind.name}")
        kinds[kind.name] = kind
    return kinds
