"""Bad networks: does a call through the real pages survive, how soon is it whole again, what is understood.

    python bench/network.py [--only NAME ...]

Needs root (network namespaces), Chromium and the built web client. Server and teller are on one host, the customer's
browser on another; `bench/bad_link.py` is the line between them. Conditions: ``clean``; ``loss_jitter``: 5 % loss and
0–100 ms of jitter that lets packets overtake each other; ``narrow``: 300 kbit/s; ``outage``: nothing for 10 s;
``address_change``: the customer's host gets another address during the call.

The last line is one JSON object. Per condition: ``survived``: the call was never ended and sound flows both ways at the
end; ``recover_s``: seconds until sound flows both ways for good (no second without), from when the network was usable
again (outage: its end, change of address: the change, else the network's turn to bad); ``recover_pictures_s``: the same
for pictures, null when they do not flow both ways at the end;
``cer``: character error rate of the live transcript, made from the speech tap, of what the customer said;
``cer_ratio``: over that of the clean run; ``down_fps``, ``up_fps``: pictures per second the customer and the teller saw
in the last 8 s.
"""

import argparse
import asyncio
import itertools
import os
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench"), str(ROOT / "tests" / "fakes")]

import httpx  # noqa: E402
import numpy as np  # noqa: E402
from bad_link import NODE_ADDRESS, PEER_ADDRESS, PEER_LATER, Line, TwoHosts  # noqa: E402
from browser import CHROMIUM, FLAGS, Person, customer_to_consent, teller_ready, wait_frames  # noqa: E402
from common import print_result, say  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from playwright.async_api import Browser, Playwright, async_playwright  # noqa: E402
from running_house import RunningHouse  # noqa: E402
from speech_data import clip, standin_model, turns  # noqa: E402

from qa.evidence.error_rate import character_errors  # noqa: E402
from server.identity.seed import DEMO_PASSWORD  # noqa: E402

BUSINESS = "wealth_signing"
CALL, PARTY = "wealth_mis_selling", "teller"  # the densest of the sample calls' voices
RATE_HZ = 16_000
PAUSE_S = 0.8
OUTAGE_S = 10.0
BEFORE_S = 6.0  # of talk before an outage or a change of address
AFTER_S = 15.0  # of watching after the last word
SAMPLE_S = 0.25

_KEEP_PEERS = """
window.__peers = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...given) { super(...given); window.__peers.push(this); }
};
"""
_COUNT = """async () => {
  const counts = { peer: window.__peers.length, pictures: 0, sounds: 0 };
  const peer = window.__peers.at(-1);
  for (const facts of peer ? (await peer.getStats()).values() : []) {
    if (facts.type !== 'inbound-rtp') continue;
    if (facts.kind === 'video') counts.pictures += facts.framesDecoded ?? 0;
    else counts.sounds += facts.packetsReceived ?? 0;
  }
  return counts;
}"""


@dataclass(slots=True)
class Sample:
    """What one page had received at a moment."""

    at_s: float
    peer: int
    pictures: int
    sounds: int

    def later_than(self, before: "Sample", what: Callable[["Sample"], int]) -> bool:
        """Whether some have come since."""
        return what(self) > (what(before) if self.peer == before.peer else 0)


@dataclass(slots=True)
class Watch:
    """Looks at both pages several times a second."""

    people: list[Person]
    samples: list[list[Sample]] = field(default_factory=lambda: [[], []])

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            for person, samples in zip(self.people, self.samples, strict=True):
                counts = await person.page.evaluate(_COUNT)
                samples.append(Sample(time.monotonic(), **counts))
            await asyncio.sleep(SAMPLE_S)

    def flows_since(self, what: Callable[[Sample], int]) -> float | None:
        """Since when no second has passed on either page without any of it; None: not so at the end."""
        since_s = 0.0
        for samples in self.samples:
            for late in samples:
                early = next((each for each in reversed(samples) if each.at_s <= late.at_s - 1.0), None)
                if early is not None and not late.later_than(early, what):
                    since_s = max(since_s, late.at_s)
        last_s = min(samples[-1].at_s for samples in self.samples)
        return None if since_s > last_s - 2.0 else since_s

    def picture_rate(self, person: int, seconds: float) -> float:
        """Pictures per second over the last so many seconds."""
        last = self.samples[person][-1]
        first = next(each for each in self.samples[person] if each.at_s >= last.at_s - seconds)
        return (last.pictures - first.pictures) / max(last.at_s - first.at_s, 0.1) if first.peer == last.peer else 0.0


