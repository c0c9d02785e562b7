"""The page of refusals is what the code says."""

from pathlib import Path

from server.app.refusal_codes import endings, refusals, table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "refusal-codes.md"


def test_the_page_is_made_from_the_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == table(), "run ./dev gen and commit docs/refusal-codes.md"


def test_statuses_come_from_the_classes() -> None:
    found = {(each.code, each.status, each.retryable) for each in refusals()}
    assert {
        ("slot.gone", 409, False),
        ("webhook.target_denied", 400, False),
        ("webhook.unreachable", 503, True),
        ("notice.channel_down", 503, True),
        ("auth.required", 401, False),
        ("case.stale", 409, False),
        ("step.recording_not_running", 409, False),  # a constant that others refuse with
        ("review.own_work", 403, False),  # what a function of the module returns
        ("change.own", 403, False),
    } <= found
    assert all(code and " " not in code for code, _, _ in found)


def test_endings_are_told_apart_from_answers() -> None:
    found = {(each.code, each.what) for each in endings()}
    assert {
        ("review.refused", "stopped"),
        ("confirm.objected", "sent back"),
        ("review.not_needed", "left out"),
    } <= found
