"""Getting better: rectifications, coaching notes and the library of best cases.

Publishes: `RectificationChanged`. Listens to: nothing. Writes: Rectification, RectificationStep,
RectificationFile, CoachingNote, BestCase.
"""
