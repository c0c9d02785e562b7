"""Backup, restore and the drill that proves a restore.

Does: dumps the database and copies the objects, encrypted, to another store; the keys apart from them; restores both
into an empty place; rehearses it. Publishes: AlarmRaised (a drill or a scheduled backup failed). Listens to: nothing.
"""
