"""The table of refusals is read from the code."""

from server.app.refusal_codes import table


def test_statuses_come_from_the_classes() -> None:
    rows = {line.split("`")[1]: line for line in table().splitlines() if line.startswith("| `")}
    assert "| 409 | no |" in rows["slot.gone"]
    assert "| 400 | no |" in rows["webhook.target_denied"]
    assert "| 503 | yes |" in rows["webhook.unreachable"]
    assert "| 401 |" in rows["auth.required"]
