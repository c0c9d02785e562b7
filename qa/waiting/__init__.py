"""What waits for somebody in inspection: counts beside the pages' names, so that nobody has to look everywhere.

Publishes: nothing. Listens to: nothing. Writes: nothing.
"""
