"""Requests between rooms, as Protocols. The composition root (`server.app`) hands each room what it needs."""