def voice() -> tuple[NDArray[np.int16], str]:
    """What the customer says: sound and text."""
    said = turns(CALL, PARTY)
    pause = np.zeros(int(PAUSE_S * RATE_HZ), np.int16)
    sound = itertools.chain.from_iterable((clip(CALL, PARTY, turn.start_s, turn.end_s), pause) for turn in said)
    return np.concatenate(list(sound)), "".join(turn.text for turn in said)


class Bench:
    """The running product, a teller and a customer's browser on the other host."""

    def __init__(self, hosts: TwoHosts, house: RunningHouse, near: Browser, far: Browser) -> None:
        self.hosts = hosts
        self._house = house
        self._near, self._far = near, far
        self._url = f"http://{NODE_ADDRESS}:{house.port}"
        self._sound, self._text = voice()
        self._teller: Person | None = None

    async def measure(self, disturb: Callable[[], Awaitable[float]]) -> dict[str, Any]:
        """Hold one call while `disturb` works on the line; it returns from when on the network was usable."""
        teller = self._teller = self._teller or await self._sit_down()
        customer = await Person.at(self._far, self._url, 390, 844)
        try:
            await customer.context.add_init_script(_KEEP_PEERS)
            await customer_to_consent(customer, BUSINESS)
            await customer.by("consent-agree").click()
            await teller.by("offer-accept").click(timeout=20_000)
            await wait_frames(customer, "call-remote-video", 10)
            await wait_frames(teller, "call-remote-video", 10)
            await customer.prepare_speech(self._sound, RATE_HZ)
            result = await self._talk(customer, teller, disturb)
            await self._hang_up(teller)
            result["cer"] = await self._error_rate()
            return result
        finally:
            await customer.context.close()

    async def _sit_down(self) -> Person:
        teller = await Person.at(self._near, self._url, 1440, 900)
        await teller.context.add_init_script(_KEEP_PEERS)
        await teller_ready(teller, "teller1", DEMO_PASSWORD)
        return teller

    async def _talk(self, customer: Person, teller: Person, disturb: Callable[[], Awaitable[float]]) -> dict[str, Any]:
        watch = Watch([customer, teller])
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(watch.run())
            await customer.speak()
            ends_s = time.monotonic() + len(self._sound) / RATE_HZ + AFTER_S
            usable_s = await disturb()
            await asyncio.sleep(max(ends_s, usable_s + AFTER_S) - time.monotonic())
            watching.cancel()
        sounds_s = watch.flows_since(lambda sample: sample.sounds)
        pictures_s = watch.flows_since(lambda sample: sample.pictures)
        ended = await teller.by("wrapup-submit").count() or not await customer.by("call-remote-video").count()
        return {
            "survived": sounds_s is not None and not ended,
            "recover_s": _after(usable_s, sounds_s),
            "recover_pictures_s": _after(usable_s, pictures_s),
            "down_fps": round(watch.picture_rate(0, 8.0), 1),
            "up_fps": round(watch.picture_rate(1, 8.0), 1),
        }

    async def _hang_up(self, teller: Person) -> None:
        self.hosts.line = Line()
        await asyncio.sleep(2)
        if not await teller.by("wrapup-submit").count():
            await teller.by("call-hangup").click()
            await teller.by("call-hangup-confirm").click()
        await teller.by("wrapup-disposition-resolved").click()
        await teller.by("wrapup-submit").click()

    async def _error_rate(self) -> float:
        """Of the live transcript's customer side."""
        await asyncio.sleep(3)
        async with httpx.AsyncClient(base_url=self._url) as client:
            login = {"username": "inspector1", "password": DEMO_PASSWORD}
            (await client.post("/api/auth/login", json=login)).raise_for_status()
            newest = (await client.get("/api/qa/calls")).json()["items"][0]["call_id"]
            segments = (await client.get(f"/api/qa/calls/{newest}")).json()["segments"]
        heard = "".join(each["text"] for each in segments if each["party"] == "customer" and each["kind"] == "live")
        errors, length = character_errors(heard, self._text)
        return errors / length

    # What happens to the line. Each returns when the network was usable (again), as `time.monotonic()`.

    async def clean(self) -> float:
        """Nothing."""
        return time.monotonic()

    async def loss_jitter(self) -> float:
        """5 % loss, 0–100 ms of jitter."""
        self.hosts.line = Line(loss=0.05, jitter_ms=100)
        return time.monotonic()

    async def narrow(self) -> float:
        """300 kbit/s."""
        self.hosts.line = Line(rate_bps=300_000, delay_ms=20)
        return time.monotonic()

    async def outage(self) -> float:
        """Nothing comes through for a while."""
        await asyncio.sleep(BEFORE_S)
        self.hosts.line = Line(up=False)
        await asyncio.sleep(OUTAGE_S)
        self.hosts.line = Line()
        return time.monotonic()

    async def address_change(self) -> float:
        """As from one network into another."""
        await asyncio.sleep(BEFORE_S)
        self.hosts.move_peer(PEER_ADDRESS, PEER_LATER)
        return time.monotonic()


