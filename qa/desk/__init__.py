"""The inspector's desk: finished calls, one call with its evidence, and the inspector's score.

Publishes: `EvaluationSubmitted`. Listens to: nothing. Writes: the inspector's part of Evaluation.
"""
