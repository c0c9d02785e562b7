"""Figures of inspection: pass and fatal rate, defects, appeals, rectifications, by teller, team, business, rule.

Publishes: nothing. Listens to: nothing. Writes: nothing (exports are audited).
"""
