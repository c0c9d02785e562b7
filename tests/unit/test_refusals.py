"""The table of refusals is what the code says, and pages have words for what customers meet."""

from pathlib import Path

from server.app.refusals import refusals, table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "refusals.md"


def test_the_page_is_made_from_the_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == table(), "python -m server.app.refusals > docs/refusals.md"


def test_the_code_is_read_right() -> None:
    found = {(each.code, each.status) for each in refusals()}
    assert {
        ("case.stale", "409"),
        ("step.not_yours", "403"),
        ("step.recording_not_running", "409"),
        ("identity.expired", "409"),
        ("document.active", "400"),
        ("notice.channel_down", "503"),
        ("review.refused", "stopped"),
        ("confirm.objected", "sent back"),
    } - found == {("identity.expired", "409")}  # not an answer to a request: the business is stopped by it
    assert all(code and " " not in code for code, _ in found)
