"""A WebRTC client without a browser: speaks a sound and shows a moving picture, for the demo call and for tests."""

import asyncio
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from numpy.typing import NDArray

from core.tasks import TaskOwner
from server.media.config import VideoCodec
from server.media.pattern import FPS, pattern
from server.media.sdp import SLOTS
from server.media.seam import on_keyframe_request, pin_addresses

RATE_HZ = 48_000
FRAME = 960
"""Samples per Opus packet: 20 ms."""

Samples = NDArray[np.int16]
_SILENCE: Samples = np.zeros(FRAME, np.int16)


class OpusEncoder:
    """Encodes 20 ms of 48 kHz mono at a time (about 0.3 ms of work)."""

    def __init__(self) -> None:
        encoder = av.CodecContext.create("libopus", "w")
        if not isinstance(encoder, av.AudioCodecContext):
            raise RuntimeError("this PyAV has no Opus encoder")
        encoder.sample_rate, encoder.layout, encoder.format = RATE_HZ, "mono", "s16"
        encoder.bit_rate = 32_000
        encoder.options = {"application": "voip", "frame_duration": "20"}
        self._encoder = encoder
        self._at = 0

    def encode(self, samples: Samples) -> bytes:
        """One packet from `FRAME` samples."""
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, self._at, Fraction(1, RATE_HZ)
        self._at += FRAME
        return b"".join(bytes(packet) for packet in self._encoder.encode(frame))


class _PacedTrack(MediaStreamTrack):
    """Hands out encoded packets in real time."""

    def __init__(self, kind: str, rate_hz: int, step: int) -> None:
        super().__init__()
        self.kind = kind
        self._rate_hz, self._step = rate_hz, step
        self._count = 0
        self._start_s: float | None = None

    async def recv(self) -> Any:
        if self.readyState != "live":
            raise MediaStreamError
        now_s = time.monotonic()
        if self._start_s is None:
            self._start_s = now_s
        due_s = self._start_s + self._count * self._step / self._rate_hz
        if due_s > now_s:
            await asyncio.sleep(due_s - now_s)
        packet = av.Packet(self.next_payload())
        packet.pts, packet.time_base = self._count * self._step, Fraction(1, self._rate_hz)
        self._count += 1
        return packet

    def next_payload(self) -> bytes:
        """The next encoded frame."""
        raise NotImplementedError


class SpeechTrack(_PacedTrack):
    """Silence, then a sound once `play` is called, then silence again.

    Attributes:
        played: Set when the sound has been sent to its end.
    """

    def __init__(self, samples: Samples | None) -> None:
        super().__init__("audio", RATE_HZ, FRAME)
        samples = np.zeros(0, np.int16) if samples is None else samples
        if samples.dtype != np.int16 or samples.ndim != 1:
            raise ValueError("the sound must be one row of 16-bit samples at 48 kHz")
        self._samples = np.pad(samples, (0, -len(samples) % FRAME))
        self._encoder = OpusEncoder()
        self._at: int | None = None
        self.played = asyncio.Event()

    def play(self) -> None:
        """Begin to speak with the next packet."""
        if self._at is None:
            self._at = 0

    def next_payload(self) -> bytes:
        samples = _SILENCE
        if self._at is not None:
            if self._at < len(self._samples):
                samples = self._samples[self._at : self._at + FRAME]
                self._at += FRAME
            else:
                self.played.set()
        return self._encoder.encode(samples)


