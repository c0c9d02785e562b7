"""Calibration: several inspectors score the same call blind; how well they agree, and how far from the expert.

Publishes: nothing. Listens to: nothing. Writes: CalibrationSession, CalibrationScore.
"""
