"""How quickly a customer sees the teller, and what a call costs the server. One JSON line at the end.

``join_ratio_p2p``: median time from the customer's click (consent) to the first frame of the teller, through queue,
offer and accept, over the median time of a bare peer-to-peer connection between the same two Chromium pages. It is the
system's time: the customer has looked at the notice for two seconds, a teller is ready and accepts as soon as the page
shows the offer. Customer and teller have a browser each, as two machines would: two pages of one browser share one fake
camera, which then stands still for a second or two whenever the pages change.
``cpu_ratio_relay``: CPU seconds per call second of our media process (forwarding, recording, speech tap) over those of
aiortc's `MediaRelay` + `MediaRecorder` with the same two headless peers.

usage: python bench/call.py [--rounds N] [--seconds S]
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from aiohttp import web
from common import cpu_s, print_result, say

# isort: split
from browser import Person, chromium, customer_to_consent, sign_in
from running_house import RunningHouse

from server.demo import call as demo
from server.identity.seed import DEMO_PASSWORD
from server.media.headless import HeadlessPeer

READ_S = 2.0

# Stamps the click and the first frame inside the page, so that the driver's own delays do not count.
_STAMP_FIRST_FRAME = """() => { window.__first = new Promise((seen) => {
  const look = () => {
    const video = document.querySelector('[data-testid="call-remote-video"]');
    if (!video) return requestAnimationFrame(look);
    video.requestVideoFrameCallback(() => seen(performance.now()));
  };
  look();
}); }"""
_CLICK = (
    """(id) => { const at = performance.now(); document.querySelector(`[data-testid="${id}"]`).click(); return at; }"""
)
_ACCEPT_AT_ONCE = """() => { const look = () => {
  const button = document.querySelector('[data-testid="offer-accept"]');
  if (button) button.click(); else requestAnimationFrame(look);
}; look(); }"""

_P2P = """async () => {
  const socket = new WebSocket(`ws://${location.host}/wire`);
  await new Promise((open) => { socket.onopen = open; });
  const wire = {
    postMessage: (message) => socket.send(JSON.stringify(message)),
    set onmessage(take) { socket.onmessage = ({ data }) => take({ data: JSON.parse(data) }); },
    close: () => socket.close(),
  };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 480 } });
  const peer = new RTCPeerConnection();
  stream.getTracks().forEach((track) => peer.addTrack(track, stream));
  const video = document.createElement('video');
  video.muted = true; video.autoplay = true; document.body.append(video);
  peer.ontrack = (event) => { video.srcObject = event.streams[0]; };
  peer.onicecandidate = (event) => event.candidate && wire.postMessage({ candidate: event.candidate.toJSON() });
  const early = [];
  wire.onmessage = async ({ data }) => {
    if (data.candidate) {
      if (peer.remoteDescription) await peer.addIceCandidate(data.candidate); else early.push(data.candidate);
    } else if (data.description) {
      await peer.setRemoteDescription(data.description);
      for (const candidate of early.splice(0)) await peer.addIceCandidate(candidate);
      if (data.description.type === 'offer') {
        await peer.setLocalDescription(await peer.createAnswer());
        wire.postMessage({ description: peer.localDescription.toJSON() });
      }
    }
  };
  window.__begin = async () => {
    const began = performance.now();
    const first = new Promise((seen) => video.requestVideoFrameCallback(() => seen(performance.now())));
    await peer.setLocalDescription(await peer.createOffer());
    wire.postMessage({ description: peer.localDescription.toJSON() });
    return (await first) - began;
  };
  window.__end = () => { peer.close(); wire.close(); stream.getTracks().forEach((track) => track.stop()); };
}"""


async def join_ms(customer: Person, teller: Person) -> float:
    """One whole join: click to first frame, then hang up and wrap up."""
    await customer_to_consent(customer, "account_opening")
    await asyncio.sleep(READ_S)
    await teller.page.evaluate(_ACCEPT_AT_ONCE)
    await customer.page.evaluate(_STAMP_FIRST_FRAME)
    clicked = await customer.page.evaluate(_CLICK, "consent-agree")
    first = await customer.page.evaluate("() => window.__first")
    say(f"  first frame after {first - clicked:.0f} ms")
    await asyncio.sleep(1)
    await customer.by("call-hangup").click()
    await customer.by("call-hangup-confirm").click()
    await customer.by("rating-skip").click()
    await teller.by("wrapup-disposition-resolved").click()
    await teller.by("wrapup-submit").click()
    await teller.page.get_by_test_id("wrapup-submit").wait_for(state="detached")
    return float(first - clicked)


class Wire:
    """Serves an empty page and carries what two browsers tell each other: the least signaling there can be."""

    def __init__(self) -> None:
        self._ends: list[web.WebSocketResponse] = []
        self.url = ""

    async def start(self) -> web.AppRunner:
        """Serve on a free port."""
        app = web.Application()
        app.add_routes([web.get("/", self._page), web.get("/wire", self._carry)])
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>p2p</title>", content_type="text/html")

    async def _carry(self, request: web.Request) -> web.WebSocketResponse:
        end = web.WebSocketResponse()
        await end.prepare(request)
        self._ends.append(end)
        async for message in end:
            for other in self._ends:
                if other is not end:
                    await other.send_str(message.data)
        self._ends.remove(end)
        return end


async def p2p_ms(one: Person, other: Person, wire: Wire) -> float:
    """A bare connection between the same two pages, camera already open."""
    for person in (one, other):
        await person.page.goto(wire.url)
        await person.page.evaluate(_P2P)
    taken = await one.page.evaluate("() => window.__begin()")
    for person in (one, other):
        await person.page.evaluate("() => window.__end()")
    return float(taken)


async def measure_join(house: RunningHouse, rounds: int) -> dict[str, Any]:
    """Both ways of connecting, in turn, in one browser profile."""
    wire = Wire()
    runner = await wire.start()
    try:
        async with chromium() as one, chromium() as other:
            customer = await Person.at(one, house.base_url, 390, 844)
            teller = await Person.at(other, house.base_url, 1440, 900)
            await sign_in(teller, "teller1", DEMO_PASSWORD)
            await teller.by("presence-ready").click()
            joins = [await join_ms(customer, teller) for _ in range(rounds + 1)][1:]  # the first one warms caches
            bare = [await p2p_ms(customer, teller, wire) for _ in range(rounds + 1)][1:]
    finally:
        await runner.cleanup()
    say(f"join {[round(value) for value in joins]} ms, bare peer-to-peer {[round(value) for value in bare]} ms")
    return {
        "join_ms": round(statistics.median(joins)),
        "p2p_ms": round(statistics.median(bare)),
        "join_ratio_p2p": round(statistics.median(joins) / statistics.median(bare), 2),
    }


def _voice() -> np.ndarray:
    """Two minutes of a modulated tone: something to encode."""
    at_s = np.arange(48_000 * 120) / 48_000
    return (np.sin(2 * np.pi * 220 * at_s) * 8000 * (0.5 + 0.5 * np.sin(2 * np.pi * 3 * at_s))).astype(np.int16)


async def our_cpu(house: RunningHouse, seconds: float) -> float:
    """CPU seconds per call second of the media process during one headless call."""
    media = house.processes()["media"].pid
    taken: list[float] = []

    def progress(line: str) -> None:
        if "speaking" in line:
            taken.append(cpu_s(media))
            taken.append(time.monotonic())

    voice = _voice()[: int(48_000 * seconds)]
    plan = demo.Plan(
        house.base_url, "account_opening", voice, voice, Path(tempfile.mkdtemp()), DEMO_PASSWORD, "teller2"
    )
    staff = await demo.Staff.sign_in(plan.base_url, plan.teller, plan.password)
    try:
        await demo.hold_call(plan, staff, progress)
    finally:
        await staff.client.aclose()
    return (cpu_s(media) - taken[0]) / (time.monotonic() - taken[1])


async def relay_cpu(seconds: float) -> float:
    """The same of the decode-and-re-encode server."""
    folder = tempfile.mkdtemp(prefix="relay-")
    script = Path(__file__).with_name("relay_baseline.py")
    server = subprocess.Popen(  # noqa: ASYNC220 - once, before anything is measured
        [sys.executable, script, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdin is not None
    assert server.stdout is not None
    url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
    voice = _voice()[: int(48_000 * seconds)]
    peers = {"customer": HeadlessPeer(voice), "teller": HeadlessPeer(voice)}
    try:
        async with httpx.AsyncClient(timeout=30) as client:
            for seat, peer in peers.items():
                offer = (await client.post(f"{url}/{seat}/offer")).json()["sdp_offer"]
                await client.post(f"{url}/{seat}/answer", json={"sdp_answer": await peer.answer(offer)})
        for peer in peers.values():
            await asyncio.wait_for(peer.first_video.wait(), 20)
            peer.play()
        used, began = cpu_s(server.pid), time.monotonic()
        await asyncio.sleep(seconds)
        return (cpu_s(server.pid) - used) / (time.monotonic() - began)
    finally:
        for peer in peers.values():
            await peer.close()
        server.stdin.close()
        server.wait(20)


async def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=30.0)
    options = parser.parse_args()
    with RunningHouse(Path(tempfile.mkdtemp()), AIRCOUNTER_LIVE_ENGINE="none", AIRCOUNTER_FINAL_ENGINE="none") as house:
        say("joining through the pages, and peer to peer")
        result = await measure_join(house, options.rounds)
        say("one headless call through the house")
        ours = await our_cpu(house, options.seconds)
    say("the same call through MediaRelay + MediaRecorder")
    relay = await relay_cpu(options.seconds)
    print_result(
        result
        | {
            "cpu_per_call_s": round(ours, 4),
            "relay_cpu_per_call_s": round(relay, 4),
            "cpu_ratio_relay": round(ours / relay, 4),
            "cpu_ratio_relay_inverse": round(relay / ours, 1),
        }
    )


if __name__ == "__main__":
    asyncio.run(main())
