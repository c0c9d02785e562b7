"""Capture: journal first. Packets are only appended here; everything clever happens later, off the packet path.

What a crash can cost: packets wait in memory at most `recorder.FLUSH_S` (0.4 s), then one ``write()`` hands them to the
kernel, which keeps them when the process is killed. ``fdatasync`` follows about every second (`recorder.SYNC_S`), so a
power failure costs at most that second more.
"""
