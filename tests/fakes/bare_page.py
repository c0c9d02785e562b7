"""A Chromium page that speaks WebRTC with a media node without the product's pages around it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from browser import CHROMIUM, FLAGS
from playwright.async_api import Browser, Page, async_playwright

_CLIENT = """
window.__answer = async ({ offer, config, codec }) => {
  const peer = window.__peer = new RTCPeerConnection({ ...config, bundlePolicy: 'max-bundle' });
  window.__candidates = [];
  peer.onicecandidate = ({ candidate }) => candidate && window.__candidates.push(candidate.candidate);
  const video = document.createElement('video');
  video.muted = true; video.autoplay = true; video.srcObject = new MediaStream();
  document.body.append(video);
  peer.ontrack = ({ track }) => video.srcObject.addTrack(track);
  await peer.setRemoteDescription({ type: 'offer', sdp: offer });
  const local = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 480 } });
  for (const track of local.getTracks()) {
    const slot = peer.getTransceivers().find((t) => t.receiver.track.kind === track.kind && !t.sender.track);
    slot.direction = 'sendrecv';
    await slot.sender.replaceTrack(track);
  }
  await peer.setLocalDescription(await peer.createAnswer());
  const end = performance.now() + 5000;
  while (peer.iceGatheringState !== 'complete' && performance.now() < end) await new Promise((r) => setTimeout(r, 20));
  return peer.localDescription.sdp;
};
window.__stats = async () => [...(await window.__peer.getStats()).values()];
"""


@asynccontextmanager
async def chromium_with(*flags: str) -> AsyncIterator[Browser]:
    """A headless Chromium with further flags."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=[*FLAGS, *flags])
        try:
            yield browser
        finally:
            await browser.close()


class BarePage:
    """One side of a call."""

    def __init__(self, page: Page) -> None:
        self._page = page

    @classmethod
    async def open(cls, browser: Browser) -> "BarePage":
        """A fresh profile; camera and microphone are Chromium's fake devices."""
        page = await (await browser.new_context(ignore_https_errors=True)).new_page()
        # getUserMedia exists in secure contexts only; the address is never asked for.
        await page.route(
            "http://localhost/", lambda route: route.fulfill(body="<body></body>", content_type="text/html")
        )
        await page.add_init_script(_CLIENT)
        await page.goto("http://localhost/")
        return cls(page)

    async def answer(self, offer: str, **config: Any) -> str:
        """Take the node's offer with this `RTCConfiguration` and return the complete answer."""
        answer: str = await self._page.evaluate("(o) => window.__answer(o)", {"offer": offer, "config": config})
        return answer

    async def candidates(self) -> list[str]:
        """The candidates gathered so far."""
        found: list[str] = await self._page.evaluate("() => window.__candidates")
        return found

    async def stats(self, kind: str) -> list[dict[str, Any]]:
        """The connection's statistics of one type, as `getStats` names it."""
        every: list[dict[str, Any]] = await self._page.evaluate("() => window.__stats()")
        return [each for each in every if each["type"] == kind]

    async def selected_candidate(self) -> dict[str, Any]:
        """The local candidate that carries the media."""
        pair = (await self.stats("transport"))[0]["selectedCandidatePairId"]
        local = next(each for each in await self.stats("candidate-pair") if each["id"] == pair)["localCandidateId"]
        return next(each for each in await self.stats("local-candidate") if each["id"] == local)

    async def wait_frames(self, more_than: int, timeout_ms: float = 20_000) -> None:
        """Until the far side's picture has been decoded so many times."""
        await self._page.wait_for_function(
            "(n) => document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames > n",
            arg=more_than,
            timeout=timeout_ms,
        )
