"""The identity room: who is a member of staff, and which browser is signed in.

Does: sign-in with Argon2 passwords, lock after repeated failures, server-side sessions (one per person), sign-out.
Publishes: `StaffSessionEnded`. Listens to: nothing. Writes: Staff, StaffSession.
"""
