"""Owned, named background tasks: nothing runs that nobody waits for."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

log = structlog.get_logger(__name__)

CANCEL_AGAIN_S = 3.0  # longer than any clean-up takes

OnCrash = Callable[[str, BaseException], None]


class TaskOwner:
    """Owns a room's background tasks.

    A task that dies from an unexpected error is logged at once and reported to `on_crash`, so that a
    supervisor can end the process instead of limping on without it.
    """

    def __init__(self, name: str, on_crash: OnCrash | None = None) -> None:
        self.name = name
        self._on_crash = on_crash
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, name: str, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a coroutine as a named task until it ends or `close` is called."""
        task = asyncio.get_running_loop().create_task(coroutine, name=f"{self.name}: {name}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            log.error("task crashed", task=task.get_name(), exc_info=error)
            if self._on_crash is not None:
                self._on_crash(task.get_name(), error)

    async def close(self) -> None:
        """Cancel what still runs and wait for it.

        A cancellation can get lost: Python 3.11's `asyncio.wait_for`, which libraries use, swallows one that comes in
        the moment its own future is done (CPython issue 86296). So it is repeated until the task has ended. A task
        that closes an owner of its own may be cancelled again meanwhile; it leaves nothing running behind all the same.
        """
        cancelled: asyncio.CancelledError | None = None
        while tasks := [task for task in self._tasks if not task.done()]:
            for task in tasks:
                task.cancel()
            try:
                await asyncio.wait(tasks, timeout=CANCEL_AGAIN_S)
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled


async def run_together(name: str, **parts: Coroutine[Any, Any, Any]) -> None:
    """Run parts side by side until one ends or crashes, or until cancelled; none is left running then.

    Unlike `asyncio.TaskGroup`, which cancels its tasks once, this goes on until they have ended; see `TaskOwner.close`.

    Raises:
        Exception: what a part crashed from.
    """
    owner = TaskOwner(name)
    tasks = [owner.start(part, coroutine) for part, coroutine in parts.items()]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await owner.close()
    for task in ended:
        task.result()
