"""What is wrong with the installation, from its figures."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from server.operations.rules import Figures, Limits, Trouble, replaced, troubles

LIMITS = Limits(disk_b=5e9, jobs_s=300, speech_s=1800, backup_s=93_600)
AGES = st.floats(0, 1e6)


def found(figures: Figures, standing: tuple[Trouble, ...] = ()) -> set[tuple[str, str]]:
    return {(trouble.kind, trouble.subject) for trouble in troubles(figures, LIMITS, standing)}


@given(AGES, AGES, st.none() | AGES, st.floats(0, 2e10))
def test_a_standing_trouble_never_ends_earlier_than_it_would_begin(
    jobs_s: float, speech_s: float, backup_s: float | None, free_b: float
) -> None:
    present = {"media:m": {"host": "a", "disk_free_b": free_b}}
    figures = Figures(present, {}, jobs_s, speech_s, backup_s)
    fresh = troubles(figures, LIMITS, ())
    everything = [Trouble(kind, "", "") for kind in ("jobs.behind", "speech.behind", "backup.overdue")]
    lasting = troubles(figures, LIMITS, [*everything, Trouble("disk.low", "a", "")])
    assert set(fresh) <= set(lasting)
    assert (jobs_s > 300) == (Trouble("jobs.behind", "", "") in fresh)
    assert (free_b < 5e9) == (Trouble("disk.low", "a", "") in fresh)
    assert backup_s is not None or Trouble("backup.overdue", "", "") not in lasting


def test_a_disk_is_told_once_for_all_processes_of_a_host() -> None:
    present = {
        "media:1": {"host": "a", "disk_free_b": 4e9},
        "worker:2": {"host": "a", "disk_free_b": 3e9},
        "edge:3": {"host": "b", "disk_free_b": 9e9},
        "edge:older": {"host": "c"},
    }
    assert found(Figures(present, {})) == {("disk.low", "a")}


def test_who_takes_the_place_of_a_dead_process() -> None:
    gone = {"host": "a", "started_at": 100.0, "seen_at": 200.0}

    def by(name: str, host: str, started_at: float) -> bool:
        return replaced(gone, "worker:w1", {name: {"host": host, "started_at": started_at}})

    assert by("worker:w2", "a", 201.0)
    assert by("worker:w1", "b", 50.0), "the name is back, wherever"
    assert not by("worker:w2", "a", 150.0), "it was there before already"
    assert not by("worker:w2", "b", 201.0), "on another machine"
    assert not by("edge:e2", "a", 201.0)
    missing: dict[str, dict[str, Any]] = {"worker:w1": gone}
    assert found(Figures({}, missing)) == {("node.lost", "worker:w1")}
    assert found(Figures({"worker:w2": {"host": "a", "started_at": 201.0}}, missing)) == set()
