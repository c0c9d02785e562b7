"""Everything is killed in the middle of calls: is anything lost?

    python bench/chaos.py [--rounds 1] [--calls 2] [--seed N] [--victims media,edge,worker,valkey,postgres]

A whole house runs with real calls (two headless WebRTC parties each, who speak, show a picture, write chat messages and
come back whenever their connection dies, as the pages do). In every round each victim is killed once with SIGKILL, in
random order and at a random moment: the media process, the edge, the worker, Valkey, all processes of PostgreSQL. Then
the calls hang up, the work behind them is waited for, and the books are compared with what the parties were told.

The last line is one JSON object:
``kills``: processes killed; ``lost_rows``: messages that a party was told are stored and are not there (or twice), and
calls or recordings that are missing; ``lost_events``: facts that are missing, or were not worked off by every handler;
``doubled_events``: facts that are there twice; ``max_lost_media_s``: the longest stretch that a party sent over a
working connection and that is not in the playable file; ``max_rejoin_s``: the longest time from a kill until both
parties of every call saw each other again (0: nobody noticed); ``calls``, ``closed_with_reason``: how they ended.
"""

import argparse
import asyncio
import contextlib
import io
import json
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench"), str(ROOT / "tests" / "fakes")]

import av  # noqa: E402
import httpx  # noqa: E402
import numpy as np  # noqa: E402
import psutil  # noqa: E402
from common import print_result, say  # noqa: E402
from running_house import RunningHouse  # noqa: E402
from sqlmodel import col, select  # noqa: E402

from core.clock import SystemClock  # noqa: E402
from core.db import Database  # noqa: E402
from core.errors import CounterError  # noqa: E402
from core.models import Call, ChatMessage, EventDelivery, OutboxEvent, Recording  # noqa: E402
from core.tasks import TaskOwner  # noqa: E402
from server.demo.call import Plan, Staff, _enter  # noqa: E402
from server.identity.seed import DEMO_PASSWORD  # noqa: E402
from server.media.headless import HeadlessPeer  # noqa: E402
from signaling.client import SignalingClient  # noqa: E402

HOUSE = ("media", "edge", "worker")
VICTIMS = (*HOUSE, "valkey", "postgres")
STALE_S = 2.0  # whose connection leads to a dead media process notices after so long, as the pages are told
SETTLE_S = 3.0  # of undisturbed talk before each kill
REJOIN_WAIT_S = 40.0
BACKLOG_WAIT_S = 90.0
GAP_S = 0.25  # pictures come every 67 ms; a pause longer than this is something missing
LOG = Path(tempfile.gettempdir()) / "aircounter-chaos.log"
PASSING = (CounterError, httpx.HTTPError, OSError, TimeoutError, ValueError)


def voice() -> np.ndarray:
    """Four minutes of a modulated tone."""
    at_s = np.arange(48_000 * 240) / 48_000
    return (np.sin(2 * np.pi * 220 * at_s) * 8000 * (0.5 + 0.5 * np.sin(2 * np.pi * 3 * at_s))).astype(np.int16)


