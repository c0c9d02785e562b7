"""Electronic signature: read on the own screen, signed by hand, sealed with the installation's certificate (PAdES)."""
