"""Shares keep their exact value through the JSON column and the page."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import NotFoundError
from core.models.transcript import Transcript, TranscriptState
from qa.scoring.form import load_form
from qa.scoring.forms import form_by_version, form_version
from qa.scoring.score import Answer
from qa.scoring.stored import answers_from_json, answers_to_json
from qa.transcripts import WAITING, state_of

SHARES = st.one_of(st.none(), st.decimals(0, 1, allow_nan=False, places=28))


@given(st.dictionaries(st.text(min_size=1), SHARES.map(Answer)))
def test_answers_survive_storage(answers: dict[str, Answer]) -> None:
    assert answers_from_json(json.loads(json.dumps(answers_to_json(answers)))) == answers


@given(st.floats(0, 1, allow_nan=False))
def test_a_share_from_a_page_goes_back_unchanged(share: float) -> None:
    stored = answers_to_json({"item": Answer(Decimal(repr(share)))})
    fraction = answers_from_json(stored)["item"].fraction
    assert fraction is not None
    assert float(fraction) == share


def test_every_packaged_form_is_found_by_its_version() -> None:
    form = load_form()
    assert form_by_version(form_version(form)) == form
    with pytest.raises(NotFoundError, match="does not have the form"):
        form_by_version("counter_form-0")


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((), WAITING),
        (("ready", "ready"), "ready"),
        (("ready", "running"), "running"),
        (("ready", "not_transcribed"), "not_transcribed"),
        (("failed", "running"), "failed"),
        (("ready", "failed"), "failed"),
    ],
)
def test_a_call_is_as_far_as_its_worse_side(states: tuple[str, ...], expected: str) -> None:
    assert state_of([Transcript(state=TranscriptState(state)) for state in states]) == expected
