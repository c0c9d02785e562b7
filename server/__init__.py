"""Calls, routing, media, counter, identity, wallboard – and the composition root `server.app`."""
