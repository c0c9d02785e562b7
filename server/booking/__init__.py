"""The booking room: times at the counter, and callbacks that keep the place.

Does: offers slots within the opening hours, books, checks in, reminds; calls back who left the queue.
Publishes: nothing. Listens to: nothing; looks twice a minute at what is due.
Writes: Appointment, Callback.
"""