@dataclass(slots=True)
class Party:
    """One side of a call that keeps coming back.

    Attributes:
        seen: When something new was last seen (monotonic). connected: Spans in which its media went through, wall
            clock seconds.
    """

    name: str
    base_url: str
    headers: dict[str, str]
    auth: dict[str, str] | None
    sound: np.ndarray
    call_id: str | None = None
    socket: SignalingClient | None = None
    peer: HeadlessPeer | None = None
    frames: int = 0
    seen_s: float = 0.0
    joins: int = 0
    joined_s: float = 0.0
    node_died_s: float = 0.0
    stopping: bool = False
    ring: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def namespace(self) -> str:
        return "/customer" if self.name == "customer" else "/staff"

    async def request(self, event: str, **payload: Any) -> dict[str, Any]:
        """Ask over the socket, connecting first where that is needed."""
        if self.socket is None:
            socket = SignalingClient(self.namespace, auth=self.auth, headers=dict(self.headers))
            socket.on("offer.ring", self.ring.put_nowait)
            await socket.connect(self.base_url)
            self.socket = socket
        try:
            return await self.socket.request(event, **payload)
        except CounterError as error:
            if error.code.startswith("signaling."):
                await self.drop_socket()
            raise

    async def drop_socket(self) -> None:
        socket, self.socket = self.socket, None
        if socket is not None:
            with contextlib.suppress(*PASSING):
                await socket.close()

    async def join(self) -> None:
        """A new connection in the seat."""
        which = {"call_id": self.call_id} if self.namespace == "/staff" else {}
        old, self.peer = self.peer, None
        if old is not None:
            await old.close()
        offer = await self.request("media.join", **which)
        peer = HeadlessPeer(self.sound)
        try:
            answer = await peer.answer(offer["sdp_offer"])
            await self.request("media.answer", **which, peer_id=offer["peer_id"], sdp_answer=answer)
        except BaseException:
            await peer.close()
            raise
        peer.play()
        self.peer, self.frames, self.joins, self.joined_s = peer, 0, self.joins + 1, time.monotonic()

    def look(self) -> None:
        """Note whether something new has been seen."""
        if self.peer is not None and self.peer.received.video_frames > self.frames:
            self.frames, self.seen_s = self.peer.received.video_frames, time.monotonic()

    async def keep(self) -> None:
        """Come back for as long as the call is wanted."""
        tried_s = 0.0
        while not self.stopping:
            await asyncio.sleep(0.05)
            self.look()
            now_s = time.monotonic()
            stale = self.joined_s < self.node_died_s < now_s - STALE_S
            gone = self.peer is None or self.peer.ended.is_set() or stale
            if gone and now_s - tried_s > 0.5:
                try:
                    await self.join()
                except PASSING as error:
                    say(f"  {self.name} {self.call_id}: {error}")
                    await self.drop_socket()
                tried_s = time.monotonic()

    async def close(self) -> None:
        if self.peer is not None:
            await self.peer.close()
        await self.drop_socket()


@dataclass(slots=True)
class Conversation:
    """A call, its two parties and what they were told is stored."""

    customer: Party
    teller: Party
    token: str
    call_id: str = ""
    told: list[str] = field(default_factory=list)
    hung_up_at_s: float = 0.0

    @property
    def parties(self) -> tuple[Party, Party]:
        return self.customer, self.teller

    def seen_since(self, at_s: float) -> bool:
        """Whether both have seen something new since then."""
        return all(party.seen_s > at_s for party in self.parties)

    async def begin(self) -> None:
        """From the queue to pictures on both sides."""
        await self.teller.request("presence.set", state="ready", reason="")
        self.call_id = (await self.customer.request("queue.join"))["call"]["call_id"]
        while (offer := await self.teller.ring.get())["call_id"] != self.call_id:
            await self.teller.request("offer.decline", offer_id=offer["offer_id"])
        for party in self.parties:
            party.call_id = self.call_id
        await asyncio.gather(
            self.teller.request("offer.accept", offer_id=offer["offer_id"]), self.customer.join(), self.teller.join()
        )

    async def write(self, base_url: str) -> None:
        """A chat message every 0.3 s; one that was not answered is sent again under its own name."""
        async with httpx.AsyncClient(base_url=base_url, timeout=5) as http:
            http.headers["Authorization"] = f"Bearer {self.token}"
            number = 0
            while not self.customer.stopping:
                body = {"client_id": f"message-{number:06d}", "text": f"第 {number} 句"}
                with contextlib.suppress(*PASSING):
                    answer = await http.post(f"/api/visit/chat/{self.call_id}", json=body)
                    if answer.status_code == 200:
                        self.told.append(answer.json()["id"])
                        number += 1
                await asyncio.sleep(0.3)

    async def hang_up(self) -> None:
        """End the call; try until somebody says yes."""
        for party in self.parties:
            party.stopping = True
        deadline_s = time.monotonic() + 30
        while time.monotonic() < deadline_s:
            try:
                self.hung_up_at_s = time.time()
                await self.customer.request("call.hangup")
                return
            except PASSING as error:
                say(f"  hanging up {self.call_id}: {error}")
                if getattr(error, "code", "") in ("call.none", "call.not_running", "call.not_found"):
                    return
                await self.customer.drop_socket()
                await asyncio.sleep(0.5)


