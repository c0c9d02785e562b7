"""A recorder with a call to record, for tests that need the real database."""

import time
from pathlib import Path

from call_rows import CallRows
from rtp_streams import AUDIO_PT, VIDEO_PT, Packet
from sqlmodel import col, select

from core.db import Database
from core.events import Event, event_from_json
from core.models import Call, CallState, Recording, RecordingFile
from core.models.system import Alarm, OutboxEvent
from core.ports.media import MediaSink, Seat, SeatStream, Track, track_name
from core.security.actor import system_actor
from recording.capture.recorder import Recorder

MASTER_KEY = b"m" * 32
NODE_ID = "media-test"


def stream(call_id: str, seat: Seat, segment: int, started_ns: int, track: Track = "main") -> SeatStream:
    """A transport that becomes live."""
    return SeatStream(
        call_id=call_id,
        seat=seat,
        segment=segment,
        audio_codec="opus",
        audio_payload_type=AUDIO_PT,
        video_codec="VP8",
        video_payload_type=VIDEO_PT,
        request_keyframe=lambda: None,
        started_ns=started_ns,
        track=track,
    )


def feed(sink: MediaSink, packet: Packet, arrival_ns: int) -> None:
    """Hand one packet or report to a sink, as the media room does."""
    kind = "audio" if packet.kind == "audio" else "video"
    if packet.report is None:
        sink.on_rtp(kind, packet.data, arrival_ns)
    else:
        sink.on_sender_report(kind, *packet.report)


class CaptureHouse:
    """A recorder on a folder and a database, and what can be seen of its work."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.recorder = Recorder(database, folder, MASTER_KEY, NODE_ID)

    async def call(self) -> Call:
        """A call that is being talked on."""
        return await CallRows(self.database).call(None, state=CallState.CONNECTED, ended_at=None)

    async def die(self) -> None:
        """The process is killed: nothing is completed."""
        await self.recorder._owner.close()
        self.recorder._captures.clear()

    async def hang_up(self, call_id: str) -> None:
        """The call ends."""
        async with self.database.unit_of_work(system_actor("test")) as work:
            (await work.session.get_one(Call, call_id)).state = CallState.WRAP_UP

    def record(
        self,
        call_id: str,
        seat: Seat,
        packets: list[Packet],
        zero_ns: int,
        segment: int = 1,
        track: Track = "main",
    ) -> MediaSink:
        """Feed all packets of a transport at once, with the arrival times they would have had."""
        (sink,) = self.recorder.sinks_for(stream(call_id, seat, segment, zero_ns, track))
        for packet in packets:
            feed(sink, packet, zero_ns + round(packet.at_s * 1e9))
        return sink

    async def recording(self, call_id: str) -> Recording | None:
        """The call's row."""
        async with self.database.read() as session:
            return (await session.scalars(select(Recording).where(col(Recording.call_id) == call_id))).first()

    async def files(self, call_id: str) -> dict[str, RecordingFile]:
        """The call's playable files: ``customer``, ``teller``, ``teller-screen``."""
        async with self.database.read() as session:
            rows = await session.scalars(select(RecordingFile).where(col(RecordingFile.call_id) == call_id))
            return {track_name(row.party, row.track): row for row in rows.all()}

    async def facts(self, *types: type[Event]) -> list[Event]:
        """Facts in the outbox, in order; of the given types only, if any are given."""
        async with self.database.read() as session:
            rows = (await session.scalars(select(OutboxEvent).order_by(col(OutboxEvent.seq)))).all()
        facts = [event_from_json(row.type, row.payload) for row in rows]
        return [fact for fact in facts if not types or isinstance(fact, types)]

    async def alarms(self, open_only: bool = False) -> list[str]:
        """Kinds of alarms raised."""
        async with self.database.read() as session:
            rows = (await session.scalars(select(Alarm).order_by(col(Alarm.id)))).all()
            return [alarm.kind for alarm in rows if alarm.cleared_at is None or not open_only]


def zero_ns_ago(seconds: float) -> int:
    """Activation of a call so many seconds ago."""
    return time.time_ns() - round(seconds * 1e9)
