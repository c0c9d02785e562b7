"""The audit log as people read it: search, export, and anchors of the chain outside the database.

Does: shows entries to auditors, writes the chain's head, signed, to the object store every hour.
Publishes: nothing. Listens to: nothing. Writes: nothing but audit entries of its own use.
"""
