"""Which form judges a call, and which judged an evaluation: versions from the table, then the packaged ones."""

from functools import lru_cache
from importlib import resources

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.errors import NotFoundError
from core.models.qa import EvaluationForm, FormState
from qa.scoring.form import Form, load_form


def form_version(form: Form) -> str:
    """As stored with evaluations, e.g. ``counter_form-1``."""
    return f"{form.id}-{form.version}"


@lru_cache(maxsize=1)
def packaged_forms() -> dict[str, Form]:
    """Forms that came with this release, by version."""
    files = (resources.files("qa.scoring") / "data").iterdir()
    forms = [load_form(file.name.removesuffix(".yaml")) for file in files if file.name.endswith(".yaml")]
    return {form_version(form): form for form in forms}


def form_by_version(version: str) -> Form:
    """The packaged form of this version, however old. NotFoundError ``form.not_found``."""
    form = packaged_forms().get(version)
    if form is None:
        raise NotFoundError("this installation does not have the form", code="form.not_found", version=version)
    return form


async def stored_form(session: AsyncSession, version: str) -> Form:
    """The form of this version. NotFoundError ``form.not_found``."""
    row = await session.get(EvaluationForm, version)
    return form_by_version(version) if row is None else Form.model_validate(row.content)


async def active_form(session: AsyncSession, business: str, fallback: Form) -> Form:
    """The form that judges calls about a business: one that names it, else one for all, else the packaged one."""
    query = select(EvaluationForm).where(col(EvaluationForm.state) == FormState.ACTIVE)
    rows = (await session.scalars(query.order_by(col(EvaluationForm.form_version)))).all()
    forms = [Form.model_validate(row.content) for row in rows]
    named = [form for form in forms if business in form.businesses]
    general = [form for form in forms if not form.businesses]
    return [*named, *general, fallback][0]
