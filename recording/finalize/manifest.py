"""What is written about a finalized recording: the manifest in the store and the rows' fields."""

from dataclasses import asdict

from core.models.recording import Recording, RecordingFile
from core.ports.media import track_name
from recording.finalize.build import BuildResult, PartyFile
from recording.finalize.check import reasons_json, verdict_of

MANIFEST_VERSION = 3


def object_key(recording: Recording, name: str) -> str:
    """Where an object of a recording lies in the store."""
    return f"recordings/{recording.call_id}/{recording.id}/{name}"


def file_check_of(result: BuildResult) -> dict[str, object]:
    """As in `core.models.recording.Recording.file_check`."""
    return {
        "reasons": reasons_json(result.reasons),
        "measured": {track_name(one.party, one.track): asdict(one) for one in result.measured},
    }


def file_row(recording: Recording, file: PartyFile) -> RecordingFile:
    """The row of a stored file; `created_at` is left to the caller."""
    return RecordingFile(
        id=file.file_id,
        recording_id=recording.id,
        call_id=recording.call_id,
        party=file.party,
        track=file.track,
        object_key=object_key(recording, f"{file.name}.sealed"),
        offset_s=file.offset_s,
        duration_s=file.duration_s,
        video_codec=file.video_codec,
        audio_codec=file.audio_codec,
        width=file.width,
        height=file.height,
        size_b=file.sealed.plain_b,
        sha256=file.sealed.plain_sha256,
        peaks=file.peaks,
        spans=file.spans,
        thumbnails=file.thumbs.index if file.thumbs else [],
        thumbnails_key=object_key(recording, f"{file.name}.thumbs") if file.thumbs else None,
    )


def manifest_of(recording: Recording, result: BuildResult) -> dict[str, object]:
    """The manifest: what was captured, what became of it, and digests of everything.

    Its verdict is the file's own; the script check comes later and is kept in the row.
    """
    return {
        "version": MANIFEST_VERSION,
        "recording_id": recording.id,
        "call_id": recording.call_id,
        "node_id": recording.node_id,
        "started_at": recording.started_at.isoformat(),
        "stopped_at": recording.stopped_at.isoformat() if recording.stopped_at else None,
        "interrupted": recording.interrupted,
        "segments": result.segments,
        "gaps": result.gaps,
        "check": {
            "verdict": verdict_of(result.reasons),
            "notes": result.notes,
            "damage": result.damage,
            **file_check_of(result),
        },
        "files": [_file(recording, file) for file in result.files],
    }


def _file(recording: Recording, file: PartyFile) -> dict[str, object]:
    thumbs = file.thumbs
    return {
        "file_id": file.file_id,
        "party": file.party,
        "track": file.track,
        "object_key": object_key(recording, f"{file.name}.sealed"),
        "offset_s": file.offset_s,
        "duration_s": file.duration_s,
        "video_codec": file.video_codec,
        "audio_codec": file.audio_codec,
        "width": file.width,
        "height": file.height,
        "spans": file.spans,
        "size_b": file.sealed.plain_b,
        "sha256": file.sealed.plain_sha256,
        "sealed_size_b": file.sealed.sealed_b,
        "sealed_sha256": file.sealed.sealed_sha256,
        "thumbnails_sha256": thumbs.sealed.plain_sha256 if thumbs else None,
        "thumbnails_sealed_sha256": thumbs.sealed.sealed_sha256 if thumbs else None,
    }
