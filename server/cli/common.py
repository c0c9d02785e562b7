"""What all commands share: the console, options, and plain words instead of tracebacks."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console

from core.db import DatabaseAwayError
from core.errors import CounterError
from core.settings import Settings
from core.tasks import CANCEL_AGAIN_S

console = Console(stderr=True)
T = TypeVar("T")

DataOption = Annotated[Path | None, typer.Option("--data", help="Data folder (default: var).")]
DatabaseOption = Annotated[str | None, typer.Option(help="PostgreSQL address instead of the embedded one.")]
RedisOption = Annotated[str | None, typer.Option(help="Redis address instead of the embedded one.")]
StoreOption = Annotated[str | None, typer.Option(help="Object store address instead of a local folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def settings_from(**given: Any) -> Settings:
    return Settings(**{name: value for name, value in given.items() if value is not None})


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """One clear sentence and exit code 2 instead of a traceback for everything that is expected to go wrong."""
    try:
        yield
    except CounterError as error:
        console.print(f"[bold red]aircounter:[/] {error} [dim]({error.code})[/]", highlight=False, soft_wrap=True)
        raise typer.Exit(2) from None
    except DatabaseAwayError as error:
        console.print(f"[bold red]aircounter:[/] {error} [dim](database.away)[/]", highlight=False, soft_wrap=True)
        raise typer.Exit(2) from None
    except ValidationError as error:
        for problem in error.errors():
            name = "AIRCOUNTER_" + "_".join(str(part) for part in problem["loc"]).upper()
            console.print(f"[bold red]aircounter:[/] {name}: {problem['msg']}", highlight=False)
        raise typer.Exit(2) from None


def until_stopped(work: Coroutine[Any, Any, T], clean_up: Callable[[], Awaitable[None]] | None = None) -> T:
    """Run to the end, or until Ctrl-C or SIGTERM; then clean up, whatever happened.

    Signals after the first do nothing: pressing Ctrl-C again, or a signal to the process and then to its group, must
    not break the cleaning up off. The work is cancelled until it has ended, as one cancellation can get lost (see
    `TaskOwner.close`); the cleaning up is not part of what is cancelled.

    Raises:
        asyncio.CancelledError: It was stopped by a signal.
    """

    async def guarded() -> T:
        asked = asyncio.Event()
        loop = asyncio.get_running_loop()
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signal_number, asked.set)
        working = loop.create_task(work, name="command")
        asking = loop.create_task(asked.wait(), name="signals")
        try:
            await asyncio.wait((working, asking), return_when=asyncio.FIRST_COMPLETED)
        finally:
            asking.cancel()
            while not working.done():
                working.cancel()
                await asyncio.wait((working,), timeout=CANCEL_AGAIN_S)
            if clean_up is not None:
                await clean_up()
        return working.result()

    return asyncio.run(guarded())
