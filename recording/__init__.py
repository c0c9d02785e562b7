"""The recording room: what was said and seen at the counter, kept safely and played back under watch.

Does: `capture` appends every packet of a seat to an encrypted journal (in the media process); `finalize` turns the
journals of an ended call into checked, playable, encrypted files (in the worker); `catalogue` plays them to people who
may see them; `export` makes watermarked copies.
Publishes: RecordingStarted, RecordingStopped, RecordingPaused, RecordingPauseEnded, RecordingResumed, RecordingFailed,
RecordingFinalized, RecordingExportRequested, AlarmRaised.
Listens to: RecordingStopped and RecordingExportRequested (its own, as jobs), ComplianceChecked (for the verdict). The
media room feeds it through `MediaSink`. Writes: Recording, RecordingFile, RecordingExport.
"""
