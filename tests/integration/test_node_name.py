"""Two media processes of one name: the second one is refused, and a killed one comes back at once."""

import asyncio
from pathlib import Path

import pytest
from redis.asyncio import Redis

from core.tasks import TaskOwner
from server.app import node_name
from server.app.node_name import NameTakenError, NodeName


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("GONE_AFTER_S", 0.6), ("BEAT_S", 0.1), ("LOOK_S", 0.05)):
        monkeypatch.setattr(node_name, name, seconds)


async def test_one_folder_has_one_holder_of_a_name(redis: Redis, tmp_path: Path) -> None:
    first = NodeName(redis, tmp_path, "media-1")
    await first.take()
    with pytest.raises(NameTakenError, match="AIRCOUNTER_MEDIA_NODE_ID"):
        await NodeName(redis, tmp_path, "media-1").take()
    other = NodeName(redis, tmp_path, "media-2")
    await other.take()
    first.drop()  # killed: the lock falls, the claim in Redis stays for a while
    again = NodeName(redis, tmp_path, "media-1")
    async with asyncio.timeout(0.4):
        await again.take()
    for name in (other, again):
        name.drop()


async def test_two_machines_have_one_holder_of_a_name(redis: Redis, tmp_path: Path) -> None:
    owner, lost = TaskOwner("test"), asyncio.Event()
    here = NodeName(redis, tmp_path / "here", "media-1")
    await here.take()
    keeping = owner.start("keep", here.keep(lost.set))
    there = NodeName(redis, tmp_path / "there", "media-1")
    with pytest.raises(NameTakenError):
        await there.take()
    await owner.close()
    assert keeping.cancelled()
    async with asyncio.timeout(0.4):
        await there.take()  # the first one ended in order: nobody waits
    there.drop()  # the second one is killed and does not come back
    await here.take()
    here.drop()
    assert not lost.is_set()


async def test_who_lost_the_name_while_redis_was_away_is_told(redis: Redis, tmp_path: Path) -> None:
    owner, lost = TaskOwner("test"), asyncio.Event()
    here = NodeName(redis, tmp_path / "here", "media-1")
    await here.take()
    owner.start("keep", here.keep(lost.set))
    await redis.flushall()  # all that Redis knew is lost
    there = NodeName(redis, tmp_path / "there", "media-1")
    await there.take()
    async with asyncio.timeout(2):
        await lost.wait()
    await owner.close()
    there.drop()
