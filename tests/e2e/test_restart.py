"""Everything is killed at once during a call: afterwards the call is closed with a reason and the recording plays."""

import asyncio
import contextlib
import io
import time
from pathlib import Path

import av
import numpy as np
import pytest
from running_house import RunningHouse

from core.errors import CounterError
from server.demo import call as demo
from server.identity.seed import DEMO_PASSWORD

LOST_AT_MOST_S = 1.0

pytestmark = pytest.mark.timeout(240)


async def test_kill_during_a_call_loses_at_most_a_second(tmp_path: Path) -> None:
    with RunningHouse(tmp_path, AIRCOUNTER_LIVE_ENGINE="none", AIRCOUNTER_FINAL_ENGINE="none") as house:
        talked_s = await _talk_until_killed(house, tmp_path, talk_s=6.0)
        house.start()
        result, files = await _read_call(house)
    assert result["end_reason"] == "system_restart"
    assert result["stages"]["transcript"] == "not_transcribed"
    assert {file["party"] for file in result["recordings"]} == {"customer", "teller"}
    for data in files:
        assert _decoded_s(data) > talked_s - LOST_AT_MOST_S


async def _talk_until_killed(house: RunningHouse, out_dir: Path, talk_s: float) -> float:
    """Returns how long both parties had seen each other when everything died."""
    began = asyncio.get_running_loop().create_future()

    def progress(line: str) -> None:
        if "speaking" in line:
            began.set_result(time.monotonic())

    tone = (np.sin(np.arange(48_000 * 60) * 2 * np.pi * 440 / 48_000) * 8000).astype(np.int16)
    plan = demo.Plan(house.base_url, "account_opening", tone, tone, out_dir, DEMO_PASSWORD)
    staff = await demo.Staff.sign_in(house.base_url, plan.teller, plan.password)
    call = asyncio.get_running_loop().create_task(demo.hold_call(plan, staff, progress))
    try:
        began_s = await asyncio.wait_for(began, 60)
        await asyncio.sleep(talk_s)
        talked_s = time.monotonic() - began_s
        await asyncio.to_thread(house.kill)
        return talked_s
    finally:
        call.cancel()
        with contextlib.suppress(asyncio.CancelledError, CounterError, TimeoutError):
            await call
        await staff.client.aclose()


async def _read_call(house: RunningHouse) -> tuple[dict, list[bytes]]:
    inspector = await demo.Staff.sign_in(house.base_url, "inspector1", DEMO_PASSWORD)
    try:
        async with asyncio.timeout(90):
            while not (calls := (await inspector.client.get("/api/qa/calls")).json()["items"]):
                await asyncio.sleep(0.3)
            path = f"/api/calls/{calls[0]['call_id']}/result"
            while (result := (await inspector.client.get(path)).json())["stages"]["transcript"] != "not_transcribed":
                assert "failed" not in result["stages"].values(), house.log()[-5000:]
                await asyncio.sleep(0.3)
        urls = [f"/api/recordings/{file['file_id']}/media" for file in result["recordings"]]
        return result, [(await inspector.client.get(url)).content for url in urls]
    finally:
        await inspector.client.aclose()


def _decoded_s(data: bytes) -> float:
    """Time of the last picture that can be decoded, from the first one."""
    with av.open(io.BytesIO(data)) as container:
        times = [float(frame.time) for frame in container.decode(video=0)]
    return times[-1] - times[0]