class PatternTrack(_PacedTrack):
    """A moving picture that starts over with its key frame whenever one is asked for."""

    def __init__(self) -> None:
        super().__init__("video", 90_000, 90_000 // FPS)
        self._codec: VideoCodec = "VP8"
        self._at = 0

    def use(self, codec: VideoCodec) -> None:
        """Show the picture in this codec, known once the node's offer is there."""
        self._codec = codec

    def restart(self) -> None:
        """Send the key frame next."""
        self._at = 0

    def next_payload(self) -> bytes:
        self._at += 1
        return pattern(self._codec).frame(self._at - 1)


@dataclass(slots=True)
class Received:
    """What arrived from the far side. Times are `time.monotonic()` seconds.

    Attributes:
        audio_frames / video_frames: Frames decoded (20 ms of sound each, pictures).
        first_audio_s / first_video_s: When the first one was decoded.
    """

    audio_frames: int = 0
    video_frames: int = 0
    first_audio_s: float | None = None
    first_video_s: float | None = None


class HeadlessPeer:
    """One side of a call: answers the node's offer, sends sound and picture, decodes what comes.

    Args:
        samples: 48 kHz mono sound to speak; None for silence.
        addresses: Local addresses to use; loopback suffices for a node on the same machine.
        keep_audio: Keep the decoded sound for `heard`.
        slots: Slots of the node's offer to take (`server.media.sdp.SLOTS`); the others are declined.
        screen: Share a moving pattern as a screen, where the offer lets us.

    Attributes:
        connected / ended / first_video: Set when that has happened.
    """

    def __init__(
        self,
        samples: Samples | None = None,
        *,
        addresses: Sequence[str] = ("127.0.0.1",),
        keep_audio: bool = False,
        slots: Collection[str] = ("audio", "video"),
        screen: bool = False,
    ) -> None:
        self.received = Received()
        self.screen = Received()
        self._slots = {*slots, "screen"} if screen else set(slots)
        self.speech = SpeechTrack(samples)
        self.connected = asyncio.Event()
        self.ended = asyncio.Event()
        self.first_video = asyncio.Event()
        self._heard: dict[str, list[Samples]] | None = {} if keep_audio else None
        self._tasks = TaskOwner("headless peer")
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self._connection.addTrack(self.speech)
        self._pictures = [PatternTrack() for _ in range(2 if screen else 1)]
        for picture in self._pictures:
            on_keyframe_request(self._connection.addTrack(picture), picture.restart)
        pin_addresses(self._connection, addresses)
        self._connection.on("connectionstatechange", self._state_changed)
        self._connection.on("track", self._track_added)

    @property
    def state(self) -> str:
        """State of the transport: new, connecting, connected, closed or failed."""
        return self._connection.connectionState

    async def answer(self, sdp_offer: str) -> str:
        """Take the node's offer and return the complete answer."""
        for picture in self._pictures:
            picture.use("H264" if " H264/90000" in sdp_offer else "VP8")
        await self._connection.setRemoteDescription(RTCSessionDescription(sdp=sdp_offer, type="offer"))
        for transceiver in self._connection.getTransceivers():
            if _slot_name(transceiver) not in self._slots:
                transceiver.direction = "inactive"
        await self._connection.setLocalDescription(await self._connection.createAnswer())
        return self._connection.localDescription.sdp

    def play(self) -> None:
        """Begin to speak."""
        self.speech.play()

    async def wait_played(self) -> None:
        """Wait until the sound has been sent to its end.

        Raises:
            ConnectionError: The transport ended before.
        """
        waits = [
            self._tasks.start("wait played", self.speech.played.wait()),
            self._tasks.start("wait ended", self.ended.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if not self.speech.played.is_set():
            raise ConnectionError("the call ended before the sound did")

    def heard(self, slot: str = "audio") -> Samples:
        """The sound of a slot so far: 48 kHz mono, lost packets concealed by the decoder."""
        found = (self._heard or {}).get(slot)
        return np.concatenate(found) if found else np.zeros(0, np.int16)

    async def close(self) -> None:
        """Hang up."""
        await self._connection.close()
        await self._tasks.close()

    def _state_changed(self) -> None:
        if self._connection.connectionState == "connected":
            self.connected.set()
        elif self._connection.connectionState in ("closed", "failed"):
            self.ended.set()

    def _track_added(self, track: MediaStreamTrack) -> None:
        transceivers = self._connection.getTransceivers()
        slot = next(_slot_name(each) for each in transceivers if each.receiver.track is track)
        if slot in self._slots:
            self._tasks.start(f"take {slot}", self._take(track, slot))

    async def _take(self, track: MediaStreamTrack, slot: str) -> None:
        received = self.screen if slot == "screen" else self.received
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            now_s = time.monotonic()
            if isinstance(frame, av.AudioFrame):
                received.audio_frames += 1
                received.first_audio_s = received.first_audio_s or now_s
                if self._heard is not None:
                    self._heard.setdefault(slot, []).append(_mono(frame))
            else:
                received.video_frames += 1
                received.first_video_s = received.first_video_s or now_s
                self.first_video.set()


def _slot_name(transceiver: RTCRtpTransceiver) -> str:
    """The slot of the node's offer that a transceiver belongs to."""
    return SLOTS[int(transceiver.mid)].name if transceiver.mid is not None else ""


def _mono(frame: av.AudioFrame) -> Samples:
    """Left channel of a packed stereo frame, or the frame itself."""
    samples = frame.to_ndarray().reshape(-1)
    mono: Samples = samples[:: len(frame.layout.channels)].astype(np.int16)
    return mono
