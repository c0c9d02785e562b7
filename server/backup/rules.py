"""When a backup is due, and which ones may go. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Plan:
    """How backups are made by the clock.

    Attributes:
        at: Time of day in `zone`. keep: How many backups stay.
        drill_days: Days from one rehearsal to the next; 0: none.
    """

    at: time
    zone: ZoneInfo
    keep: int
    drill_days: int

    def slot(self, now: datetime) -> datetime:
        """The latest time a backup was due, in UTC; at `now` or up to a day before."""
        local = now.astimezone(self.zone)
        today = datetime.combine(local.date(), self.at, self.zone)
        latest = today if today <= local else datetime.combine(local.date() - timedelta(days=1), self.at, self.zone)
        return latest.astimezone(now.tzinfo)

    def next_slot(self, now: datetime) -> datetime:
        """When the next one is due, in UTC."""
        local = self.slot(now).astimezone(self.zone)
        return datetime.combine(local.date() + timedelta(days=1), self.at, self.zone).astimezone(now.tzinfo)

    def drill_due(self, slot: datetime, last_drill: datetime | None) -> bool:
        """Whether the backup of a slot is rehearsed; `last_drill`: slot of the last one."""
        if self.drill_days == 0:
            return False
        return last_drill is None or slot - last_drill >= timedelta(days=self.drill_days) - timedelta(hours=2)


def to_remove(backups: Sequence[str], keep: int, proven: Collection[str]) -> list[str]:
    """Backups that may go: all but the newest `keep` and the newest one that a rehearsal has proven.

    Args:
        backups: Ids, oldest first. keep: At least 1.
    """
    kept = set(backups[-keep:])
    kept |= set([each for each in backups if each in proven][-1:])
    return [each for each in backups if each not in kept]
