"""Scoring of a call on a weighted form. Pure."""
