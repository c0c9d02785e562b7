"""The wallboard room: live alarms for the people in charge, and a second chance for failed jobs.

Publishes: nothing. Listens to: nothing. Writes: nothing of its own (alarms through `core.alarms`, jobs through
`core.jobs`).
"""
