"""Progress of the work after a call."""

import pytest

from server.calls.result import transcript_stage, with_job


@pytest.mark.parametrize(
    ("states", "stage"),
    [
        ([], "waiting"),
        (["running"], "running"),
        (["ready", "running"], "running"),
        (["ready", "ready"], "done"),
        (["ready", "failed"], "failed"),
        (["not_transcribed", "not_transcribed"], "not_transcribed"),
        (["ready", "not_transcribed"], "not_transcribed"),
    ],
)
def test_transcripts(states: list[str], stage: str) -> None:
    assert transcript_stage(states) == stage


def test_a_job_shows_before_there_are_rows() -> None:
    assert with_job("waiting", None) == "waiting"
    assert with_job("waiting", ("pending", 0)) == "waiting"
    assert with_job("waiting", ("pending", 1)) == "running"
    assert with_job("running", ("failed", 5)) == "failed"
    assert with_job("done", ("failed", 5)) == "done"
    assert with_job("not_transcribed", ("pending", 2)) == "not_transcribed"
