"""The centre around a call: priority, a lapsed ring, hold, consult and hand-over, monitor → whisper → barge.

One customer and two tellers sit at real pages, two more customers wait at sockets, the supervisor is a bare client.
Everybody hums a tone of their own; what is heard is measured at each ear.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import numpy as np
import pytest
from browser import Person, chromium, customer_to_consent, teller_ready
from playwright.async_api import expect
from running_house import RunningHouse

from server.identity.seed import DEMO_PASSWORD
from server.media.headless import RATE_HZ, HeadlessPeer
from signaling.client import SignalingClient

CUSTOMER_HZ, FIRST_HZ, SECOND_HZ, BOSS_HZ = 500, 800, 1100, 1700
LOUD, QUIET = 0.02, 0.004  # amplitudes at an ear; tones are sent with 0.24
EARS = ("audio", "audio2", "audio3")

pytestmark = pytest.mark.timeout(240)

_EAR = """
window.__level = async (testid, hz) => {
  const video = document.querySelector(`[data-testid="${testid}"]`);
  const tracks = video?.srcObject?.getAudioTracks() ?? [];
  window.__ears ??= { context: new AudioContext(), nodes: new Map() };
  const { context, nodes } = window.__ears;
  await context.resume();
  let loudest = 0;
  for (const track of tracks) {
    if (!nodes.has(track.id)) {
      const analyser = context.createAnalyser();
      analyser.fftSize = 8192; analyser.smoothingTimeConstant = 0;
      context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
      nodes.set(track.id, analyser);
      await new Promise((done) => setTimeout(done, 250));
    }
    const analyser = nodes.get(track.id);
    const wave = new Float32Array(analyser.fftSize);
    analyser.getFloatTimeDomainData(wave);
    let re = 0, im = 0;
    for (let i = 0; i < wave.length; i += 1) {
      const turn = (2 * Math.PI * hz * i) / context.sampleRate;
      re += wave[i] * Math.cos(turn); im += wave[i] * Math.sin(turn);
    }
    loudest = Math.max(loudest, (2 * Math.hypot(re, im)) / wave.length);
  }
  return loudest;
};
"""


def tone(hz: int, rate_hz: int, seconds: int) -> np.ndarray:
    return (8000 * np.sin(2 * np.pi * hz * np.arange(rate_hz * seconds) / rate_hz)).astype(np.int16)


async def humming(person: Person, hz: int) -> None:
    """Begin to hum, for longer than the test lasts."""
    await person.page.evaluate(_EAR)
    await person.prepare_speech(tone(hz, 16_000, 150))
    await person.speak()


async def hears(person: Person, testid: str, hz: int) -> None:
    """Until the tone arrives at the page's ear."""
    await person.page.wait_for_function(
        f"async ([id, hz]) => (await window.__level(id, hz)) > {LOUD}", arg=[testid, hz], timeout=20_000
    )


async def silent(person: Person, testid: str, hz: int) -> None:
    """Until the tone does not arrive, and for some looks after that."""
    script = f"""async ([id, hz]) => {{
        for (let i = 0; i < 4; i += 1) {{
          if ((await window.__level(id, hz)) > {QUIET}) return false;
          await new Promise((done) => setTimeout(done, 100));
        }}
        return true;
    }}"""
    await person.page.wait_for_function(script, arg=[testid, hz], timeout=20_000)