class Chaos:
    """Kills, and remembers when (wall clock)."""

    def __init__(self, house: RunningHouse, chance: random.Random) -> None:
        self.house = house
        self.chance = chance
        self.kills: list[tuple[str, float]] = []

    def kill(self, victim: str) -> None:
        """SIGKILL."""
        targets = [self.house.processes()[victim]] if victim in HOUSE else self.engine(victim)
        self.kills.append((victim, time.time()))
        for process in targets:
            with contextlib.suppress(psutil.Error):
                process.kill()
        say(f"killed {victim} ({len(targets)} processes)")

    def engine(self, victim: str) -> list[psutil.Process]:
        """The engine's processes that belong to this house."""
        folder = str(self.house.data_dir / victim)
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if folder in " ".join(process.cmdline()) and process.pid != self.house_pid:
                    found += [process, *process.children(recursive=True)]
        return found

    @property
    def house_pid(self) -> int:
        assert self.house._process is not None
        return self.house._process.pid


async def conversation(house: RunningHouse, teller: str, sound: np.ndarray) -> Conversation:
    """Two parties, not yet connected."""
    origin = {"Origin": house.base_url}
    staff = await Staff.sign_in(house.base_url, teller, DEMO_PASSWORD)
    plan = Plan(house.base_url, "account_opening", sound, sound, Path(), DEMO_PASSWORD)
    token = await _enter(plan)
    customer = Party("customer", house.base_url, origin, {"token": token}, sound)
    counter = Party(teller, house.base_url, {**origin, "Cookie": staff.cookie}, None, sound)
    await staff.client.aclose()
    return Conversation(customer, counter, token)


async def torment(chaos: Chaos, talks: list[Conversation], rounds: int, victims: list[str]) -> float:
    """Kill in every round everything once. Returns the longest time until all saw each other again, seconds."""
    longest = 0.0
    for _ in range(rounds):
        order = list(victims)
        chaos.chance.shuffle(order)
        for victim in order:
            await asyncio.sleep(SETTLE_S + chaos.chance.random())
            before = sum(party.joins for talk in talks for party in talk.parties)
            killed_s = time.monotonic()
            chaos.kill(victim)
            if victim == "media":
                for party in (party for talk in talks for party in talk.parties):
                    party.node_died_s = killed_s
            took = await noticed(talks, killed_s)
            joins = sum(party.joins for talk in talks for party in talk.parties) - before
            say(f"  {victim}: longest without a picture {took:.2f} s, {joins} new connections")
            longest = max(longest, took)
            await asyncio.to_thread(chaos.house.wait_ready)
    return longest


async def noticed(talks: list[Conversation], killed_s: float) -> float:
    """Until everybody has seen something new for a while; how long the longest pause took that began with the kill."""
    deadline_s, longest, calm_since = killed_s + REJOIN_WAIT_S, 0.0, None
    parties = [party for talk in talks for party in talk.parties]
    while time.monotonic() < deadline_s:
        await asyncio.sleep(0.05)
        now_s = time.monotonic()
        pauses = [now_s - party.seen_s for party in parties]
        if max(pauses) < 0.5:
            calm_since = calm_since or now_s
            # A media process that is gone is noticed late: look on for as long as a connection may seem alive.
            if now_s - calm_since > STALE_S + 1:
                return longest if longest > 0.5 else 0.0
        else:
            longest, calm_since = max(longest, max(pauses)), None
    return REJOIN_WAIT_S


