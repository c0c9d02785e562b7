"""Shared by the benchmarks: CPU seconds of processes, and one JSON line at the end."""

import json
import os
import sys
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[1]
# Before this folder, where `signaling.py` would hide the room of that name.
sys.path[:0] = [str(_ROOT), str(_ROOT / "tests" / "fakes")]

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """CPU seconds a process has used so far (user and system)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def say(text: str) -> None:
    """Progress for the person who waits; stdout is kept for the result."""
    print(text, file=sys.stderr, flush=True)


def print_result(result: dict[str, Any]) -> None:
    """The one JSON line."""
    print(json.dumps(result, ensure_ascii=False), flush=True)
