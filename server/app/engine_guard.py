"""Ends a temporary engine when the process that started it is gone: ``engine_guard.py PARENT FOLDER``.

PostgreSQL detaches itself, so it cannot be told to die with its parent; somebody has to look. Needs the standard
library alone. Every process that works in the folder ends, then the folder goes.
"""

import contextlib
import os
import shutil
import signal
import sys
import time

LOOK_S = 0.5
PATIENCE_S = 5.0


def main(parent: int, folder: str) -> None:
    """Wait for the parent's end, then clear away."""
    while os.getppid() == parent:
        time.sleep(LOOK_S)
    first = postmaster(folder)
    for process_id in working_in(folder):
        # Immediate shutdown: its shared memory is given back, and nobody needs its data.
        send(process_id, signal.SIGQUIT if process_id == first else signal.SIGTERM)
    ends_at = time.monotonic() + PATIENCE_S
    while (left := working_in(folder)) and time.monotonic() < ends_at:
        time.sleep(0.1)
    for process_id in left:
        send(process_id, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


def postmaster(folder: str) -> int | None:
    """PostgreSQL's first process, as it says itself."""
    try:
        with open(os.path.join(folder, "postmaster.pid")) as file:
            return int(file.readline())
    except (OSError, ValueError):
        return None


def working_in(folder: str) -> list[int]:
    """Processes whose working folder this is."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{name}/cwd") == folder:
                found.append(int(name))
    return found


def send(process_id: int, number: signal.Signals) -> None:
    """Signal a process that may be gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(process_id, number)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
