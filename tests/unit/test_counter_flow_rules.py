"""A draft of a flow is told everything that is wrong with it, and where; what is shipped has nothing wrong."""

import copy
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.security.sealing import Sealer
from server.counter.flow_rules import read_flow
from server.counter.flows import Flow, packaged_flows
from server.counter.kind import House
from server.counter.kinds import load_kinds

KINDS = load_kinds(cast(House, type("NoHouse", (), {"sealer": Sealer(b"m" * 32), "master_key": b"m" * 32})()))
TRANSFER = next(flow for flow in packaged_flows() if flow.code == "transfer").model_dump(mode="json")
KEYS = [step["key"] for step in TRANSFER["steps"]]
FORM, QUESTIONS, FEE, REVIEW, POSTING = (KEYS.index(key) for key in ("form", "questions", "fee", "review", "posting"))
LEAVE_OUT = object()


def wrong(*path: Any, to: Any = LEAVE_OUT) -> set[tuple[str, str]]:
    """Problems of the shipped transfer after one thing is changed or left out."""
    draft = copy.deepcopy(TRANSFER)
    inside: Any = draft
    for part in path[:-1]:
        inside = inside[part]
    if to is LEAVE_OUT:
        del inside[path[-1]]
    else:
        inside[path[-1]] = to
    return problems(draft)


def problems(draft: Any) -> set[tuple[str, str]]:
    _, found = read_flow(draft, "transfer", KINDS)
    return {(each.at, each.problem) for each in found}


@pytest.mark.parametrize("flow", packaged_flows(), ids=lambda flow: flow.code)
def test_what_is_shipped_is_right(flow: Flow) -> None:
    assert read_flow(flow.model_dump(mode="json"), flow.code, KINDS) == (flow, [])


def test_what_has_not_the_right_shape() -> None:
    assert wrong("steps", FEE, "kind", to="magic") == {(f"steps.{FEE}.kind", "kind_unknown")}
    assert wrong("steps", FEE, "key", to="form") == {("", "not_right")}
    assert wrong("time_limit_s", to=1) == {("time_limit_s", "range")}
    assert wrong("lane", to="simple") == {("time_limit_s", "lane_time")}
    assert wrong("plain_zh", to="") == {("plain_zh", "missing")}
    assert wrong("plain_zh") == {("plain_zh", "missing")}
    assert wrong("steps", FEE, "title_zh", to="长" * 61) == {(f"steps.{FEE}.title_zh", "too_long")}
    assert wrong("steps", FEE, "doer", to="system") == {(f"steps.{FEE}.doer", "doer")}
    assert wrong("steps", FEE, "config", "per_million", to=-1) == {(f"steps.{FEE}.config.per_million", "range")}
    assert wrong("steps", FEE, "config", "least_fen", to=9_000) == {(f"steps.{FEE}.config", "not_right")}
    assert wrong("limits", "amount_max_fen", to=10**20) == {("limits.amount_max_fen", "range")}
    assert wrong("code", to="loan") == {("code", "other_code")}
    assert (f"steps.{FORM}.config", "not_right") in wrong("steps", FORM, "config", "fields", 1, "key", to="name")
    for draft in (None, 7, "text", [], {}, {"steps": 3}):
        assert problems(draft), draft


def test_what_would_get_stuck() -> None:
    assert wrong("steps", FEE, "identity", to=3) == {(f"steps.{FEE}.identity", "identity_not_reached")}
    assert wrong("steps", FEE, "config", "amount_field", to="memo") == {
        (f"steps.{FEE}.config.amount_field", "field_missing")
    }
    phone = wrong("steps", KEYS.index("identity"), "config", to={"level": 2, "phone": True})
    assert phone == {(f"steps.{KEYS.index('identity')}.config.phone", "field_missing")}
    assert (f"steps.{POSTING}.config.operation", "field_missing") in wrong("steps", FORM, "config", "fields", 4)
    optional = wrong("steps", FORM, "config", "fields", 4, "required", to=False)
    assert (f"steps.{POSTING}.config.operation", "field_missing") in optional
    assert wrong("steps", FORM, "config", "fields", 4, "type", to="text") >= {
        (f"steps.{POSTING}.config.operation", "field_missing")
    }


def test_what_would_pass_somebody_by() -> None:
    assert (f"steps.{POSTING - 1}", "review_missing") in wrong("steps", REVIEW)
    assert (f"steps.{POSTING - 1}", "questions_missing") in wrong("steps", QUESTIONS)
    assert (f"steps.{POSTING - 1}", "identity_missing") in wrong("steps", KEYS.index("identity"))
    assert (f"steps.{POSTING - 1}", "confirm_missing") in wrong("steps", KEYS.index("confirm"))
    hidden = {(f"steps.{REVIEW}.config.amount_field", "amount_hidden")}
    assert wrong("steps", REVIEW, "config", "amount_field") == hidden
    assert (f"steps.{REVIEW}.config.account_field", "account_hidden") in wrong(
        "steps", REVIEW, "config", to={"amount_field": "amount", "account_field": "payee_account"}
    )
    late = copy.deepcopy(TRANSFER)
    late["steps"].insert(POSTING + 1, late["steps"].pop(REVIEW))
    assert (f"steps.{POSTING - 1}", "review_missing") in problems(late)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(st.integers(0, len(KEYS) - 1), st.sampled_from(["key", "kind", "doer", "identity", "config", "title_zh"]), JSON)
def test_nothing_breaks_the_reading(step: int, part: str, value: Any) -> None:
    wrong("steps", step, part, to=value)


@given(JSON)
def test_no_form_breaks_the_reading(value: Any) -> None:
    wrong("steps", FORM, "config", to={"fields": value})
    wrong("steps", FORM, "config", "fields", 5, "choices", to=value)
