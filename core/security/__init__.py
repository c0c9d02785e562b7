"""Who may do what: actors, permissions, passwords, tokens, keys. Denied by default."""
