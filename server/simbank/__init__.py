"""A simulated bank: core system with real double-entry ledgers, and an SMS centre, as one HTTP service of its own.

It stands in for the systems a bank brings. It keeps its own database schema, is a process of its own (so that it can be
killed), and can be told to refuse, be slow, be down, die before or after a commit. Knows no room of the house.
"""
