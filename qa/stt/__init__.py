"""Speech to text: two engines behind one port, live while people talk and again from the recorded file.

Publishes: `TranscriptReady`. Listens to: `RecordingFinalized`, and the tap streams that media nodes fill.
Writes: `Transcript`, `TranscriptSegment`.

Way of a word, live: media node `tap` → Redis stream → worker `live` (`opus`, `timeline`, `vad`, engine) → segment.
Way of a word, final: recorded file → `final` (decode, `vad`, engine) → segment.
"""
