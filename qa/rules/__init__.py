"""Rule sets under administration: drafted, tried on past calls, approved by a second person, in force.

Publishes: nothing. Listens to: nothing. Writes: RuleSetRow.
"""
