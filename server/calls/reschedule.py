"""Emergencies at the door: nobody joins while entry is stopped, and who was sent away does not wait twice."""

from core.errors import ConflictError
from core.models.call import Call, EndReason
from core.models.oversight import Emergency


def refuse_while_stopped(emergency: Emergency | None) -> None:
    """ConflictError ``counter.maintenance``, with what customers are told, while an emergency stops entry."""
    if emergency is not None:
        raise ConflictError(
            "the counter is closed for a moment",
            code="counter.maintenance",
            notice_zh=emergency.notice_zh,
            notice_en=emergency.notice_en,
        )


def kept_points(last: Call | None) -> int:
    """Points of a customer who comes again after having been sent away: what was waited for counts."""
    if last is None or last.end_reason != EndReason.RESCHEDULED or last.ended_at is None:
        return 0
    return last.priority + int((last.ended_at - last.queued_at).total_seconds())
