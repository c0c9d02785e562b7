"""A whole call without a camera: two headless parties speak two files through the public protocol.

They use exactly what the pages use: HTTP, Socket.IO, WebRTC. Afterwards the finished call is read as the demo
inspector: recordings, transcript, findings and score.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx
import numpy as np
from numpy.typing import NDArray

from core.errors import CounterError, UnavailableError
from core.tasks import TaskOwner
from server.media.headless import HeadlessPeer
from signaling.client import SignalingClient

Progress = Callable[[str], None]

CONNECT_S = 30.0
TAIL_S = 1.0  # the far side's jitter buffer and the recognizer's voice detection get the last word whole
STAGES = ("recording", "transcript", "compliance", "score")


class DemoCallError(CounterError):
    """The demo call did not come through; the message says at which point."""

    code = "demo.failed"


@dataclass(slots=True)
class Plan:
    """What to play and where.

    Attributes:
        teller_audio / customer_audio: 48 kHz mono.
        out_dir: Where the playable recordings are put.
        password: Of the demo staff.
        teller_url: The edge the teller's page is connected to; empty: the customer's.
    """

    base_url: str
    business: str
    teller_audio: NDArray[np.int16]
    customer_audio: NDArray[np.int16]
    out_dir: Path
    password: str
    teller: str = "teller1"
    inspector: str = "inspector1"
    process_timeout_s: float = 600.0
    teller_url: str = ""

    @property
    def teller_base_url(self) -> str:
        """The teller's edge."""
        return self.teller_url or self.base_url