async def books(house: RunningHouse, talks: list[Conversation]) -> dict[str, Any]:
    """Wait until the work is done, then compare what is stored with what was told."""
    database = Database(f"postgresql+asyncpg://postgres@/postgres?host={house.data_dir}/postgres", None, SystemClock())
    try:
        await worked_off(database, [talk.call_id for talk in talks])
        async with database.read() as session:
            calls = {row.id: row for row in (await session.scalars(select(Call))).all()}
            messages = (await session.scalars(select(ChatMessage))).all()
            events = (await session.scalars(select(OutboxEvent))).all()
            deliveries = (await session.scalars(select(EventDelivery))).all()
            recordings = {row.call_id: row for row in (await session.scalars(select(Recording))).all()}
    finally:
        await database.close()
    stored = Counter(message.id for message in messages)
    texts = Counter((message.call_id, message.client_id) for message in messages)
    lost_rows = sum(1 for talk in talks for message_id in talk.told if stored[message_id] != 1)
    lost_rows += sum(1 for count in texts.values() if count != 1)
    lost_rows += sum(1 for talk in talks if talk.call_id not in calls or talk.call_id not in recordings)
    facts = Counter((event.type, _subject(event)) for event in events)
    wanted = [("ChatMessageSent", message.id) for message in messages]
    wanted += [(kind, talk.call_id) for talk in talks for kind in ("CallQueued", "CallAccepted", "CallEnded")]
    wanted += [("RecordingFinalized", talk.call_id) for talk in talks]
    missing = [key for key in wanted if facts[key] == 0]
    unsettled = [row for row in deliveries if row.state != "done"]
    unrelayed = [row for row in events if row.relayed_at is None]
    once = {"ChatMessageSent", "CallQueued", "CallAccepted", "CallConnected", "CallEnded", "RecordingFinalized"}
    doubled = [key for key, count in facts.items() if key[0] in once and count > 1]
    for line in (*missing, *doubled, *((row.handler, row.state, row.error) for row in unsettled)):
        say(f"  not as it should be: {line}")
    return {
        "lost_rows": lost_rows,
        "lost_events": len(missing) + len(unsettled) + len(unrelayed),
        "doubled_events": len(doubled),
        "messages": len(messages),
        "events": len(events),
        "calls": len(talks),
        "closed_with_reason": sum(1 for talk in talks if calls[talk.call_id].end_reason is not None),
        "started_at": {call_id: row.started_at.timestamp() for call_id, row in recordings.items()},
    }


def _subject(event: OutboxEvent) -> str:
    payload = json.loads(event.payload)
    return str(payload.get("message_id") or payload.get("call_id") or event.event_id)


async def worked_off(database: Database, call_ids: list[str]) -> None:
    """Until no job waits and every recording is finalized; not longer than `BACKLOG_WAIT_S`."""
    began_s = time.monotonic()
    while time.monotonic() < began_s + BACKLOG_WAIT_S:
        with contextlib.suppress(OSError):
            async with database.read() as session:
                pending = select(EventDelivery.handler).where(col(EventDelivery.state) == "pending")
                unrelayed = select(OutboxEvent.seq).where(col(OutboxEvent.relayed_at).is_(None))
                done = select(Recording.id).where(
                    col(Recording.call_id).in_(call_ids), col(Recording.state) == "finalized"
                )
                left = len((await session.scalars(pending)).all()) + len((await session.scalars(unrelayed)).all())
                if left == 0 and len((await session.scalars(done)).all()) == len(call_ids):
                    say(f"backlog worked off after {time.monotonic() - began_s:.1f} s")
                    return
        await asyncio.sleep(0.5)
    say("the backlog was not worked off")


