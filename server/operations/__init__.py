"""The installation itself: who runs where, taking media nodes out, and what a person has to see of machines.

Does: lists processes, asks media nodes to drain; watches disks, database, Redis, backlog, speech, backups and processes
that died without a word, and raises and clears an alarm for each. Publishes: AlarmRaised, AlarmCleared.
Listens to: nothing. Writes: nothing of its own (alarms through `core.alarms`).
"""
