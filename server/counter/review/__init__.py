"""Dual review (双人复核): a second person of the right level sees everything and decides before money moves."""
