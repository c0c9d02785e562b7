"""Temporary engines end with the process that started them, also when it is killed."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from server.app.engine_guard import working_in

START = """
import sys, time
from pathlib import Path
from server.app import engines
folder = Path(sys.argv[1])
engines.start_postgres(folder, temporary=True), engines.start_valkey(folder, temporary=True)
print("up", flush=True)
time.sleep(60)
"""


def test_engines_of_a_killed_process_end_and_their_data_goes(engine_folder: Path) -> None:
    folder = (engine_folder / "killed").resolve()
    folder.mkdir()
    owner = subprocess.Popen([sys.executable, "-c", START, str(folder)], stdout=subprocess.PIPE)
    try:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"up\n"
        assert working_in(str(folder / "postgres"))
        assert working_in(str(folder / "valkey"))
    finally:
        owner.send_signal(signal.SIGKILL)
        owner.wait(10)
        owner.stdout.close()  # type: ignore[union-attr]
    ends_at = time.monotonic() + 20
    while list(folder.iterdir()) and time.monotonic() < ends_at:
        time.sleep(0.1)
    assert list(folder.iterdir()) == []
    assert not working_in(str(folder / "postgres"))
    assert not working_in(str(folder / "valkey"))
