"""How good a call's legs were, kept for whoever asks later why somebody could not be understood."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import structlog

from core.db import Database
from core.models.call import Call, CallQuality
from core.ports.media import QualitySummary
from core.security.actor import system_actor

log = structlog.get_logger(__name__)

_AVERAGES = (
    "loss_up",
    "loss_down",
    "jitter_up_ms",
    "jitter_down_ms",
    "rtt_ms",
    "bitrate_up_bps",
    "bitrate_down_bps",
)
_WORST = ("loss_up_max", "loss_down_max", "rtt_max_ms")
_SUMS = ("seconds", "freezes", "frozen_s")


class QualityBook:
    """The only writer of `CallQuality`. Composed into the media process, which knows when a call is over."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, call_id: str, seats: Sequence[QualitySummary]) -> None:
        """Store a node's summaries; joined with what another node stored when the call moved.

        Raises:
            SQLAlchemyError: The database does not take it.
        """
        async with self._database.unit_of_work(system_actor("calls")) as work:
            if await work.session.get(Call, call_id) is None:
                log.warning("quality of an unknown call", call_id=call_id)
                return
            for seat in seats:
                row = await work.session.get(CallQuality, (call_id, seat.seat.value), with_for_update=True)
                fields = asdict(seat) | {"seat": seat.seat.value, "bars_s": list(seat.bars_s)}
                if row is None:
                    work.session.add(CallQuality(call_id=call_id, **fields))
                else:
                    join(row, fields)


def join(row: CallQuality, fields: dict[str, Any]) -> None:
    """Add a later part of a call to its row: averages weighted by seconds, worst of both, sums."""
    old_s, new_s = row.seconds, fields["seconds"]
    for name in _AVERAGES:
        old, new = getattr(row, name), fields[name]
        if old is None or new is None:
            setattr(row, name, new if old is None else old)
            continue
        mean = (old * old_s + new * new_s) / (old_s + new_s)
        setattr(row, name, int(mean) if name.endswith("_bps") else mean)
    for name in _WORST:
        setattr(
            row, name, max((value for value in (getattr(row, name), fields[name]) if value is not None), default=None)
        )
    for name in _SUMS:
        setattr(row, name, getattr(row, name) + fields[name])
    row.bars_s = [old + new for old, new in zip(row.bars_s, fields["bars_s"], strict=True)]
