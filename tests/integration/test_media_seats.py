"""Who hears whom, measured: a tone per seat, and what arrives at every ear in every mode, through real transports."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest
from media_fakes import Collector

from core.errors import NotFoundError
from core.ports.media import PeerState, Seat, SupervisorMode
from server.media.config import MediaConfig
from server.media.headless import FRAME, RATE_HZ, HeadlessPeer
from server.media.node import MediaNode
from server.media.seats import Situation, hears

TONE_HZ = {Seat.CUSTOMER: 500, Seat.TELLER: 800, Seat.EXPERT: 1100, Seat.SUPERVISOR: 1700}
EARS = ("audio", "audio2", "audio3")
SETTLE_S = 0.7  # the jitter buffer of a client still holds what was sent before a switch
LISTEN_S = 0.5


def tone(hz: int) -> np.ndarray:
    return (8000 * np.sin(2 * np.pi * hz * np.arange(RATE_HZ * 60) / RATE_HZ)).astype(np.int16)


def level(samples: np.ndarray, hz: int) -> float:
    """Goertzel: amplitude of one frequency, as a share of the tone that was sent."""
    if len(samples) < FRAME:
        return 0.0
    turn = np.exp(-2j * np.pi * hz * np.arange(len(samples)) / RATE_HZ)
    return float(2 * abs(np.dot(samples.astype(float), turn)) / len(samples)) / 8000


class House:
    """A node with one call and a client in every seat."""

    def __init__(self) -> None:
        self.collector = Collector()
        self.node = MediaNode(
            MediaConfig("node_1", "a secret of the tests", ("127.0.0.1",)),
            self.collector.make_sinks,
            self.collector.on_change,
            self.collector.on_failure,
        )
        self.clients: dict[Seat, HeadlessPeer] = {}

    async def join(self, seat: Seat, *slots: str) -> HeadlessPeer:
        client = HeadlessPeer(tone(TONE_HZ[seat]), keep_audio=True, slots=slots or EARS)
        self.clients[seat] = client
        offer = await self.node.open_peer("call_1", seat)
        await self.node.answer("call_1", offer.peer_id, await client.answer(offer.sdp_offer))
        async with asyncio.timeout(30):
            await client.connected.wait()
            while not any(change.peer_id == offer.peer_id for change in self.collector.changes):
                await asyncio.sleep(0.02)
        client.play()
        return client

    async def heard(self, expected: dict[Seat, set[Seat]]) -> dict[Seat, set[Seat]]:
        """What arrives at every ear, measured anew until it is what is expected: a busy machine makes sound stutter."""
        for _ in range(8):
            found = await self.heard_now()
            if found == expected:
                break
        return found

    async def heard_now(self) -> dict[Seat, set[Seat]]:
        """For every listener, whose tone arrives now, in whichever slot. Anything above 5 % of what was sent counts."""
        await asyncio.sleep(SETTLE_S)
        starts = {(seat, ear): len(client.heard(ear)) for seat, client in self.clients.items() for ear in EARS}
        await asyncio.sleep(LISTEN_S)
        found: dict[Seat, set[Seat]] = {}
        for listener, client in self.clients.items():
            parts = [client.heard(ear)[starts[listener, ear] :] for ear in EARS]
            found[listener] = {
                speaker for speaker, hz in TONE_HZ.items() if max(level(part, hz) for part in parts) > 0.05
            }
        return found


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House()
    await made.node.start()
    yield made
    for client in made.clients.values():
        await client.close()
    await made.node.close()


async def test_every_ear_hears_exactly_whom_the_table_says_while_modes_and_hold_change(house: House) -> None:
    for seat in Seat:
        await house.join(seat)
    silence: dict[Seat, set[Seat]] = {seat: set() for seat in Seat}
    assert await house.heard(silence) == silence, "nothing flows before the call is active"
    await house.node.activate("call_1")
    for mode, hold in (
        (SupervisorMode.MONITOR, False),
        (SupervisorMode.BARGE, False),
        (SupervisorMode.WHISPER, False),
        (SupervisorMode.MONITOR, True),
        (SupervisorMode.BARGE, True),  # the table of all others is tried without packets
    ):
        await house.node.set_mode("call_1", mode)
        await house.node.set_hold("call_1", hold)
        table = {
            listener: {speaker for speaker in Seat if hears(listener, speaker, Situation(mode, hold))}
            for listener in Seat
        }
        assert await house.heard(table) == table, (mode, hold)

    # A supervisor who leaves and one who comes later begins as a monitor, whatever the last mode was.
    await house.clients[Seat.SUPERVISOR].close()
    async with asyncio.timeout(10):
        while not any(
            change.seat is Seat.SUPERVISOR and change.state is PeerState.CLOSED for change in house.collector.changes
        ):
            await asyncio.sleep(0.05)
    await house.join(Seat.SUPERVISOR)
    as_monitor = Situation(on_hold=True)
    table = {listener: {speaker for speaker in Seat if hears(listener, speaker, as_monitor)} for listener in Seat}
    assert await house.heard(table) == table
    spoken = [sink for sink in house.collector.sinks if sink.stream.seat is Seat.SUPERVISOR]
    assert len(spoken) == 2, "recorded while the customer could hear, in two stretches"
    assert all(sink.closed is not None for sink in spoken)


async def test_recording_goes_on_during_a_hold_and_the_picture_comes_back_with_a_key_frame(house: House) -> None:
    customer = await house.join(Seat.CUSTOMER, "audio", "video")
    await house.join(Seat.TELLER, "audio", "video")
    await house.node.activate("call_1")
    async with asyncio.timeout(20):
        while customer.received.video_frames < 10:
            await asyncio.sleep(0.02)
    await house.node.set_hold("call_1", True)
    await asyncio.sleep(SETTLE_S)
    frames = customer.received.video_frames
    teller_sink = next(sink for sink in house.collector.sinks if sink.stream.seat is Seat.TELLER)
    kept = len(teller_sink.packets)
    await asyncio.sleep(1)
    assert customer.received.video_frames == frames, "nothing of the counter arrives"
    assert len(teller_sink.packets) > kept + 40
    assert teller_sink.closed is None
    await house.node.set_hold("call_1", False)
    async with asyncio.timeout(3):
        while customer.received.video_frames < frames + 10:
            await asyncio.sleep(0.02)


async def test_unused_slots_hold_no_memory_and_unknown_calls_are_refused(house: House) -> None:
    await house.join(Seat.CUSTOMER, "audio", "video")
    await house.join(Seat.TELLER, "audio", "video")
    await house.node.activate("call_1")
    await asyncio.sleep(1)
    room = house.node.room("call_1")
    assert room is not None
    for peer in room.peers:
        used = {name for name, downlink in peer.downlinks.items() if downlink.packets}
        rings = {name for name, downlink in peer.downlinks.items() if downlink._ring is not None}
        assert (used, rings) == ({"audio", "video"}, {"video"})
    with pytest.raises(NotFoundError):
        await house.node.set_mode("call_none", SupervisorMode.BARGE)
    with pytest.raises(NotFoundError):
        await house.node.set_hold("call_none", True)


async def test_the_tellers_screen_is_its_own_picture_and_a_hold_hides_it(house: House) -> None:
    customer = await house.join(Seat.CUSTOMER, "audio", "video", "screen")
    teller = HeadlessPeer(screen=True)
    house.clients[Seat.TELLER] = teller
    offer = await house.node.open_peer("call_1", Seat.TELLER)
    await house.node.answer("call_1", offer.peer_id, await teller.answer(offer.sdp_offer))
    async with asyncio.timeout(30):
        await teller.connected.wait()
    await house.node.activate("call_1")
    async with asyncio.timeout(20):
        while customer.screen.video_frames < 10 or customer.received.video_frames < 10:
            await asyncio.sleep(0.02)
    room = house.node.room("call_1")
    assert room is not None
    sender = room.live(Seat.TELLER)
    assert sender is not None
    assert set(sender.uplinks) == {"audio", "video", "screen"}
    shown = next(sink for sink in house.collector.sinks if sink.stream.name == "teller-screen")
    camera = next(sink for sink in house.collector.sinks if sink.stream.name == "teller")
    assert {(kind, packet[8:12]) for kind, packet, _ in shown.packets} == {
        ("video", sender.uplinks["screen"].ssrc_bytes)
    }, "the screen is recorded apart"
    assert sender.uplinks["screen"].ssrc_bytes not in {packet[8:12] for _, packet, _ in camera.packets}
    assert [sink.stream.name for sink in house.collector.sinks].count("customer-screen") == 0
    await house.node.set_hold("call_1", True)
    await asyncio.sleep(SETTLE_S)
    frames = customer.screen.video_frames
    await asyncio.sleep(0.5)
    assert customer.screen.video_frames == frames
    await house.node.set_hold("call_1", False)
    async with asyncio.timeout(3):
        while customer.screen.video_frames < frames + 10:
            await asyncio.sleep(0.02)


async def test_a_customer_who_sends_a_screen_is_not_heard_of(house: House) -> None:
    customer = HeadlessPeer(screen=True)
    house.clients[Seat.CUSTOMER] = customer
    offer = await house.node.open_peer("call_1", Seat.CUSTOMER)
    answer = (await customer.answer(offer.sdp_offer)).replace("a=recvonly", "a=sendrecv")
    await house.node.answer("call_1", offer.peer_id, answer)
    async with asyncio.timeout(30):
        await customer.connected.wait()
    room = house.node.room("call_1")
    assert room is not None
    assert all(set(peer.uplinks) <= {"audio", "video"} for peer in room.peers)
