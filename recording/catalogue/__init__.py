"""Catalogue: audited playback for people, plain copies for the house's own jobs."""
