"""Transactions with the core banking system: done as a whole, undone as a whole, or on the reconciliation list."""