def _after(usable_s: float, since_s: float | None) -> float | None:
    return None if since_s is None else round(max(0.0, since_s - usable_s), 1)


CONDITIONS = ("clean", "loss_jitter", "narrow", "outage", "address_change")


async def _browsers(playwright: Playwright, hosts: TwoHosts, work: Path, port: int) -> tuple[Browser, Browser]:
    """One on the server's host, one on the other."""
    wrapper = work / "chromium"
    wrapper.write_text(f'#!/bin/sh\nexec {" ".join(hosts.on_peer(CHROMIUM))} "$@"\n')
    wrapper.chmod(0o755)
    # Camera and microphone exist in secure contexts only; this host is not "localhost" for the customer.
    flags = [*FLAGS, f"--unsafely-treat-insecure-origin-as-secure=http://{NODE_ADDRESS}:{port}"]
    launch = playwright.chromium.launch
    return await launch(executable_path=CHROMIUM, args=flags), await launch(executable_path=str(wrapper), args=flags)


async def measure(hosts: TwoHosts, house: RunningHouse, work: Path, only: list[str]) -> dict[str, Any]:
    """All conditions, the clean one first."""
    results: dict[str, Any] = {}
    async with AsyncExitStack() as stack:
        hosts.attach()
        stack.callback(hosts.detach)
        near, far = await _browsers(await stack.enter_async_context(async_playwright()), hosts, work, house.port)
        stack.push_async_callback(near.close)
        stack.push_async_callback(far.close)
        bench = Bench(hosts, house, near, far)
        for name in CONDITIONS:
            if name == "clean" or not only or name in only:
                say(f"{name}: one call")
                result = await bench.measure(getattr(bench, name))
                result["cer_ratio"] = round(result["cer"] / (results.get("clean") or result)["cer"], 2)
                result["cer"] = round(result["cer"], 3)
                results[name] = result
                say(f"{name}: {result}")
    return results


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[], choices=CONDITIONS, help="conditions besides the clean one")
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("bench/network.py makes network namespaces and needs root: run it as root.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an orderly end: nothing may stay behind
    with tempfile.TemporaryDirectory() as folder, TwoHosts() as hosts:
        work = Path(folder)
        standin = standin_model()
        (work / standin.name).symlink_to(standin)
        settings = {
            "AIRCOUNTER_HOST": "0.0.0.0",
            "AIRCOUNTER_MEDIA_HOSTS": NODE_ADDRESS,
            "AIRCOUNTER_LIVE_ENGINE": "vosk",
            "AIRCOUNTER_FINAL_ENGINE": "none",
        }
        with RunningHouse(work, **settings) as house:
            print_result(asyncio.run(measure(hosts, house, work, arguments.only)))


if __name__ == "__main__":
    main()
