"""What the numbers of the centre mean: defined once (docs/statistics.md), for live and past alike.

`definitions` is pure: facts about one call → a tally, tallies add up, ratios of a tally. `sql` says the same to
PostgreSQL, so that a month is added up where it is stored; a test holds both against each other.
"""
