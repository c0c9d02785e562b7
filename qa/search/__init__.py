"""Full-text search over the words of all calls, by characters and by sound.

Publishes: nothing. Listens to: TranscriptReady. Writes: SearchSegment.
"""
