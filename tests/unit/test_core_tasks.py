"""Owned tasks end when their owner does."""

import asyncio

import pytest

from core import tasks
from core.tasks import TaskOwner


async def test_close_ends_a_task_whose_first_cancellation_got_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "CANCEL_AGAIN_S", 0.01)
    lost = 0

    async def swallows_once() -> None:
        nonlocal lost
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            lost += 1
        await asyncio.Event().wait()

    owner = TaskOwner("test")
    task = owner.start("swallows", swallows_once())
    await asyncio.sleep(0)
    await owner.close()
    assert lost == 1
    assert task.cancelled()


async def test_a_crash_is_told_and_a_cancellation_is_not() -> None:
    crashed: list[str] = []
    owner = TaskOwner("test", lambda name, error: crashed.append(f"{name}: {error}"))

    async def dies() -> None:
        raise ValueError("broken")

    owner.start("waits", asyncio.Event().wait())
    dying = owner.start("dies", dies())
    await asyncio.wait([dying])
    await owner.close()
    assert crashed == ["test: dies: broken"]
