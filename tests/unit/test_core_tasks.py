"""Owned tasks end when their owner does."""

import asyncio
import contextlib

import pytest

from core import tasks
from core.tasks import TaskOwner, run_together


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


async def test_an_inner_owner_ends_its_tasks_when_cancelled_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "CANCEL_AGAIN_S", 0.01)
    began = asyncio.Event()

    async def hard_to_end() -> None:
        began.set()
        for _ in range(5):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    async def room() -> None:
        inner = TaskOwner("inner")
        try:
            inner.start("works", hard_to_end())
            await asyncio.Event().wait()
        finally:
            await inner.close()

    outer = TaskOwner("outer")
    outer.start("room", room())
    await began.wait()
    await outer.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


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


async def test_parts_run_together_end_together_even_when_a_cancellation_gets_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks, "CANCEL_AGAIN_S", 0.01)
    ended: list[str] = []

    async def deaf() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("deaf")

    async def crashing() -> None:
        await asyncio.sleep(0)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await run_together("house", deaf=deaf(), crashing=crashing())
    assert ended == ["deaf"]

    owner = TaskOwner("test")
    whole = owner.start("house", run_together("house", deaf=deaf(), other=deaf()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await owner.close()
    assert whole.cancelled()
    assert ended == ["deaf"] * 3
