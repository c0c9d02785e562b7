"""The baseline of `bench/call.py`: the usual aiortc server, which decodes, relays, re-encodes and records.

Two `RTCPeerConnection`s a call, `MediaRelay` between them, one `MediaRecorder` a side. Offers like our own node does.
usage: relay_baseline.py FOLDER; prints its port.
"""

import asyncio
import sys
from pathlib import Path

from aiohttp import web
from aiortc import RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.contrib.media import MediaRecorder, MediaRelay
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from server.media.seam import pin_addresses


class Pipe(MediaStreamTrack):
    """Frames of the far side, waiting (at most a second of video) for the encoder."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.frames: asyncio.Queue = asyncio.Queue(50)

    async def recv(self):
        return await self.frames.get()


class Call:
    """Two parties."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pipes = {(seat, kind): Pipe(kind) for seat in ("customer", "teller") for kind in ("audio", "video")}
        self.connections: dict[str, RTCPeerConnection] = {}
        self.recorders: list[MediaRecorder] = []
        self.tasks: set[asyncio.Task] = set()

    async def offer(self, seat: str) -> str:
        """Make a seat's connection and its offer."""
        connection = self.connections[seat] = RTCPeerConnection()
        for kind in ("audio", "video"):
            connection.addTrack(self.pipes[seat, kind])
        vp8 = [codec for codec in RTCRtpSender.getCapabilities("video").codecs if codec.mimeType == "video/VP8"]
        connection.getTransceivers()[1].setCodecPreferences(vp8)  # as the house offers it
        pin_addresses(connection, ["127.0.0.1"])
        recorder = MediaRecorder(str(self.folder / f"{id(self)}-{seat}.mp4"))
        self.recorders.append(recorder)
        far = "teller" if seat == "customer" else "customer"
        relay = MediaRelay()

        @connection.on("track")
        def received(track: MediaStreamTrack) -> None:
            recorder.addTrack(relay.subscribe(track))
            task = asyncio.get_running_loop().create_task(
                self._pump(relay.subscribe(track), self.pipes[far, track.kind])
            )
            self.tasks.add(task)
            if track.kind == "video":
                start = asyncio.get_running_loop().create_task(recorder.start())
                self.tasks.add(start)

        await connection.setLocalDescription(await connection.createOffer())
        return connection.localDescription.sdp

    async def _pump(self, source: MediaStreamTrack, pipe: Pipe) -> None:
        while True:
            try:
                frame = await source.recv()
            except MediaStreamError:
                return
            if not pipe.frames.full():
                pipe.frames.put_nowait(frame)

    async def close(self) -> None:
        """Hang up and finish the files."""
        for recorder in self.recorders:
            await recorder.stop()
        for connection in self.connections.values():
            await connection.close()
        for task in self.tasks:
            task.cancel()


async def main() -> None:
    """Serve until stdin closes."""
    call = Call(Path(sys.argv[1]))

    async def offer(request: web.Request) -> web.Response:
        return web.json_response({"sdp_offer": await call.offer(request.match_info["seat"])})

    async def answer(request: web.Request) -> web.Response:
        sdp = (await request.json())["sdp_answer"]
        await call.connections[request.match_info["seat"]].setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        return web.json_response({})

    app = web.Application()
    app.add_routes([web.post("/{seat}/offer", offer), web.post("/{seat}/answer", answer)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await call.close()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
