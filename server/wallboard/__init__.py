"""The wallboard room: live figures as a fold over facts, alarms, help, and what supervisors do about them.

Publishes: HelpRequested, HelpAnswered, TellersTold, EmergencyStarted, EmergencyEnded.
Listens to: every fact about calls, tellers, alarms, help and emergencies (`server.wallboard.board`).
Writes: HelpRequest, Emergency (alarms through `core.alarms`, jobs through `core.jobs`).
"""
