"""The heavy part of finalizing, as one plain function that runs in a process of its own."""

import io
import multiprocessing
import os
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from core.ports.media import track_name
from recording.capture.journal import JournalError, journal_cipher, journals_in
from recording.finalize.check import Measured, Reason, judge
from recording.finalize.gaps import GAP_S, SCREEN_STILL_S, gaps_of, spans_of, unwanted_s
from recording.finalize.mux import MediaWriter, Peaks
from recording.finalize.pictures import Pictures, Thumbnail
from recording.finalize.segment import Segment
from recording.seal import Sealed, seal


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """What to build.

    Attributes:
        folder: The call's journals. work: Folder for sealed files; plain media never get a name on the disk.
        stopped_s: End of capture in call seconds, None when it is not known (interrupted).
    """

    recording_id: str
    folder: Path
    work: Path
    data_key: bytes
    started_ns: int
    stopped_s: float | None


@dataclass(frozen=True, slots=True)
class ThumbFile:
    """A party's small pictures, one after the other in one sealed file at `path`.

    Attributes:
        index: As in `core.models.recording.RecordingFile.thumbnails`.
    """

    file_id: str
    path: Path
    sealed: Sealed
    index: list[dict[str, float | int]]


@dataclass(frozen=True, slots=True)
class PartyFile:
    """A party's playable file, sealed at `path`. Fields as in `core.models.recording.RecordingFile`."""

    file_id: str
    party: str
    track: str
    path: Path
    sealed: Sealed
    offset_s: float
    duration_s: float
    video_codec: str | None
    audio_codec: str | None
    width: int | None
    height: int | None
    peaks: list[float]
    spans: list[dict[str, float]]
    thumbs: ThumbFile | None

    @property
    def name(self) -> str:
        """What its objects are called."""
        return track_name(self.party, self.track)


@dataclass(slots=True)
class BuildResult:
    """What came out.

    Attributes:
        segments: One JSON object per journal for the manifest. gaps: As in `core.models.recording.Recording.gaps`.
        notes: In words: missing streams, pauses of one kind, undecodable parts.
        damage: Journals that are not as they were written.
        measured / reasons: What the file check measured of each party, and what it says to that.
    """

    files: list[PartyFile] = field(default_factory=list)
    segments: list[dict[str, object]] = field(default_factory=list)
    gaps: list[dict[str, object]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)
    measured: list[Measured] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)