class Boss:
    """A supervisor without a page."""

    def __init__(self, house: RunningHouse) -> None:
        self.house = house
        self.peer = HeadlessPeer(tone(BOSS_HZ, RATE_HZ, 150), keep_audio=True, slots=EARS)
        self.http = httpx.AsyncClient(base_url=house.base_url)
        self.guest_id = ""

    async def login(self, username: str) -> dict[str, str]:
        answer = await self.http.post("/api/auth/login", json={"username": username, "password": DEMO_PASSWORD})
        return {"X-CSRF-Token": answer.json()["csrf_token"]}

    async def listen_in(self, call_id: str) -> None:
        await self.login("supervisor1")
        cookie = "; ".join(f"{each.name}={each.value}" for each in self.http.cookies.jar)
        self.socket = SignalingClient("/staff", headers={"Cookie": cookie, "Origin": self.house.base_url})
        await self.socket.connect(self.house.base_url)
        self.guest_id = (await self.socket.request("call.oversee", call_id=call_id))["guest"]["guest_id"]
        joined = await self.socket.request("guest.media", guest_id=self.guest_id)
        answer = await self.peer.answer(joined["sdp_offer"])
        await self.socket.request("guest.answer", guest_id=self.guest_id, peer_id=joined["peer_id"], sdp_answer=answer)
        async with asyncio.timeout(20):
            await self.peer.connected.wait()
        self.peer.play()

    async def mode(self, mode: str) -> None:
        await self.socket.request("oversee.mode", guest_id=self.guest_id, mode=mode)

    async def hears(self, hz: int) -> None:
        """Until the tone arrives in one of the slots."""
        async with asyncio.timeout(20):
            while True:
                begins = {ear: len(self.peer.heard(ear)) for ear in EARS}
                await asyncio.sleep(0.4)
                if max(_amplitude(self.peer.heard(ear)[begins[ear] :], hz) for ear in EARS) > LOUD:
                    return

    async def close(self) -> None:
        await self.peer.close()
        await self.socket.close()
        await self.http.aclose()


def _amplitude(samples: Any, hz: int) -> float:
    if len(samples) < RATE_HZ // 10:
        return 0.0
    turn = np.exp(-2j * np.pi * hz * np.arange(len(samples)) / RATE_HZ)
    return float(2 * abs(np.dot(np.asarray(samples, dtype=float), turn)) / len(samples)) / 32768


@asynccontextmanager
async def waiting(house: RunningHouse) -> AsyncIterator[SignalingClient]:
    """A customer without a page, in the queue."""
    async with httpx.AsyncClient(base_url=house.base_url) as http:
        visit = {"business_code": "transfer", "channel": "web", "device": "test", "language": "zh-CN"}
        token = (await http.post("/api/visits", json=visit)).json()["token"]
        wording = (await http.get("/api/consent-wordings/recording")).json()
        consent = {"purpose": "recording", "wording_version": wording["version"], "granted": True}
        await http.post("/api/visit/consents", json=consent, headers={"Authorization": f"Bearer {token}"})
    socket = await SignalingClient("/customer", auth={"token": token}).connect(house.base_url)
    await socket.request("queue.join")
    try:
        yield socket
    finally:
        await socket.close()


async def ring_time(house: RunningHouse, ring_s: float | None) -> None:
    """As the bank's admin sets it."""
    async with httpx.AsyncClient(base_url=house.base_url) as http:
        login = {"username": "admin1", "password": DEMO_PASSWORD}
        csrf = (await http.post("/api/auth/login", json=login)).json()["csrf_token"]
        groups = (await http.get("/api/routing")).json()["groups"]
        group = next(each for each in groups if each["code"] == "personal")
        code = group.pop("code")
        answer = await http.put(
            f"/api/routing/groups/{code}", json=group | {"ring_s": ring_s}, headers={"X-CSRF-Token": csrf}
        )
        assert answer.status_code == 200, answer.text


