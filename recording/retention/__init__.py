"""Retention: how long what is kept, legal holds, and deletion by two persons.

Publishes: `PurgeApproved`. Listens to: `PurgeApproved`, `CaseEnded`. Writes: RetentionRule, ProductEnd, LegalHold,
PurgeRun, PurgeItem, Tombstone, PersonCall, DataKey; and it alone deletes rows of other rooms (docs/adr/0053).
"""
