"""The statistics room: reports, lists behind their numbers, monthly radar, forecast and staffing, rotation alerts.

Publishes: nothing. Listens to: nothing. Writes: PeerReview. Definitions: `core.figures` and docs/statistics.md.
"""