def begin_process() -> None:
    """Initializer of the process: live calls come first, and it never outlives the worker that started it."""
    os.nice(10)
    threading.Thread(target=_end_with_parent, name="end with the worker", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def build(plan: BuildPlan) -> BuildResult:
    """Read all journals of a call, write and seal one file per party and per shared screen.

    Blocks for about a second per recorded minute.

    Raises:
        OSError: A disk refuses; nothing is lost, run it again.
    """
    cipher = journal_cipher(plan.data_key)
    result = BuildResult()
    tracks: dict[tuple[str, str], list[Segment]] = {}
    for path in sorted(journals_in(plan.folder)):
        try:
            segment = Segment(path, cipher)
        except JournalError as error:
            result.damage.append(str(error))
            continue
        segment.learn(plan.started_ns)
        tracks.setdefault((segment.header.seat, segment.header.track), []).append(segment)
    for (party, track), segments in sorted(tracks.items()):
        segments.sort(key=lambda segment: segment.header.opened_ns)
        result.segments += [_described(segment) for segment in segments]
        result.damage += [
            f"{segment.reader.path.name}: {text}" for segment in segments for text in segment.reader.damage
        ]
        if any(segment.spans for segment in segments):
            _build_track(plan, party, track, segments, result)
        else:
            result.notes.append(f"{track_name(party, track)}: no media")
            if track == "screen":  # packets came, or there would be no journal
                result.measured.append(Measured(party, track))
    interrupted = plan.stopped_s is None
    result.reasons = judge(result.measured, result.gaps, result.damage, plan.stopped_s, interrupted=interrupted)
    return result


def _build_track(plan: BuildPlan, party: str, track: str, segments: list[Segment], result: BuildResult) -> None:
    name, is_screen = track_name(party, track), track == "screen"
    times = sorted(time for segment in segments for kind in ("audio", "video") for time in segment.times_s(kind))
    # Nobody shares a screen all the time: what is between is no gap.
    gaps = [] if is_screen else gaps_of(party, times, segments, plan.started_ns, plan.stopped_s)
    result.gaps += gaps
    offset_s = times[0]
    size = next((segment.size for segment in segments if segment.size), None)
    codecs = {segment.video_codec for segment in segments if segment.size}
    if len(codecs) > 1:
        result.notes.append(f"{name}: the video codec changed, only {codec_of(segments)} is in the file")
    has_audio = any(key[0] == "audio" for segment in segments for key in segment.spans)
    for kind, present in () if is_screen else (("audio", has_audio), ("video", size is not None)):
        if present:
            result.notes += _pauses(name, kind, segments)
        else:
            result.notes.append(f"{name}: no {kind}")
    file_id = f"file_{plan.recording_id.removeprefix('rec_')}_{name}"
    path = plan.work / f"{name}.sealed"
    with tempfile.TemporaryFile(dir=plan.work) as plain:  # without a name: gone with the process, whatever happens
        peaks, pictures, end_s = _mux(plain, segments, offset_s, size, has_audio)
        plain_b = plain.seek(0, os.SEEK_END)
        plain.seek(0)
        with path.open("wb") as target:
            sealed = seal(plain, plain_b, target, plan.data_key, file_id)
    peaks.fill(end_s - offset_s)
    if peaks.undecodable:
        result.notes.append(f"{name}: {peaks.undecodable} audio packets cannot be decoded")
    width, height = size or (None, None)
    thumbs = _seal_thumbs(plan, name, f"{file_id}_thumbs", pictures.finish())
    measured = _measured(party, track, segments, has_audio, size, peaks, pictures)
    measured.gap_s = unwanted_s(gaps)
    measured.covered_s = (plan.stopped_s or end_s) - measured.gap_s
    result.measured.append(measured)
    result.files.append(
        PartyFile(
            file_id=file_id,
            party=party,
            track=track,
            path=path,
            sealed=sealed,
            offset_s=round(offset_s, 3),
            duration_s=round(end_s - offset_s, 3),
            video_codec=codec_of(segments),
            audio_codec="opus" if has_audio else None,
            width=width,
            height=height,
            peaks=peaks.values,
            spans=spans_of(times, SCREEN_STILL_S if is_screen else GAP_S),
            thumbs=thumbs,
        )
    )


def _measured(
    party: str,
    track: str,
    segments: list[Segment],
    has_audio: bool,
    size: tuple[int, int] | None,
    peaks: Peaks,
    pictures: Pictures,
) -> Measured:
    stats = [segment.stats for segment in segments]
    width, height = size or (0, 0)
    return Measured(
        party=party,
        track=track,
        has_audio=has_audio,
        has_video=size is not None,
        width=width,
        height=height,
        frame_rate_hz=_frame_rate_hz(segments),
        pictures=pictures.seen,
        black=pictures.black,
        silent_share=peaks.silent_share,
        packets=sum(one.packets for both in stats for one in both.values()),
        missing=sum(one.missing for both in stats for one in both.values()),
        audio_packets=sum(both["audio"].units for both in stats),
        undecodable=peaks.undecodable,
        dropped_frames=sum(both["video"].dropped_frames for both in stats),
        has_clock=all(segment.has_clock for segment in segments),
    )


def _frame_rate_hz(segments: list[Segment]) -> float:
    """Pictures per second while there were any: pauses are told of apart."""
    steps = [after - before for segment in segments for before, after in pairwise(segment.times_s("video"))]
    moving = [step for step in steps if 0 < step <= GAP_S]
    return round(len(moving) / sum(moving), 2) if moving else 0.0


def _seal_thumbs(plan: BuildPlan, name: str, file_id: str, thumbs: list[Thumbnail]) -> ThumbFile | None:
    if not thumbs:
        return None
    index: list[dict[str, float | int]] = []
    at_b = 0
    for thumb in thumbs:
        end_b = at_b + len(thumb.jpeg)
        index.append(
            {"at_s": thumb.at_s, "width": thumb.width, "height": thumb.height, "start_b": at_b, "end_b": end_b}
        )
        at_b = end_b
    path = plan.work / f"{name}.thumbs"
    with path.open("wb") as target:
        sealed = seal(io.BytesIO(b"".join(thumb.jpeg for thumb in thumbs)), at_b, target, plan.data_key, file_id)
    return ThumbFile(file_id, path, sealed, index)


def codec_of(segments: list[Segment]) -> str | None:
    """Codec of a party's file: that of the first pictures."""
    return next((segment.video_codec for segment in segments if segment.size), None)


def _mux(
    target: BinaryIO, segments: list[Segment], offset_s: float, size: tuple[int, int] | None, has_audio: bool
) -> tuple[Peaks, Pictures, float]:
    """Write all segments one after the other.

    Returns waveform, key frames' looks, and the end of the last unit in call seconds.
    """
    codec = codec_of(segments)
    writer, peaks, end_s = MediaWriter(target, codec, size, has_audio), Peaks(), offset_s
    pictures = Pictures(codec)
    for segment in segments:
        floor_ms = writer.last_ms("audio")
        writer.new_source()
        peaks.new_source()
        for unit in segment.units():
            at_s = segment.time_s(unit.key, unit.timestamp)
            at_ms, kind = round((at_s - offset_s) * 1000), unit.key[0]
            if kind == "video" and segment.video_codec != codec:
                continue  # a file has one codec; the note tells
            if kind == "audio":
                if at_ms <= floor_ms:
                    continue  # the transport before was still sending when this one began
                peaks.add(unit.data, at_s - offset_s)
            elif unit.size is not None:
                pictures.add(unit.data, at_s - offset_s)
            is_key = kind == "audio" or unit.size is not None
            writer.write(kind, unit.data, at_ms, round(unit.length_s * 1000), is_key=is_key)
            end_s = max(end_s, at_s + unit.length_s)
    writer.close()
    return peaks, pictures, end_s


def _pauses(name: str, kind: str, segments: list[Segment]) -> Iterator[str]:
    times = sorted(time for segment in segments for time in segment.times_s(kind))
    for before, after in pairwise(times):
        if after - before > GAP_S:
            yield f"{name}: no {kind} from {before:.2f} s to {after:.2f} s"


def _described(segment: Segment) -> dict[str, object]:
    header, reader = segment.header, segment.reader
    return {
        "seat": header.seat,
        "track": header.track,
        "segment": header.segment,
        "journal": reader.path.name,
        "opened_ns": header.opened_ns,
        "audio_codec": header.audio_codec,
        "video_codec": header.video_codec,
        "chunks": reader.chunks,
        "link_sha256": reader.link,
        "ended": reader.ended,
        "torn_b": reader.torn_b,
        "damage": list(reader.damage),
        **{kind: asdict(stats) for kind, stats in segment.stats.items()},
    }
