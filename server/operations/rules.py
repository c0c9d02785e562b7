"""What is wrong with the installation, from its figures. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

HYSTERESIS = 0.8
"""A trouble is over when the figure is this far on the good side of its limit: no alarm flickers."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something a person has to see, once for as long as it lasts.

    Attributes:
        kind: Of the alarm. subject: What of this kind: a host, a process; empty: the house.
        text: In words, with the figures as they were when it began.
    """

    kind: str
    subject: str
    text: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a person has to see it. disk_b: free bytes; the others: seconds."""

    disk_b: float
    jobs_s: float
    speech_s: float
    backup_s: float


@dataclass(frozen=True, slots=True)
class Figures:
    """The installation as seen in one look.

    Attributes:
        present: Facts of all live processes by ``kind:name``. missing: Those that went without a word.
        jobs_s / speech_s: Age of the oldest job that waits, of the oldest recording that waits for its transcript.
        backup_s: Age of the newest good backup; None: none are expected.
    """

    present: Mapping[str, Mapping[str, Any]]
    missing: Mapping[str, Mapping[str, Any]]
    jobs_s: float = 0.0
    speech_s: float = 0.0
    backup_s: float | None = None


def replaced(gone: Mapping[str, Any], name: str, present: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether a process of the same kind has begun on the host since the last beat, or one of the name anywhere."""
    kind = name.partition(":")[0]
    return name in present or any(
        other.partition(":")[0] == kind
        and facts.get("host") == gone.get("host")
        and facts.get("started_at", 0.0) > gone.get("seen_at", 0.0)
        for other, facts in present.items()
    )


def troubles(figures: Figures, limits: Limits, standing: Collection[Trouble]) -> list[Trouble]:
    """All that is wrong now; `standing`: what was wrong at the last look."""
    found = [*_disks(figures.present, limits.disk_b, standing), *_gone(figures)]
    for kind, value, limit, text in (
        ("jobs.behind", figures.jobs_s, limits.jobs_s, "background jobs wait for {} min"),
        ("speech.behind", figures.speech_s, limits.speech_s, "recordings wait for their transcripts for {} min"),
        ("backup.overdue", figures.backup_s, limits.backup_s, "the newest good backup is {} min old"),
    ):
        stands = any(trouble.kind == kind for trouble in standing)
        if value is not None and value > limit * (HYSTERESIS if stands else 1.0):
            found.append(Trouble(kind, "", text.format(round(value / 60))))
    return found


def _disks(
    present: Mapping[str, Mapping[str, Any]], limit_b: float, standing: Collection[Trouble]
) -> Iterable[Trouble]:
    free: dict[str, float] = {}
    for facts in present.values():
        if "disk_free_b" in facts:
            host = str(facts.get("host", ""))
            free[host] = min(free.get(host, float("inf")), float(facts["disk_free_b"]))
    for host, free_b in sorted(free.items()):
        stands = any(trouble.kind == "disk.low" and trouble.subject == host for trouble in standing)
        if free_b < limit_b / (HYSTERESIS if stands else 1.0):
            yield Trouble("disk.low", host, f"{free_b / 1e9:.1f} GB are free on {host}")


def _gone(figures: Figures) -> Iterable[Trouble]:
    for name, told in sorted(figures.missing.items()):
        if not replaced(told, name, figures.present):
            kind = name.partition(":")[0]
            left = sum(other.partition(":")[0] == kind for other in figures.present)
            yield Trouble(
                "node.lost", name, f"{name} on {told.get('host')} does not answer; {left} of its kind are left"
            )
