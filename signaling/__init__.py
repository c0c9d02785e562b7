"""The Socket.IO edge: authenticate, check permission, validate, translate. It decides nothing.

Does: two namespaces (``/customer``, ``/staff``), a declared permission for every message, pushes to the pages.
Publishes: nothing. Listens to: facts, captions, script states and media notices on the bus.
Writes: no tables; who is connected, in Redis.
"""
