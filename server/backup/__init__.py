"""Backup, restore and the drill that proves a restore.

Does: dumps the database and copies new objects, encrypted, to another store; the keys apart from them; restores both
into an empty place; rehearses it; by the clock or on request. Publishes: BackupWanted, AlarmRaised (a backup or a
rehearsal failed). Listens to: BackupWanted. Writes: BackupRun.
"""
