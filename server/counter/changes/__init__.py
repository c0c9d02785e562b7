"""What the counter works by is changed by two people: one proposes, another one decides."""
