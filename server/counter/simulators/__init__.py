"""Working stand-ins for a bank's outside services: they match, refuse, are slow and fail, as told."""
