"""Tells people what is wrong with a running recording, and when it is whole again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import SQLAlchemyError

from core.tasks import TaskOwner
from recording.capture.ledger import Ledger

if TYPE_CHECKING:
    from recording.capture.running import Capture

log = structlog.get_logger(__name__)

RETRY_S = (0.2, 1.0, 5.0, 30.0)


class Reporter:
    """Keeps the open troubles of each recording and stores their begin and end in the order they happened.

    A trouble is named by a short text, e.g. ``silent customer``; while it lasts it is told once. `RecordingResumed`
    is told only when the last one is over, because it means that the recording is whole.
    """

    def __init__(self, ledger: Ledger, owner: TaskOwner) -> None:
        self._ledger = ledger
        self._owner = owner

    def begins(self, capture: "Capture", trouble: str, reason: str, alarm: str) -> None:
        """Something is wrong from now on."""
        if trouble in capture.troubles:
            return
        capture.troubles.add(trouble)
        meta = capture.meta
        log.error("recording failed", call_id=meta.call_id, reason=reason, alarm=alarm)
        self.tell(capture, lambda: self._ledger.failed(meta.recording_id, meta.call_id, reason, alarm))

    def over(self, capture: "Capture", trouble: str, reason: str) -> None:
        """That is right again. Nothing happens when it was not wrong."""
        if trouble not in capture.troubles:
            return
        capture.troubles.discard(trouble)
        meta = capture.meta
        log.info("recording trouble over", call_id=meta.call_id, reason=reason, left=sorted(capture.troubles))
        if not capture.troubles:
            self.tell(capture, lambda: self._ledger.resumed(meta.recording_id, meta.call_id, reason))

    def tell(self, capture: "Capture", use_case: Callable[[], Awaitable[None]]) -> None:
        """Store something about a recording after all that was told before."""
        self._owner.start(f"report {capture.meta.call_id}", self._tell(capture, use_case))

    async def _tell(self, capture: "Capture", use_case: Callable[[], Awaitable[None]]) -> None:
        async with capture.telling:  # waiting tasks get it in the order they came
            for pause_s in RETRY_S:
                try:
                    await use_case()
                    return
                except (SQLAlchemyError, OSError) as error:
                    log.error("trouble of a recording could not be stored", error=str(error))
                await asyncio.sleep(pause_s)
