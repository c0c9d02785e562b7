"""Real calls through a media node: two WebRTC clients, real ICE, DTLS, SRTP, Opus and VP8."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest
from media_fakes import Collector

from core.errors import BadInputError, ConflictError, NotFoundError, UnavailableError
from core.ports.media import PeerState, Seat
from server.media import rtp
from server.media.config import MediaConfig
from server.media.headless import HeadlessPeer
from server.media.node import MediaNode
from server.media.seam import SecureTransport
from server.media.srtp import Incoming

SECRET = "a secret of the tests"
CUSTOMER_HZ, TELLER_HZ = 440, 880


def tone(hz: int, seconds: float) -> np.ndarray:
    return (8000 * np.sin(2 * np.pi * hz * np.arange(int(48_000 * seconds)) / 48_000)).astype(np.int16)


def loudest_hz(samples: np.ndarray) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples)))) * 48_000 / len(samples)


async def until(condition: Callable[[], object], timeout_s: float = 30) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.02)


class Call:
    """A node with one call and clients that are closed at the end."""

    def __init__(self, **options: float) -> None:
        self.collector = Collector()
        self.node = MediaNode(
            MediaConfig("node_1", SECRET, ("127.0.0.1",), **options),  # type: ignore[arg-type]
            self.collector.make_sinks,
            self.collector.on_change,
            self.collector.on_failure,
        )
        self.clients: list[HeadlessPeer] = []

    async def join(self, seat: Seat, hz: int | None = None) -> HeadlessPeer:
        client = HeadlessPeer(tone(hz, 4) if hz else None, keep_audio=True)
        self.clients.append(client)
        offer = await self.node.open_peer("call_1", seat)
        await self.node.answer("call_1", offer.peer_id, await client.answer(offer.sdp_offer))
        async with asyncio.timeout(30):
            await client.connected.wait()
        await until(lambda: any(change.peer_id == offer.peer_id for change in self.collector.changes))
        return client

    def states(self, seat: Seat) -> list[tuple[PeerState, str]]:
        return [(change.state, change.reason) for change in self.collector.changes if change.seat is seat]


@pytest.fixture
async def call() -> AsyncIterator[Call]:
    made = Call()
    await made.node.start()
    yield made
    for client in made.clients:
        await client.close()
    await made.node.close()
    assert not [
        task for task in asyncio.all_tasks() if task is not asyncio.current_task() and "media" in task.get_name()
    ]


async def test_nothing_flows_before_the_call_is_active_and_then_both_see_and_hear_each_other(call: Call) -> None:
    customer = await call.join(Seat.CUSTOMER, CUSTOMER_HZ)
    teller = await call.join(Seat.TELLER, TELLER_HZ)
    await asyncio.sleep(0.5)
    assert (customer.received.video_frames, teller.received.audio_frames, call.collector.sinks) == (0, 0, [])

    await call.node.activate("call_1")
    await call.node.activate("call_1")
    started_s = time.monotonic()
    for client in (customer, teller):
        client.play()
    await until(lambda: customer.received.video_frames > 20 and teller.received.video_frames > 20)
    assert (customer.received.first_video_s or 0) - started_s < 3.0
    await until(lambda: len(customer.heard()) > 72_000 and len(teller.heard()) > 72_000)
    assert loudest_hz(customer.heard()[24_000:72_000]) == pytest.approx(TELLER_HZ, abs=3)
    assert loudest_hz(teller.heard()[24_000:72_000]) == pytest.approx(CUSTOMER_HZ, abs=3)

    assert sorted((sink.stream.seat, sink.stream.segment) for sink in call.collector.sinks) == [
        (Seat.CUSTOMER, 1),
        (Seat.TELLER, 1),
    ]
    for sink in call.collector.sinks:
        for kind in ("audio", "video"):
            got = sink.sequences(kind)
            places = sorted(rtp.sequence_delta(sequence, got[0]) for sequence in got)
            assert places == list(range(len(got))), "all and each once"
        assert {kind for kind, _, _ in sink.reports} == {"audio", "video"}
        assert sink.closed is None

    await customer.close()
    await until(lambda: call.states(Seat.CUSTOMER)[-1] == (PeerState.CLOSED, "remote_closed"))
    await teller.wait_played()
    await call.node.close_call("call_1", "hangup")
    await call.node.close_call("call_1", "hangup")
    await until(lambda: call.states(Seat.TELLER)[-1] == (PeerState.CLOSED, "hangup"))
    assert {sink.stream.seat: sink.closed for sink in call.collector.sinks} == {
        Seat.CUSTOMER: "remote_closed",
        Seat.TELLER: "hangup",
    }
    assert call.node.stats()["peers"] == 0


async def test_a_reload_takes_the_seat_over_and_the_far_side_goes_on(call: Call) -> None:
    customer = await call.join(Seat.CUSTOMER)
    teller = await call.join(Seat.TELLER)
    await call.node.activate("call_1")
    await until(lambda: teller.received.video_frames > 5)

    again = await call.join(Seat.CUSTOMER)
    before = teller.received.video_frames
    await until(lambda: teller.received.video_frames > before + 10 and again.received.video_frames > 10)
    with pytest.raises(ConnectionError):
        await customer.wait_played()
    customer_sinks = [sink for sink in call.collector.sinks if sink.stream.seat is Seat.CUSTOMER]
    assert [(sink.stream.segment, sink.closed) for sink in customer_sinks] == [(1, "replaced"), (2, None)]
    assert call.states(Seat.CUSTOMER) == [
        (PeerState.CONNECTED, ""),
        (PeerState.CONNECTED, ""),
        (PeerState.CLOSED, "replaced"),
    ]


async def test_lost_packets_are_repaired_in_both_directions(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """4 % of all packets are dropped on the way in and again on the way out."""
    dice = random.Random(5)
    receive, send = SecureTransport._receive, SecureTransport._send

    def lossy_receive(self: SecureTransport, rx: Incoming, data: bytes) -> None:
        if dice.random() > 0.04:
            receive(self, rx, data)

    def lossy_send(self: SecureTransport, secured: bytes | None, more: bool = False) -> None:
        if dice.random() > 0.04:
            send(self, secured, more)

    monkeypatch.setattr(SecureTransport, "_receive", lossy_receive)
    monkeypatch.setattr(SecureTransport, "_send", lossy_send)
    await call.join(Seat.CUSTOMER)
    teller = await call.join(Seat.TELLER)
    await call.node.activate("call_1")
    await until(lambda: teller.received.video_frames > 60)
    await asyncio.sleep(0.5)  # the last holes are still being filled

    room = call.node.room("call_1")
    assert room is not None
    peer = room.live(Seat.TELLER)
    assert peer is not None
    assert peer.downlinks["video"].resent > 0, "the listener's losses were answered from the ring"
    customer_sink = next(sink for sink in call.collector.sinks if sink.stream.seat is Seat.CUSTOMER)
    sequences = customer_sink.sequences("video")
    places = [rtp.sequence_delta(sequence, sequences[0]) for sequence in sequences]
    settled = [place for place in places if max(places) - place > 30]
    assert sorted(settled) == list(range(min(places), max(settled) + 1)), "the publisher's losses were repaired"
    assert settled != sorted(settled), "repaired packets came late"


async def test_a_failing_recorder_is_reported_and_the_call_goes_on(call: Call) -> None:
    call.collector.fail_after = 10
    await call.join(Seat.CUSTOMER)
    teller = await call.join(Seat.TELLER)
    await call.node.activate("call_1")
    await until(lambda: len(call.collector.failures) == 2 and teller.received.video_frames > 20)
    assert {failure.error for failure in call.collector.failures} == {"OSError: disk full"}


async def test_a_silent_client_is_noticed() -> None:
    call = Call(degraded_after_s=0.5, lost_after_s=3)
    await call.node.start()
    customer = await call.join(Seat.CUSTOMER)
    await call.node.activate("call_1")
    for sender in customer._connection.getSenders():
        sender.replaceTrack(None)
    await until(lambda: (PeerState.LOST, "watchdog") in call.states(Seat.CUSTOMER))
    assert [state for state, _ in call.states(Seat.CUSTOMER)] == [
        PeerState.CONNECTED,
        PeerState.DEGRADED,
        PeerState.LOST,
    ]
    await customer.close()
    await call.node.close()


async def test_wrong_answers_are_refused_and_change_nothing(call: Call) -> None:
    offer = await call.node.open_peer("call_1", Seat.CUSTOMER)
    with pytest.raises(BadInputError, match="session description"):
        await call.node.answer("call_1", offer.peer_id, "v=0\r\nm=nonsense")
    with pytest.raises(NotFoundError):
        await call.node.answer("call_1", "peer_none", "")
    with pytest.raises(NotFoundError):
        await call.node.answer("call_none", offer.peer_id, "")
    client = HeadlessPeer()
    call.clients.append(client)
    answer = await client.answer(offer.sdp_offer)
    await call.node.answer("call_1", offer.peer_id, answer)
    with pytest.raises(ConflictError):
        await call.node.answer("call_1", offer.peer_id, answer)
    async with asyncio.timeout(30):
        await client.connected.wait()


async def test_an_answer_without_candidates_connects_through_the_clients_own_checks(call: Call) -> None:
    """Browsers hide their addresses behind mDNS names until the camera is allowed."""
    client = HeadlessPeer()
    call.clients.append(client)
    offer = await call.node.open_peer("call_1", Seat.CUSTOMER)
    answer = await client.answer(offer.sdp_offer)
    bare = "".join(line for line in answer.splitlines(keepends=True) if not line.startswith("a=candidate"))
    await call.node.answer("call_1", offer.peer_id, bare)
    async with asyncio.timeout(30):
        await client.connected.wait()


async def test_a_client_that_never_comes_is_given_up() -> None:
    call = Call(connect_timeout_s=0.5)
    await call.node.start()
    client = HeadlessPeer()
    offer = await call.node.open_peer("call_1", Seat.CUSTOMER)
    answer = await client.answer(offer.sdp_offer)
    await client.close()
    await call.node.answer("call_1", offer.peer_id, answer)
    await until(lambda: call.states(Seat.CUSTOMER) == [(PeerState.CLOSED, "connect_failed")])
    await call.node.close()


async def test_a_second_offer_for_a_seat_replaces_an_unanswered_one(call: Call) -> None:
    first = await call.node.open_peer("call_1", Seat.CUSTOMER)
    await call.join(Seat.CUSTOMER)
    with pytest.raises(NotFoundError):
        await call.node.answer("call_1", first.peer_id, "")
    await call.node.close_peer("call_1", first.peer_id)


async def test_the_end_of_a_call_is_told_once_and_a_slow_recorder_does_not_hold_it_up(monkeypatch) -> None:
    monkeypatch.setattr("server.media.node.CLOSE_WAIT_S", 0.05)
    collector, told, go_on = Collector(), [], asyncio.Event()

    async def on_call_closed(call_id: str, reason: str) -> None:
        await go_on.wait()
        told.append((call_id, reason))

    node = MediaNode(
        MediaConfig("node_1", SECRET, ("127.0.0.1",)),
        collector.make_sinks,
        collector.on_change,
        collector.on_failure,
        on_call_closed,
    )
    await node.start()
    await node.activate("call_1")
    await node.close_call("call_1", "hangup")
    await node.close_call("call_1", "hangup")
    assert (told, node.load) == ([], 0)
    go_on.set()
    await node.close()
    assert told == [("call_1", "hangup")]


async def test_a_call_that_fails_inside_or_is_abandoned_ends_alone(monkeypatch) -> None:
    call = Call(idle_call_s=1.5)
    await call.node.start()
    await call.node.activate("call_faulty")
    await call.node.open_peer("call_1", Seat.CUSTOMER)
    faulty = call.node.room("call_faulty")
    assert faulty is not None
    monkeypatch.setattr(faulty, "tick", lambda now_ns, full_second: 1 // 0)
    await until(lambda: call.node.room("call_faulty") is None)
    assert call.node.room("call_1") is not None
    await call.node.activate("call_idle")
    await until(lambda: call.node.room("call_idle") is None)
    assert call.node.room("call_1") is not None, "it has a transport"
    await call.node.close()


async def test_a_full_node_refuses_further_calls() -> None:
    call = Call(max_calls=1)
    await call.node.start()
    await call.node.activate("call_1")
    with pytest.raises(UnavailableError) as caught:
        await call.node.open_peer("call_2", Seat.CUSTOMER)
    assert caught.value.code == "media.node_full"
    await call.node.close()


async def test_an_address_that_cannot_be_bound_is_a_coded_error() -> None:
    collector = Collector()
    node = MediaNode(
        MediaConfig("node_1", SECRET, ("192.0.2.77",)), collector.make_sinks, collector.on_change, collector.on_failure
    )
    with pytest.raises(UnavailableError) as caught:
        await node.open_peer("call_1", Seat.CUSTOMER)
    assert caught.value.code == "media.no_address"
    await node.close()


async def test_a_transport_that_waited_in_a_lobby_is_used_by_a_call(call: Call) -> None:
    customer = await call.join(Seat.CUSTOMER, CUSTOMER_HZ)
    teller = HeadlessPeer(tone(TELLER_HZ, 4), keep_audio=True)
    call.clients.append(teller)
    offer = await call.node.open_peer("lobby_staff_1", Seat.TELLER)
    with pytest.raises(NotFoundError):  # not connected yet
        await call.node.move_peer("lobby_staff_1", offer.peer_id, "call_1")
    await call.node.answer("lobby_staff_1", offer.peer_id, await teller.answer(offer.sdp_offer))
    lobby = call.node.room("lobby_staff_1")
    assert lobby is not None
    await until(lambda: lobby.live(Seat.TELLER))
    assert call.node.load == 1
    await call.node.move_peer("lobby_staff_1", offer.peer_id, "call_1")
    with pytest.raises(NotFoundError):
        await call.node.move_peer("lobby_staff_1", offer.peer_id, "call_1")
    assert (PeerState.CONNECTED, "") in call.states(Seat.TELLER)
    await call.node.activate("call_1")
    for peer in (customer, teller):
        peer.play()
        await asyncio.wait_for(peer.first_video.wait(), 30)
    assert {sink.stream.call_id for sink in call.collector.sinks} == {"call_1"}
    assert call.collector.changes[-1].call_id == "call_1"