async def lost_media(
    house: RunningHouse, talks: list[Conversation], chaos: Chaos, started_at: dict[str, float]
) -> float:
    """The longest stretch that is not in a playable file although its party's connection worked, seconds.

    A killed media process takes its connections with it: what counts is what it had received before (from the last
    recorded picture to the kill). Any other pause counts whole, and so does what is missing before the hanging up.
    """
    inspector = await Staff.sign_in(house.base_url, "inspector1", DEMO_PASSWORD)
    worst = 0.0
    try:
        for talk in talks:
            result = (await inspector.client.get(f"/api/calls/{talk.call_id}/result")).json()
            for file in result["recordings"]:
                if file["track"] != "main":
                    continue
                data = (await inspector.client.get(f"/api/recordings/{file['file_id']}/media")).content
                times = [started_at[talk.call_id] + at_s for at_s in _picture_times(data)]
                worst = max(worst, _longest_loss(times, chaos, talk.hung_up_at_s, f"{talk.call_id} {file['party']}"))
            if {file["party"] for file in result["recordings"]} != {"customer", "teller"}:
                say(f"  {talk.call_id}: files of {[file['party'] for file in result['recordings']]} only")
                worst = max(worst, talk.hung_up_at_s - started_at.get(talk.call_id, 0.0))
    finally:
        await inspector.client.aclose()
    return worst


def _picture_times(data: bytes) -> list[float]:
    with av.open(io.BytesIO(data)) as container:
        return [float(frame.time) for frame in container.decode(video=0)]


def _longest_loss(times: list[float], chaos: Chaos, hung_up_at_s: float, name: str) -> float:
    media_kills = [at_s for victim, at_s in chaos.kills if victim == "media"]
    worst = 0.0
    for before, after in zip(times, [*times[1:], None], strict=True):
        if after is None:
            lost, why = hung_up_at_s - before, "end"
        elif after - before <= GAP_S:
            continue
        else:
            kill = next((at_s for at_s in media_kills if before - 1 <= at_s <= after), None)
            lost, why = (max(0.0, kill - before), "media kill") if kill is not None else (after - before, "gap")
        say(f"  {name}: {lost:.2f} s lost ({why}) at {before - times[0]:.1f} s")
        worst = max(worst, lost)
    return worst


async def run(rounds: int, count: int, seed: int, victims: list[str]) -> dict[str, Any]:
    """One house, some calls, many kills."""
    chance, sound = random.Random(seed), voice()
    with (
        tempfile.TemporaryDirectory() as models,
        RunningHouse(
            Path(models),
            AIRCOUNTER_LIVE_ENGINE="none",
            AIRCOUNTER_FINAL_ENGINE="none",
            AIRCOUNTER_WRAP_UP_S="1",
            AIRCOUNTER_REJOIN_S="45",
        ) as house,
    ):
        chaos, owner = Chaos(house, chance), TaskOwner("chaos")
        talks = [await conversation(house, f"teller{number + 1}", sound) for number in range(count)]
        try:
            for talk in talks:
                async with asyncio.timeout(30):
                    await talk.begin()
                owner.start("write", talk.write(house.base_url))
                for party in talk.parties:
                    party.seen_s = time.monotonic()
                    owner.start("keep", party.keep())
            say(f"{count} calls run")
            longest = await torment(chaos, talks, rounds, victims)
            await asyncio.sleep(SETTLE_S)
            for talk in talks:
                await talk.hang_up()
        finally:
            await owner.close()
            for talk in talks:
                for party in talk.parties:
                    await party.close()
        result = await books(house, talks)
        lost = await lost_media(house, talks, chaos, result.pop("started_at"))
        if any(result[key] for key in ("lost_rows", "lost_events", "doubled_events")) or lost > 1:
            await asyncio.to_thread(LOG.write_text, house.log())
            say(f"the house's log is in {LOG}")
    return {
        "kills": len(chaos.kills),
        **result,
        "max_lost_media_s": round(lost, 2),
        "max_rejoin_s": round(longest, 2),
        "seed": seed,
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--calls", type=int, default=2, choices=(1, 2, 3))
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    parser.add_argument("--victims", default=",".join(VICTIMS))
    arguments = parser.parse_args()
    victims = arguments.victims.split(",")
    print_result(asyncio.run(run(arguments.rounds, arguments.calls, arguments.seed, victims)))


if __name__ == "__main__":
    main()
