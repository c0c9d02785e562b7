"""The recording room: what was said and seen at the counter, kept safely and played back under watch.

Does: `capture` appends every packet of a seat to an encrypted journal (in the media process); `finalize` turns the
journals of an ended call into playable encrypted files (in the worker); `catalogue` plays them to people who may see
them.
Publishes: RecordingStarted, RecordingStopped, RecordingResumed, RecordingFailed, RecordingFinalized, AlarmRaised.
Listens to: RecordingStopped (its own, as the job ``recording.finalize``). The media room feeds it through `MediaSink`.
Writes: Recording, RecordingFile.
"""
