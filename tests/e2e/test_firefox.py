"""A customer in stock Firefox and a teller in Chromium see and hear each other."""

import asyncio
import json
import shutil
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Person, chromium, teller_ready, wait_frames
from running_house import RunningHouse

from server.identity.seed import DEMO_PASSWORD

SCRIPT = Path(__file__).with_name("firefox_customer.mjs")
_LOUDNESS = """async (video) => {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(video.srcObject).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let loudest = 0;
  for (let n = 0; n < 100 && loudest < 0.02; n += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    analyser.getFloatTimeDomainData(samples);
    loudest = Math.max(loudest, Math.hypot(...samples) / Math.sqrt(samples.length));
  }
  return loudest;
}"""


class Firefox:
    """The customer's browser; what it prints is read line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def see(self, event: str, timeout_s: float = 60) -> dict[str, Any]:
        """The next thing that happens must be this."""
        assert self._process.stdout is not None
        async with asyncio.timeout(timeout_s):
            line = await self._process.stdout.readline()
        assert line, "the script ended"
        facts: dict[str, Any] = json.loads(line)
        assert facts["event"] == event, facts
        return facts


@asynccontextmanager
async def firefox(base_url: str, business: str) -> AsyncIterator[Firefox]:
    """A customer who goes into the queue."""
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    if program is None:
        pytest.skip("Firefox is not installed (./dev test installs the Debian package firefox-esr)")
    process = await asyncio.create_subprocess_exec("node", SCRIPT, program, base_url, business, stdin=PIPE, stdout=PIPE)
    try:
        yield Firefox(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 15)
        except TimeoutError:
            process.kill()
            await process.wait()


async def test_firefox_and_chromium_see_and_hear_each_other(house: RunningHouse) -> None:
    async with chromium() as browser, firefox(house.base_url, "wealth_signing") as customer:
        teller = await Person.at(browser, house.base_url, 1440, 900)
        await teller_ready(teller, "teller2", DEMO_PASSWORD)
        await customer.see("queued")
        await teller.by("offer-accept").click(timeout=20_000)
        await wait_frames(teller, "call-remote-video", 20)
        assert (await customer.see("sees"))["pictures"] >= 20
        beep = 8000 * np.sin(2 * np.pi * 500 * np.arange(16_000 * 8) / 16_000)
        await teller.prepare_speech(beep.astype(np.int16))
        await teller.speak()
        assert (await customer.see("hears"))["loudness"] > 0.02
        # Firefox's fake microphone hums by itself.
        assert await teller.by("call-remote-video").evaluate(_LOUDNESS) > 0.02
        assert teller.problems == []
        await teller.by("call-hangup").click()
        await teller.by("call-hangup-confirm").click()
        await teller.by("wrapup-disposition-resolved").click()
        await teller.by("wrapup-submit").click()
