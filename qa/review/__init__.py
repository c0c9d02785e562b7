"""After the score: release to the teller, acknowledgement, appeal, verdict.

Publishes: `EvaluationReleased`, `AppealFiled`, `EvaluationFinal`. Listens to: nothing. Writes: Appeal, AppealItem, and
the way of Evaluation after its submission.
"""
