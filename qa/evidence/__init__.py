"""What inspectors say of the machine's work: verdicts on findings and corrections of the transcript.

Publishes: nothing. Listens to: nothing. Writes: the verdict of Finding, TranscriptCorrection.
"""