async def test_a_centre_routes_hands_on_and_oversees(house: RunningHouse) -> None:
    await ring_time(house, 5)
    boss = Boss(house)
    try:
        async with chromium() as browser, waiting(house) as one, waiting(house) as two:
            customer = await Person.at(browser, house.base_url, 390, 844)
            first = await Person.at(browser, house.base_url, 1440, 900)
            second = await Person.at(browser, house.base_url, 1440, 900)
            await customer_to_consent(customer, "transfer")
            await customer.by("consent-agree").click()
            await expect(customer.by("queue-position")).to_have_text("3")
            await customer.by("queue-help").click()
            await expect(customer.by("queue-position")).to_have_text("1")
            await _lapse_then_accept(customer, first, second)
            for socket in (one, two):
                await socket.request("queue.leave", reason="waited_too_long")
            await _talk_and_hold(customer, first)
            await _consult_and_hand_over(customer, first, second)
            call_id = await second.page.locator("[data-call-id]").get_attribute("data-call-id") or ""
            await _oversee(boss, call_id, customer, second)
            await second.by("call-hangup").click()
            await second.by("call-hangup-confirm").click()
            await expect(customer.by("rating-5")).to_be_visible()
            for person in (customer, first, second):
                assert person.problems == []
    finally:
        await boss.close()
        await ring_time(house, None)


async def _lapse_then_accept(customer: Person, first: Person, second: Person) -> None:
    """Who asked for help rings first; where nobody answers it rings at the next."""
    await teller_ready(second, "teller1", DEMO_PASSWORD)
    await expect(second.by("offer-card")).to_be_visible()
    await teller_ready(first, "teller2", DEMO_PASSWORD)
    await expect(first.by("offer-card")).to_be_visible(timeout=20_000)
    await first.by("offer-accept").click()
    await expect(customer.by("call-remote-video")).to_be_visible(timeout=20_000)


async def _talk_and_hold(customer: Person, first: Person) -> None:
    await humming(customer, CUSTOMER_HZ)
    await humming(first, FIRST_HZ)
    await hears(customer, "call-remote-video", FIRST_HZ)
    await hears(first, "call-remote-video", CUSTOMER_HZ)
    await first.by("call-hold").click()
    await silent(customer, "call-remote-video", FIRST_HZ)
    await first.by("call-hold").click()
    await hears(customer, "call-remote-video", FIRST_HZ)


async def _consult_and_hand_over(customer: Person, first: Person, second: Person) -> None:
    await expect(second.by("offer-card")).to_have_count(0, timeout=20_000)
    await second.by("presence-ready").click()
    await first.by("call-handon").click()
    await first.by("handon-consult").click()
    await first.by("handon-to-1001").click()
    await first.by("handon-note").fill("客户要转 8 万元，身份已核实")
    await first.by("handon-go").click()
    await second.by("guest-follow").first.click()
    await second.page.wait_for_url(re.compile("/staff/expert"))
    await second.by("guest-follow").click()
    await first.by("call-hold").click()
    await expect(second.by("guest-on-hold")).to_be_visible()
    await humming(second, SECOND_HZ)
    await hears(first, "call-remote-video", SECOND_HZ)
    await silent(customer, "call-remote-video", SECOND_HZ)
    await first.by("consult-note").fill("请收取授权书")
    await first.by("consult-complete").click()
    await second.page.wait_for_url(re.compile("/staff/teller"))
    await expect(second.by("handover-notes")).to_contain_text("请收取授权书")
    await expect(first.by("presence-ready")).to_be_visible()
    await hears(customer, "call-remote-video", SECOND_HZ)
    await silent(customer, "call-remote-video", FIRST_HZ)


async def _oversee(boss: Boss, call_id: str, customer: Person, second: Person) -> None:
    await boss.listen_in(call_id)
    await boss.hears(CUSTOMER_HZ)
    await boss.hears(SECOND_HZ)
    await second.page.evaluate(_EAR)
    for person in (customer, second):
        await silent(person, "call-remote-video", BOSS_HZ)
    await boss.mode("whisper")
    await hears(second, "call-remote-video", BOSS_HZ)
    await silent(customer, "call-remote-video", BOSS_HZ)
    await boss.mode("barge")
    await hears(customer, "call-remote-video", BOSS_HZ)
    await expect(customer.by("call-other")).to_be_visible()
    await boss.mode("monitor")
    for person in (customer, second):
        await silent(person, "call-remote-video", BOSS_HZ)
