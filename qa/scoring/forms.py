"""Which form judged an evaluation: packaged forms by version."""

from functools import lru_cache
from importlib import resources

from core.errors import NotFoundError
from qa.scoring.form import Form, load_form


def form_version(form: Form) -> str:
    """As stored with evaluations, e.g. ``counter_form-1``."""
    return f"{form.id}-{form.version}"


@lru_cache(maxsize=1)
def _packaged() -> dict[str, Form]:
    files = (resources.files("qa.scoring") / "data").iterdir()
    forms = [load_form(file.name.removesuffix(".yaml")) for file in files if file.name.endswith(".yaml")]
    return {form_version(form): form for form in forms}


def form_by_version(version: str) -> Form:
    """The form of this version, however old. NotFoundError ``form.not_found``."""
    form = _packaged().get(version)
    if form is None:
        raise NotFoundError("this installation does not have the form", code="form.not_found", version=version)
    return form
