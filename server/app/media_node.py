"""The media process: carries RTP, writes journals, taps speech."""

import asyncio
import gc
import sys
from dataclasses import asdict

import structlog

from core.bus import MEDIA, QUALITY
from core.heartbeats import beat
from core.ids import new_id
from core.ports.media import PARTIES, MediaSink, PeerChange, QualitySample, SeatStream, SinkFailure
from core.settings import Settings
from core.tasks import TaskOwner
from qa.stt.tap import SpeechTap
from recording.capture.control import control_routes
from recording.capture.recorder import Recorder
from server.app import metrics, ops
from server.app.connections import Connections, open_connections
from server.app.drain import Drain
from server.app.memory import give_back
from server.app.node_name import NodeName
from server.app.operations import OwnFacts
from server.calls.quality import QualityBook
from server.media.config import MediaConfig
from server.media.control_server import serve
from server.media.node import CallQuality, MediaNode

SWITCH_S = 0.0005
"""How long the recorder's thread may keep the interpreter while packets wait; Python's 5 ms are noticed at 48 calls."""

log = structlog.get_logger(__name__)


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Carry calls until `stop` is set or a part of the process dies."""

    def on_crash(task: str, error: BaseException) -> None:
        log.error("the media process ends because a part of it died", task=task)
        stop.set()

    async with open_connections(settings) as connections:
        name = NodeName(connections.redis, settings.journal_path, settings.media_node_id)
        await name.take()  # before anything is done under this name, taking over its interrupted recordings above all
        recorder = Recorder(
            connections.database,
            settings.journal_path,
            connections.secrets.master_key,
            settings.media_node_id,
            on_crash,
        )
        tap = SpeechTap(connections.redis)
        owner = TaskOwner("media process", on_crash)
        node = _node(connections, recorder, tap)
        recovered = await recorder.recover()
        log.info("interrupted recordings taken over", count=recovered)
        await node.start()
        tap_task = owner.start("speech tap", tap.run())
        runner, port = await serve(
            node, settings.media_control_host, settings.media_control_port, control_routes(recorder)
        )
        boot_id = new_id("boot")
        url = settings.media_control_url or f"http://{settings.media_control_host}:{port}"
        drain = Drain(connections.redis, settings.media_node_id, node.close_lobbies)
        told = OwnFacts(settings)
        owner.start("disk", told.run())
        owner.start("drain", drain.run())
        owner.start(
            "beat",
            beat(
                connections.redis,
                "media",
                settings.media_node_id,
                lambda: {"url": url, "load": node.load, "boot_id": boot_id, "draining": drain.on, **told()},
            ),
        )
        owner.start("name", name.keep(stop.set))
        owner.start("memory", give_back())
        metrics.watch_media(node.stats)
        operations = await ops.serve(settings, "media", connections)
        # What is there by now stays until the end: without it a full collection is over in no time, calls do not wait.
        gc.collect()
        gc.freeze()
        gc.collect()  # of nothing: when the next full one is due goes by what the last one saw
        sys.setswitchinterval(SWITCH_S)
        await stop.wait()
        await drain.until_empty(lambda: node.load, settings.drain_s)
        # Journals are closed before anything else ends, so that a planned stop leaves whole recordings.
        await node.close()
        await recorder.close()
        tap_task.cancel()
        await owner.close()
        await runner.cleanup()
        await operations.cleanup()


def _node(connections: Connections, recorder: Recorder, tap: SpeechTap) -> MediaNode:
    settings = connections.settings

    def sinks(stream: SeatStream) -> list[MediaSink]:
        is_heard = stream.seat in PARTIES and stream.track == "main"  # a transcript has two sides
        heard = tap.open(stream) if is_heard else []
        return [*recorder.sinks_for(stream), *recorder.guard(stream, heard)]

    async def on_change(change: PeerChange) -> None:
        await connections.bus.publish(MEDIA, asdict(change))

    async def on_sink_failure(failure: SinkFailure) -> None:
        recorder.report_sink_failure(failure)

    async def on_call_closed(call_id: str, reason: str) -> None:
        await recorder.stop(call_id)

    async def on_samples(samples: list[QualitySample]) -> None:
        await connections.bus.publish(QUALITY, {"samples": [asdict(sample) for sample in samples]})

    book = QualityBook(connections.database)

    async def on_quality(call: CallQuality) -> None:
        await book.keep(call.call_id, call.seats)

    config = media_config(settings, connections.secrets.internal_token)
    return MediaNode(config, sinks, on_change, on_sink_failure, on_call_closed, on_samples, on_quality)


def media_config(settings: Settings, secret: str) -> MediaConfig:
    """The media room's own settings. ValueError for an impossible address."""
    return MediaConfig(
        node_id=settings.media_node_id,
        secret=secret,
        host_addresses=tuple(host.strip() for host in settings.media_hosts.split(",") if host.strip()),
        advertised_address=settings.media_advertised_address or None,
        port_min=settings.media_port_min,
        port_max=settings.media_port_max,
        video_codec=settings.video_codec,
    )
