"""Quality from the node to the pages and into the row that stays, with real engines and real media."""

import asyncio
import random
from dataclasses import asdict, replace

import pytest
from call_rows import CallRows
from counter import open_counter
from media_fakes import Collector
from redis.asyncio import Redis

from core.bus import QUALITY, Bus
from core.db import Database
from core.models import CallQuality
from core.ports.media import PeerState, Profile, QualitySample, QualitySummary, Seat
from server.calls.quality import QualityBook
from server.media import profiles
from server.media.config import MediaConfig
from server.media.headless import HeadlessPeer
from server.media.node import CallQuality as EndedCall
from server.media.node import MediaNode
from server.media.seam import SecureTransport
from server.media.srtp import Incoming

SUMMARY = QualitySummary(
    seat=Seat.CUSTOMER, seconds=10, loss_up=0.02, loss_up_max=0.1, loss_down=0.0, loss_down_max=0.0, jitter_up_ms=4.0,
    jitter_down_ms=0.0, rtt_ms=None, rtt_max_ms=None, bitrate_up_bps=1000, bitrate_down_bps=0, freezes=1, frozen_s=2,
    bars_s=(0, 0, 2, 0, 8),
)  # fmt: skip


async def test_both_pages_hear_how_good_both_connections_are(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        teller = await counter.teller("chen")
        customer = await counter.customer(await counter.add_visit())
        call_id = (await customer.ask("queue.join"))["call"]["call_id"]
        ring = await teller.see("offer.ring", call_id=call_id)
        await teller.ask("offer.accept", offer_id=ring["offer_id"])
        for seat, bars in (("customer", 4), ("teller", 4), ("customer", 4), ("customer", 1), ("supervisor", 3)):
            await bus.publish(QUALITY, {"samples": [{"call_id": call_id, "seat": seat, "bars": bars}, {"seat": "x"}]})
        await customer.see("media.quality", seat="customer", bars=1)
        await teller.see("media.quality", call_id=call_id, seat="customer", bars=1)
        told = [payload for name, payload in customer.pushed if name == "media.quality"]
        assert told == [
            {"seat": "customer", "bars": 4},
            {"seat": "teller", "bars": 4},
            {"seat": "customer", "bars": 1},
        ], "only changes, and only the two parties"


async def test_both_pages_hear_what_each_party_is_to_send_and_why(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        teller = await counter.teller("chen")
        customer = await counter.customer(await counter.add_visit())
        call_id = (await customer.ask("queue.join"))["call"]["call_id"]
        ring = await teller.see("offer.ring", call_id=call_id)
        await teller.ask("offer.accept", offer_id=ring["offer_id"])
        for seat, profile in (("customer", "vga"), ("teller", "low"), ("customer", "audio")):
            sample = {"call_id": call_id, "seat": seat, "bars": 2, "profile": profile, "why": "line"}
            await bus.publish(QUALITY, {"samples": [sample]})
        await bus.publish(QUALITY, {"samples": [{**sample, "why": "hand"}]})
        for page in (customer, teller):
            await page.see("media.profile", seat="customer", profile="audio", why="hand")
            told = [
                tuple(body[key] for key in ("seat", "profile", "why"))
                for name, body in page.pushed
                if name == "media.profile" and body["shown"]
            ]
            assert told == [
                ("customer", "vga", "line"), ("teller", "low", "line"), ("customer", "audio", "line"),
                ("customer", "audio", "hand"),
            ]  # fmt: skip


async def test_a_calls_quality_is_kept_and_joined_when_the_call_moved_to_another_node(database: Database) -> None:
    call = await CallRows(database).call(None)
    book = QualityBook(database)
    await book.keep(call.id, [SUMMARY])
    later = replace(
        SUMMARY, seconds=30, loss_up=0.0, loss_up_max=0.04, rtt_ms=80.0, rtt_max_ms=90.0, bitrate_up_bps=3000
    )
    await book.keep(call.id, [later, replace(SUMMARY, seat=Seat.TELLER)])
    await book.keep("call_unknown", [SUMMARY])
    async with database.read() as session:
        row = await session.get_one(CallQuality, (call.id, "customer"))
        assert await session.get(CallQuality, (call.id, "teller")) is not None
    assert (row.seconds, row.freezes, row.frozen_s, row.bars_s) == (40, 2, 4, [0, 0, 4, 0, 16])
    assert (row.loss_up, row.loss_up_max) == (pytest.approx(0.005), 0.1)
    assert (row.rtt_ms, row.rtt_max_ms, row.bitrate_up_bps) == (80.0, 90.0, 2500)


async def test_loss_lowers_the_one_publisher_its_end_restores_it_and_a_bad_line_down_spares_the_listener(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(profiles, "GOOD_S", 2)
    monkeypatch.setattr(profiles, "AWFUL_S", 1)
    dice, loss, loss_down = random.Random(7), 0.4, 0.0
    receive, send = SecureTransport._receive, SecureTransport._send
    node, samples, collector = _measuring_node()
    await node.start()
    clients = await _talk(node)
    room = node.room("call_1")
    assert room is not None
    customer = room.live(Seat.CUSTOMER)
    assert customer is not None

    def lossy(self: SecureTransport, rx: Incoming, data: bytes) -> None:
        if self is not customer.transport or dice.random() > loss:
            receive(self, rx, data)

    def lossy_down(self: SecureTransport, secured: bytes | None, more: bool = False) -> None:
        if self is not customer.transport or dice.random() > loss_down:
            send(self, secured, more)

    monkeypatch.setattr(SecureTransport, "_receive", lossy)
    monkeypatch.setattr(SecureTransport, "_send", lossy_down)
    async with asyncio.timeout(30):
        while not [sample for sample in samples if sample.profile is not Profile.VGA]:
            await asyncio.sleep(0.1)
        loss = 0.0
        while next(sample.profile for sample in reversed(samples) if sample.seat is Seat.CUSTOMER) is not Profile.VGA:
            await asyncio.sleep(0.1)
        await node.set_profile("call_1", Seat.CUSTOMER, Profile.AUDIO, by_hand=True)
        while not [sample for sample in samples if sample.why == "hand"]:
            await asyncio.sleep(0.1)
        loss_down = 0.6
        while samples[-1].shown and samples[-2].shown:
            await asyncio.sleep(0.1)
    loss_down = 0.0
    await asyncio.sleep(0.2)
    (sink,) = (sink for sink in collector.sinks if sink.stream.seat is Seat.TELLER)
    before = clients[0].received.video_frames, clients[0].received.audio_frames, len(sink.sequences("video"))
    await asyncio.sleep(0.6)
    after = clients[0].received.video_frames, clients[0].received.audio_frames, len(sink.sequences("video"))
    assert after[0] == before[0], "the customer's line carries no picture"
    assert after[1] > before[1], "but sound"
    assert after[2] > before[2], "the teller is recorded all the same"
    changes = list(collector.changes)  # until here
    for client in clients:
        await client.close()
    await node.close()
    lowered = [sample for sample in samples if sample.profile is not Profile.VGA]
    assert lowered[0].loss_up > 0.1
    assert {(sample.seat, sample.why) for sample in lowered} == {
        (Seat.CUSTOMER, "line"), (Seat.CUSTOMER, "hand"), (Seat.TELLER, "line"),
    }  # fmt: skip
    assert Profile.AUDIO not in {sample.profile for sample in lowered if sample.seat is Seat.TELLER}
    assert {change.state for change in changes} == {PeerState.CONNECTED}, "without a new connection"


def _measuring_node() -> tuple[MediaNode, list[QualitySample], Collector]:
    collector = Collector()
    samples: list[QualitySample] = []

    async def on_samples(found: list[QualitySample]) -> None:
        samples.extend(found)

    config = MediaConfig("node_1", "a secret of the tests", ("127.0.0.1",))
    node = MediaNode(config, collector.make_sinks, collector.on_change, collector.on_failure, on_samples=on_samples)
    return node, samples, collector


async def _talk(node: MediaNode) -> list[HeadlessPeer]:
    clients = []
    for seat in (Seat.CUSTOMER, Seat.TELLER):
        client = HeadlessPeer()
        offer = await node.open_peer("call_1", seat)
        await node.answer("call_1", offer.peer_id, await client.answer(offer.sdp_offer))
        clients.append(client)
    async with asyncio.timeout(30):
        for client in clients:
            await client.connected.wait()
        await node.activate("call_1")
        while any(client.received.video_frames < 10 for client in clients):
            await asyncio.sleep(0.05)
    return clients


async def test_a_node_measures_a_real_call() -> None:
    collector = Collector()
    samples: list[QualitySample] = []
    ended: list[EndedCall] = []

    async def on_samples(found: list[QualitySample]) -> None:
        samples.extend(found)

    async def on_quality(call: EndedCall) -> None:
        ended.append(call)

    node = MediaNode(
        MediaConfig("node_1", "a secret of the tests", ("127.0.0.1",)),
        collector.make_sinks,
        collector.on_change,
        collector.on_failure,
        on_samples=on_samples,
        on_quality=on_quality,
    )
    await node.start()
    clients = []
    for seat in (Seat.CUSTOMER, Seat.TELLER):
        client = HeadlessPeer()
        offer = await node.open_peer("call_1", seat)
        await node.answer("call_1", offer.peer_id, await client.answer(offer.sdp_offer))
        clients.append(client)
    async with asyncio.timeout(30):
        for client in clients:
            await client.connected.wait()
        await node.activate("call_1")
        while not [sample for sample in samples if sample.rtt_ms is not None and sample.bitrate_up_bps > 50_000]:
            await asyncio.sleep(0.1)
    for client in clients:
        await client.close()
    await node.close_call("call_1", "hangup")
    await node.close()
    measured = next(sample for sample in samples if sample.rtt_ms is not None and sample.bitrate_up_bps > 50_000)
    assert 0 <= (measured.rtt_ms or 0) < 3000, "loopback, on a machine that may be busy"
    assert measured.bitrate_down_bps > 50_000
    assert measured.bars >= 1
    assert asdict(measured)["seat"] in ("customer", "teller")
    assert {summary.seat for summary in ended[0].seats} == {Seat.CUSTOMER, Seat.TELLER}
    assert all(summary.seconds == sum(summary.bars_s) for summary in ended[0].seats)
