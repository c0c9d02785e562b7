"""Two people at two Chromium browsers: the microphone speaks a given sound when told, the camera is Chromium's own."""

import base64
import io
import re
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
]

# The camera stays Chromium's fake device. The microphone is a Web Audio stream, so that both people can begin to
# speak at the same moment; Chromium's own fake microphone would begin with the device check.
_MICROPHONE = """
(() => {
  const context = new AudioContext({ sampleRate: 48000 });
  const mouth = context.createMediaStreamDestination();
  const breath = context.createConstantSource(); breath.offset.value = 0; breath.connect(mouth); breath.start();
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    await context.resume();
    const stream = wanted.video ? await ask({ video: wanted.video }) : new MediaStream();
    if (wanted.audio) stream.addTrack(mouth.stream.getAudioTracks()[0].clone());
    return stream;
  };
  let voice = null;
  window.__prepare = async (encoded) => {
    const bytes = Uint8Array.from(atob(encoded), (c) => c.charCodeAt(0));
    voice = context.createBufferSource();
    voice.buffer = await context.decodeAudioData(bytes.buffer);
    voice.connect(mouth);
  };
  window.__speak = () => voice.start();
})();
"""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A headless Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


class Person:
    """Somebody at a page, with a voice."""

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self.context = context
        self.page = page
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", self._console)

    def _console(self, message: Any) -> None:
        # Nobody is signed in when a page first asks who is: the browser reports that answer as an error.
        if message.type == "error" and "401" not in message.text:
            self.problems.append(message.text)

    @classmethod
    async def at(cls, browser: Browser, base_url: str, width: int, height: int) -> "Person":
        """Open a fresh profile with camera and microphone allowed."""
        context = await browser.new_context(
            base_url=base_url, viewport={"width": width, "height": height}, locale="zh-CN"
        )
        await context.grant_permissions(["camera", "microphone"])
        await context.add_init_script(_MICROPHONE)
        return cls(context, await context.new_page())

    async def prepare_speech(self, samples: NDArray[np.int16], rate_hz: int = 16_000) -> None:
        """Hand over what to say; megabytes take a moment."""
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate_hz)
            file.writeframes(samples.tobytes())
        await self.page.evaluate("(wav) => window.__prepare(wav)", base64.b64encode(buffer.getvalue()).decode())

    async def speak(self) -> None:
        """Begin to say what was prepared; returns at once."""
        await self.page.evaluate("() => window.__speak()")

    def by(self, testid: str | re.Pattern[str]) -> Any:
        """The element with this data-testid."""
        return self.page.get_by_test_id(testid)

    async def frames(self, testid: str) -> int:
        """Frames a video element has decoded so far."""
        count: int = await self.by(testid).evaluate("(v) => v.getVideoPlaybackQuality().totalVideoFrames")
        return count


async def sign_in(person: Person, username: str, password: str) -> None:
    """Through the login page."""
    await person.page.goto("/staff/login")
    await person.by("login-username").fill(username)
    await person.by("login-password").fill(password)
    await person.by("login-submit").click()
    await person.page.wait_for_url(re.compile(r"/staff/(?!login)"))


async def teller_ready(person: Person, username: str, password: str) -> None:
    """Log in and go ready, unless still ready from the call before."""
    await sign_in(person, username, password)
    go, rest = person.by("presence-ready"), person.by("presence-break")
    await expect(go.or_(rest).first).to_be_visible(timeout=20_000)
    if await go.count():
        await go.click()
    await expect(go).to_have_count(0)


async def customer_to_consent(person: Person, business: str) -> None:
    """From the start page to the recording notice."""
    await person.page.goto("/")
    await person.by(f"business-{business}").click()
    await person.by("check-continue").click()
    await expect(person.by("consent-agree")).to_be_enabled()


async def wait_frames(person: Person, testid: str, more_than: int, timeout_ms: float = 20_000) -> None:
    """Until the video element has decoded more than so many frames."""
    await person.page.wait_for_function(
        '([id, n]) => { const v = document.querySelector(`[data-testid="${id}"]`);'
        " return v && v.getVideoPlaybackQuality().totalVideoFrames > n; }",
        arg=[testid, more_than],
        timeout=timeout_ms,
    )
