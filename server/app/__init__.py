"""Composition only: engines, edge, media node, worker, supervisor. No business rule lives here."""
