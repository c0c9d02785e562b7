"""A clap (flash and beep at one moment) through node and recorder: in step after everything that happens to a call."""

import asyncio
import functools
import io
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from capture_house import MASTER_KEY, CaptureHouse
from media_fakes import Collector

from core.db import Database
from core.ports.media import MediaKind, Seat
from recording.capture.meta import read_meta
from recording.finalize.build import BuildPlan, PartyFile, build
from recording.seal import HEADER_B, SealedFile
from server.media import headless, sdp
from server.media.config import MediaConfig
from server.media.node import MediaNode
from server.media.seam import SecureTransport
from server.media.srtp import Incoming

CLAP_S = 0.15
LIPS_S = 0.040
VIDEO_LATER_S = 0.25
FPS = 30
# Seconds of the talk. Between the claps something is disturbed; a new transport needs a moment before the last ones.
CLAPS = {"plain": 0.4, "after mute": 1.8, "after camera off": 3.3, "after another size": 4.4, "after rejoin": 7.2}
MUTED, CAMERA_OFF, LARGER_FROM, REJOIN_AT = (0.9, 1.5), (2.2, 3.0), 3.8, 4.9
TALK_S = 7.8


@dataclass(slots=True)
class Script:
    """What the source does when.

    Attributes:
        began_s: Monotonic. made: When the first flash and beep of each clap were due.
    """

    began_s: float
    made: dict[tuple[str, MediaKind], float] = field(default_factory=dict)

    def claps(self, kind: MediaKind, due_s: float) -> bool:
        for name, at_s in CLAPS.items():
            if 0 <= due_s - self.began_s - at_s < CLAP_S:
                self.made.setdefault((name, kind), due_s)
                return True
        return False

    def quiet(self, kind: MediaKind, due_s: float) -> bool:
        from_s, to_s = MUTED if kind == "audio" else CAMERA_OFF
        return from_s <= due_s - self.began_s < to_s


@functools.cache
def picture(width: int, height: int, shade: int) -> bytes:
    """A key frame of one shade: any of them may be lost without harm to the others."""
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = width, height, "yuv420p", Fraction(1, FPS)
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    pixels = np.full((height, width, 3), shade, dtype=np.uint8)
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


class _Source(headless._PacedTrack):
    script: Script

    def due_s(self, back: int = 0) -> float:
        return (self._start_s or 0.0) + (self._count - back) * self._step / self._rate_hz

    async def recv(self) -> av.Packet:
        while True:
            packet: av.Packet = await super().recv()
            if not self.script.quiet(self.kind, self.due_s(back=1)):
                return packet


class Sound(_Source):
    def __init__(self, _: object) -> None:
        super().__init__("audio", headless.RATE_HZ, headless.FRAME)
        self._encoder = headless.OpusEncoder()
        self._beep = (12_000 * np.sin(2 * np.pi * 1000 * np.arange(headless.FRAME) / headless.RATE_HZ)).astype(np.int16)

    def next_payload(self) -> bytes:
        return self._encoder.encode(self._beep if self.script.claps("audio", self.due_s()) else self._beep * 0)


class Picture(_Source):
    def __init__(self) -> None:
        super().__init__("video", 90_000, 90_000 // FPS)

    def use(self, codec: str) -> None:
        assert codec == "VP8"

    def restart(self) -> None:
        """All are key frames."""

    def next_payload(self) -> bytes:
        size = (320, 240) if self.due_s() - self.script.began_s > LARGER_FROM else (160, 120)
        return picture(*size, 255 if self.script.claps("video", self.due_s()) else 30)


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    made = Script(0.0)
    dice, receive = random.Random(3), SecureTransport._receive

    def lossy(self: SecureTransport, rx: Incoming, data: bytes) -> None:
        if dice.random() < 0.03:
            return
        if data[1] & 0x7F in (sdp.VIDEO, sdp.VIDEO_RTX):  # arrival says nothing of when something was seen
            asyncio.get_running_loop().call_later(VIDEO_LATER_S, receive, self, rx, data)
        else:
            receive(self, rx, data)

    monkeypatch.setattr(_Source, "script", made, raising=False)
    monkeypatch.setattr(headless, "SpeechTrack", Sound)
    monkeypatch.setattr(headless, "PatternTrack", Picture)
    monkeypatch.setattr(SecureTransport, "_receive", lossy)
    return made


async def test_lips_stay_in_step_through_everything(database: Database, tmp_path: Path, script: Script) -> None:
    house, seen = CaptureHouse(database, tmp_path / "journals"), Collector()
    call_id = (await house.call()).id
    config = MediaConfig("node_1", "a secret of the tests", ("127.0.0.1",))
    node = MediaNode(config, house.recorder.sinks_for, seen.on_change, seen.on_failure)
    await node.start()
    clients = [await _join(node, call_id)]
    await node.activate(call_id)
    script.began_s = time.monotonic() + 0.3
    await asyncio.sleep(script.began_s + REJOIN_AT - time.monotonic())
    clients.append(await _join(node, call_id))
    await asyncio.sleep(script.began_s + TALK_S - time.monotonic())
    await node.close_call(call_id, "hangup")
    await house.recorder.stop(call_id)
    for client in clients:
        await client.close()
    await node.close()
    await house.recorder.close()
    media = await asyncio.to_thread(_recorded, house.folder / call_id, tmp_path)
    flashes, beeps = list(_begins(_brightness(media), 180)), list(_begins(_loudness(media), 0.1))
    for name in CLAPS:
        flash_s, beep_s = flashes.pop(0), beeps.pop(0)
        meant_s = script.made[name, "video"] - script.made[name, "audio"]  # pictures come every 33 ms, sound every 20
        assert abs(flash_s - beep_s - meant_s) <= LIPS_S, f"{name}: picture at {flash_s:.3f}, sound at {beep_s:.3f}"
    assert (flashes, beeps) == ([], [])


async def _join(node: MediaNode, call_id: str) -> headless.HeadlessPeer:
    client = headless.HeadlessPeer()
    offer = await node.open_peer(call_id, Seat.CUSTOMER)
    await node.answer(call_id, offer.peer_id, await client.answer(offer.sdp_offer))
    async with asyncio.timeout(20):
        await client.connected.wait()
    return client


def _recorded(folder: Path, work: Path) -> bytes:
    meta = read_meta(folder)
    key = meta.data_key(MASTER_KEY)
    (file,) = build(BuildPlan(meta.recording_id, folder, work, key, meta.started_ns, None)).files
    return _plain(file, key)


def _plain(file: PartyFile, key: bytes) -> bytes:
    data = file.path.read_bytes()
    return SealedFile(data[:HEADER_B], key, file.file_id).open(0, data[HEADER_B:])


def _brightness(media: bytes) -> Iterator[tuple[float, float]]:
    with av.open(io.BytesIO(media)) as container:
        for frame in container.decode(video=0):
            yield float(frame.time), float(frame.to_ndarray(format="gray").mean())


def _loudness(media: bytes) -> Iterator[tuple[float, float]]:
    """The loudest sample of each 2.5 ms."""
    with av.open(io.BytesIO(media)) as container:
        for frame in container.decode(audio=0):
            samples = np.abs(frame.to_ndarray()[0])
            for at in range(0, len(samples), 120):
                yield float(frame.time) + at / headless.RATE_HZ, float(samples[at : at + 120].max())


def _begins(values: Iterator[tuple[float, float]], limit: float) -> Iterator[float]:
    """When something begins that was not there for a while."""
    last_s = -1.0
    for at_s, value in values:
        if value > limit:
            if at_s - last_s > CLAP_S:
                yield at_s
            last_s = at_s
