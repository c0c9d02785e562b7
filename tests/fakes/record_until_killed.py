"""A media process in miniature: records two seats in real time until it is killed.

Usage: ``record_until_killed.py DATABASE_URL JOURNAL_FOLDER CALL_ID PACKETS_PICKLE LOG``. The log gets one 8-byte wall
time (ns) per round of handed-over packets, so that the test knows what the recorder had been given and whether the
machine starved it.
"""

import asyncio
import os
import pickle
import struct
import sys
import time
from pathlib import Path

import uvloop
from capture_house import CaptureHouse, feed, stream

from core.clock import SystemClock
from core.db import Database
from core.ports.media import Seat


async def _record(url: str, folder: str, call_id: str, packets_file: str, log_file: str) -> None:
    packets = pickle.loads(Path(packets_file).read_bytes())  # noqa: ASYNC240 - before the call begins
    log = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    house = CaptureHouse(Database(url, None, SystemClock()), Path(folder))
    zero_ns = time.time_ns()
    sinks = [house.recorder.sinks_for(stream(call_id, seat, 1, zero_ns))[0] for seat in (Seat.CUSTOMER, Seat.TELLER)]
    at = 0
    while at < len(packets):
        now_ns = time.time_ns()
        while at < len(packets) and zero_ns + packets[at].at_s * 1e9 <= now_ns:
            for sink in sinks:
                feed(sink, packets[at], now_ns)
            at += 1
        os.write(log, struct.pack("<q", now_ns))
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    uvloop.run(_record(*sys.argv[1:]))
