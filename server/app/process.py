"""Entry point of the house's processes: ``python -m server.app.process edge|media|worker|bank``.

A process ends on SIGTERM, or when its supervisor is gone (its end of the stdin pipe closes).
"""

import asyncio
import importlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable

import structlog
import uvloop

from core.errors import CounterError
from core.logs import configure_logs
from core.settings import Settings

log = structlog.get_logger(__name__)

Main = Callable[[Settings, asyncio.Event], Awaitable[None]]
_MODULES = {"edge": "edge", "media": "media_node", "worker": "worker", "bank": "bank"}
"""Imported by the process that needs it: speech engines and PDF libraries are none of the media process's business."""


def _watch_supervisor(stop: asyncio.Event) -> None:
    if os.isatty(0) or os.environ.get("AIRCOUNTER_SUPERVISED") != "1":
        return
    loop = asyncio.get_running_loop()

    def closed() -> None:
        if not os.read(0, 4096):
            loop.remove_reader(0)
            stop.set()

    loop.add_reader(0, closed)


async def _run(name: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop.set)
    _watch_supervisor(stop)
    run: Main = importlib.import_module(f"server.app.{_MODULES[name]}").run
    await run(Settings(), stop)


def main() -> None:
    """Run one process of the house."""
    name = sys.argv[1]
    configure_logs(Settings().log_level, name)
    log.info("process starting", pid=os.getpid())
    try:
        uvloop.run(_run(name))
    except CounterError as error:  # says what a person has to change; where in the code helps nobody
        log.error("process cannot run", reason=str(error), code=error.code)
        sys.exit(1)
    log.info("process ended")


if __name__ == "__main__":
    main()