class Staff:
    """A signed-in member of staff over HTTP."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    @classmethod
    async def sign_in(cls, base_url: str, username: str, password: str) -> Self:
        """Sign in. CounterError with the server's code when refused."""
        client = httpx.AsyncClient(base_url=base_url, timeout=30)
        body = await _answer(client.post("/api/auth/login", json={"username": username, "password": password}))
        client.headers["X-CSRF-Token"] = body["csrf_token"]
        return cls(client)

    @property
    def cookie(self) -> str:
        """The Cookie header for the socket."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.client.cookies.jar)


async def _answer(request: Any) -> Any:
    try:
        response = await request
    except httpx.TransportError as error:
        raise UnavailableError(f"the server does not answer: {error}", code="http.unreachable") from error
    if response.status_code >= 400:
        try:
            problem = response.json()["error"]
        except (ValueError, KeyError):
            raise DemoCallError(f"{response.request.url.path}: HTTP {response.status_code}") from None
        raise CounterError(f"{response.request.url.path}: {problem['message']}", code=problem["code"])
    return response.json()


@dataclass(slots=True)
class Talk:
    """What is known of a held call.

    Attributes:
        join_to_media_s: From joining the queue to the customer's first frame.
        captions: Final captions as the teller's page gets them; ``told_s``: seconds since both began to speak.
    """

    call_id: str = ""
    join_to_media_s: float = 0.0
    speaking_since_s: float = 0.0
    captions: list[dict[str, Any]] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)


async def run(plan: Plan, progress: Progress) -> dict[str, Any]:
    """Make the call and return what `aircounter demo-call --json` prints.

    Raises:
        CounterError: with a stable code; nothing is left running.
    """
    teller = await Staff.sign_in(plan.base_url, plan.teller, plan.password)
    inspector = await Staff.sign_in(plan.base_url, plan.inspector, plan.password)
    try:
        talk = await hold_call(plan, teller, progress)
        result = await _wait_processed(plan, inspector, talk.call_id, progress)
        return await _collect(plan, inspector, talk, result)
    finally:
        await teller.client.aclose()
        await inspector.client.aclose()


async def hold_call(plan: Plan, teller: Staff, progress: Progress) -> Talk:
    """Both parties from entering to hanging up.

    Raises:
        CounterError: with a stable code; connections are closed.
    """
    progress("customer: choosing the business and consenting to the recording")
    token = await _enter(plan)
    staff = SignalingClient("/staff", headers={"Origin": plan.teller_base_url, "Cookie": teller.cookie})
    customer = SignalingClient("/customer", auth={"token": token}, headers={"Origin": plan.base_url})
    ears = HeadlessPeer(plan.customer_audio), HeadlessPeer(plan.teller_audio)
    try:
        return await _hold_conversation(plan, staff, customer, *ears, progress)
    finally:
        for part in (*ears, staff, customer):
            await part.close()


async def _enter(plan: Plan) -> str:
    async with httpx.AsyncClient(base_url=plan.base_url, timeout=30) as client:
        visit = await _answer(
            client.post(
                "/api/visits",
                json={"business_code": plan.business, "channel": "demo", "device": "headless", "language": "zh-CN"},
            )
        )
        client.headers["Authorization"] = f"Bearer {visit['token']}"
        wording = await _answer(client.get("/api/consent-wordings/recording"))
        consent = {"purpose": "recording", "wording_version": wording["version"], "granted": True}
        await _answer(client.post("/api/visit/consents", json=consent))
        return str(visit["token"])


async def _hold_conversation(
    plan: Plan,
    staff: SignalingClient,
    customer: SignalingClient,
    customer_peer: HeadlessPeer,
    teller_peer: HeadlessPeer,
    progress: Progress,
) -> Talk:
    talk = Talk()
    ring: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    staff.on("offer.ring", ring.put_nowait)

    def customer_state(call: dict[str, Any]) -> None:
        if call.get("ended_at"):
            talk.ended.set()

    def caption(told: dict[str, Any]) -> None:
        if told["final"] and talk.speaking_since_s:
            talk.captions.append(told | {"told_s": round(time.monotonic() - talk.speaking_since_s, 3)})

    staff.on("caption", caption)
    customer.on("call.state", customer_state)
    await staff.connect(plan.teller_base_url)
    await customer.connect(plan.base_url)
    await staff.request("presence.set", state="ready", reason="")
    started_s = time.monotonic()
    talk.call_id = (await customer.request("queue.join"))["call"]["call_id"]
    progress("customer: waiting in the queue")
    try:
        async with asyncio.timeout(CONNECT_S):
            await asyncio.gather(_join(customer, customer_peer), _accept(staff, ring, talk.call_id, teller_peer))
            await customer_peer.first_video.wait()
            await teller_peer.first_video.wait()
    except TimeoutError:
        raise DemoCallError(f"no picture on both sides within {CONNECT_S:.0f} s") from None
    talk.join_to_media_s = round((customer_peer.received.first_video_s or started_s) - started_s, 3)
    await _speak(talk, customer_peer, teller_peer, progress)
    if talk.ended.is_set():
        raise DemoCallError("the call ended before both files were played")
    await staff.request("call.hangup", call_id=talk.call_id)
    await staff.request("call.wrapup", call_id=talk.call_id, disposition="resolved", note="demo call")
    await staff.request("presence.set", state="offline", reason="demo over")
    progress("both parties hung up")
    return talk


async def _join(client: SignalingClient, peer: HeadlessPeer, **call: str) -> None:
    offer = await client.request("media.join", **call)
    sdp_answer = await peer.answer(offer["sdp_offer"])
    await client.request("media.answer", **call, peer_id=offer["peer_id"], sdp_answer=sdp_answer)


async def _accept(
    staff: SignalingClient, ring: asyncio.Queue[dict[str, Any]], call_id: str, peer: HeadlessPeer
) -> None:
    while (offer := await ring.get())["call_id"] != call_id:
        await staff.request("offer.decline", offer_id=offer["offer_id"])
    await asyncio.gather(staff.request("offer.accept", offer_id=offer["offer_id"]), _join(staff, peer, call_id=call_id))


async def _speak(talk: Talk, customer: HeadlessPeer, teller: HeadlessPeer, progress: Progress) -> None:
    progress("both parties see each other; speaking")
    customer.play()
    teller.play()
    talk.speaking_since_s = time.monotonic()
    owner = TaskOwner("demo call")
    played = owner.start("play", _played(customer, teller))
    ended = owner.start("watch for the end", talk.ended.wait())
    try:
        await asyncio.wait({played, ended}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(0 if talk.ended.is_set() else TAIL_S)
    finally:
        await owner.close()


async def _played(*peers: HeadlessPeer) -> None:
    await asyncio.gather(*(peer.wait_played() for peer in peers))


async def _wait_processed(plan: Plan, inspector: Staff, call_id: str, progress: Progress) -> dict[str, Any]:
    shown = ""
    deadline_s = time.monotonic() + plan.process_timeout_s
    while time.monotonic() < deadline_s:
        result: dict[str, Any] = await _answer(inspector.client.get(f"/api/calls/{call_id}/result"))
        stages = result["stages"]
        line = "  ".join(f"{name}: {stages[name]}" for name in STAGES)
        if line != shown:
            progress(line)
            shown = line
        if "failed" in stages.values():
            raise DemoCallError(f"processing failed: {result.get('error') or line}")
        if stages["score"] == "done" or stages["transcript"] == "not_transcribed":
            return result
        await asyncio.sleep(0.5)
    raise DemoCallError(f"not processed within {plan.process_timeout_s:.0f} s: {shown}")


async def _collect(plan: Plan, inspector: Staff, talk: Talk, result: dict[str, Any]) -> dict[str, Any]:
    plan.out_dir.mkdir(parents=True, exist_ok=True)
    recordings = []
    for file in result["recordings"]:
        path = plan.out_dir / f"{talk.call_id}.{file['party']}.webm"
        response = await inspector.client.get(f"/api/recordings/{file['file_id']}/media")
        if hashlib.sha256(response.content).hexdigest() != file["sha256"]:
            raise DemoCallError(f"the recording of the {file['party']} does not have its stored digest")
        path.write_bytes(response.content)
        recordings.append(
            {key: file[key] for key in ("party", "duration_s", "video_codec", "audio_codec", "sha256")}
            | {"path": str(path)}
        )
    return {
        "call_id": talk.call_id,
        "join_to_media_s": talk.join_to_media_s,
        "duration_s": max((file["duration_s"] for file in recordings), default=0.0),
        "recordings": recordings,
        "transcript": result["transcript"],
        "findings": result["findings"],
        "captions": talk.captions,
        "score": result["score"],
        "engines": result["engines"],
    }
