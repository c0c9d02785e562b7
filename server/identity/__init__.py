"""The identity room: who is a member of staff, and which browser is signed in.

Does: sign-in with Argon2 passwords and one-time codes, lock after repeated failures, server-side sessions (one per
person), password rules, authenticator apps, one-time passwords from administrators.
Publishes: `StaffSessionEnded`. Listens to: nothing. Writes: Staff, StaffSession, StaffPassword, StaffTotp,
StaffRecoveryCode.
"""
