"""Editing forms: drafts with validation, versions that never change once they are active."""

from decimal import Decimal
from typing import Any

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import Database
from core.errors import BadInputError, ConflictError, NotFoundError
from core.models.qa import Evaluation, EvaluationForm, FormState
from core.models.staff import Staff
from core.security.actor import Actor
from core.security.permissions import Permission
from qa.scoring.form import Form, read_form
from qa.scoring.forms import form_version, packaged_forms
from qa.scoring.schemas import (
    FormBody,
    FormCheck,
    FormDetail,
    FormDraftRequest,
    FormProblem,
    FormRow,
    FormRows,
    form_body,
)


class FormBook:
    """All forms of the house."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rows(self, actor: Actor) -> FormRows:
        """Every version, newest first."""
        actor.require(Permission.QA_MANAGE)
        async with self._database.read() as session:
            used = await _used(session)
            stored = (await session.scalars(select(EvaluationForm))).all()
            names = await _names(session, [row.edited_by for row in stored])
            rows = [_row(Form.model_validate(row.content), row, used, names) for row in stored]
            known = {row.form_version for row in stored}
            rows += [_row(form, None, used, {}) for key, form in packaged_forms().items() if key not in known]
        every = [item for form in packaged_forms().values() for item in form.items]
        return FormRows(
            items=sorted(rows, key=lambda row: (row.form_id, -row.version)),
            nodes=sorted({node for item in every for node in item.nodes}),
            violations=sorted({rule for item in every for rule in item.violations}),
        )

    async def one(self, actor: Actor, version: str) -> FormDetail:
        """One version with its content. NotFoundError ``form.not_found``."""
        actor.require(Permission.QA_MANAGE)
        async with self._database.read() as session:
            row = await session.get(EvaluationForm, version)
            form = Form.model_validate(row.content) if row else packaged_forms().get(version)
            if form is None:
                raise NotFoundError("there is no such form", code="form.not_found", version=version)
            names = await _names(session, [row.edited_by] if row else [])
            head = _row(form, row, await _used(session), names)
        content = form_body(form.model_dump(mode="json"))
        return FormDetail(**head.model_dump(), revision=row.revision if row else 0, form=content)

    def check(self, form: FormBody) -> FormCheck:
        """What is wrong with a form, without saving it."""
        weights = [Decimal(repr(item.weight)) for section in form.sections for item in section.items if not item.bonus]
        try:
            _read(form, 1)
        except BadInputError as error:
            problems = [FormProblem.model_validate(one) for one in error.fields.get("problems", [])]
        else:
            problems = []
        return FormCheck(total=float(sum(weights, Decimal(0))), problems=problems)

    async def save(self, actor: Actor, request: FormDraftRequest) -> str:
        """Save a draft: the form's open draft, or a new version when there is none; returns its version.

        Raises:
            BadInputError: ``form.invalid`` with `problems`. ConflictError: ``form.stale``.
        """
        actor.require(Permission.QA_MANAGE)
        async with self._database.unit_of_work(actor) as work:
            rows = await _versions(work.session, request.form.id)
            draft = next((row for row in rows if row.state == FormState.DRAFT), None)
            if (draft.revision if draft else 0) != request.revision:
                raise ConflictError("somebody saved this draft meanwhile", code="form.stale")
            packaged = [form.version for form in packaged_forms().values() if form.id == request.form.id]
            version = draft.version if draft else max([0, *packaged, *(row.version for row in rows)]) + 1
            form = _read(request.form, version)
            if draft is None:
                draft = EvaluationForm(
                    form_version=form_version(form),
                    form_id=form.id,
                    version=version,
                    state=FormState.DRAFT,
                    revision=0,
                    edited_at=work.clock.now(),
                )
                work.session.add(draft)
            draft.content, draft.revision = form.model_dump(mode="json"), draft.revision + 1
            draft.edited_by, draft.edited_at = actor.staff_id, work.clock.now()
            work.audit("form.save", "evaluation_form", draft.form_version, revision=draft.revision)
            return draft.form_version

    async def activate(self, actor: Actor, version: str, revision: int) -> None:
        """Let a draft judge new calls. From now on it cannot be changed.

        Raises:
            NotFoundError: ``form.not_found``. ConflictError: ``form.stale``, ``form.not_draft``.
        """
        actor.require(Permission.QA_MANAGE)
        async with self._database.unit_of_work(actor) as work:
            row = await work.session.get(EvaluationForm, version, with_for_update=True)
            if row is None:
                raise NotFoundError("there is no such form", code="form.not_found", version=version)
            if row.state != FormState.DRAFT:
                raise ConflictError("this version is not a draft", code="form.not_draft")
            if row.revision != revision:
                raise ConflictError("somebody saved this draft meanwhile", code="form.stale")
            for other in await _versions(work.session, row.form_id):
                if other.state == FormState.ACTIVE:
                    other.state = FormState.RETIRED
            row.state, row.activated_by, row.activated_at = FormState.ACTIVE, actor.staff_id, work.clock.now()
            work.audit("form.activate", "evaluation_form", version, revision=revision)


def _read(form: FormBody, version: int) -> Form:
    content: dict[str, Any] = form.model_dump(mode="json")
    for section in content["sections"]:
        for item in section["items"]:
            item["weight"] = repr(item["weight"])
    return read_form({**content, "version": version, "pass_mark": repr(form.pass_mark)})


async def _versions(session: AsyncSession, form_id: str) -> list[EvaluationForm]:
    query = select(EvaluationForm).where(col(EvaluationForm.form_id) == form_id).with_for_update()
    return list((await session.scalars(query)).all())


async def _used(session: AsyncSession) -> dict[str, int]:
    query = select(col(Evaluation.form_version), func.count()).group_by(col(Evaluation.form_version))
    return dict((await session.execute(query)).all())


async def _names(session: AsyncSession, staff_ids: list[str | None]) -> dict[str, str]:
    query = select(col(Staff.id), col(Staff.display_name)).where(col(Staff.id).in_([one for one in staff_ids if one]))
    return dict((await session.execute(query)).all())


def _row(form: Form, row: EvaluationForm | None, used: dict[str, int], names: dict[str, str]) -> FormRow:
    version = form_version(form)
    return FormRow.model_validate(
        {
            "form_version": version,
            "form_id": form.id,
            "version": form.version,
            "title_zh": form.title_zh,
            "title_en": form.title_en,
            "state": row.state if row else "packaged",
            "businesses": list(form.businesses),
            "items": len(form.items),
            "used": used.get(version, 0),
            "edited_by": names.get(row.edited_by or "") if row else None,
            "edited_at": row.edited_at if row else None,
            "activated_at": row.activated_at if row else None,
        }
    )
