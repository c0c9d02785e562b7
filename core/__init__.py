"""Words and wires of the house: tables, events, ports, database, bus, security. Knows no room."""
