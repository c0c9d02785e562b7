"""What all commands share: the console, options, and plain words instead of tracebacks."""

import asyncio
import contextlib
import signal
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console

from core.db import DatabaseAwayError
from core.errors import CounterError
from core.settings import Settings

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


def until_stopped(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run to the end; Ctrl-C and SIGTERM cancel it, so that everything it started is stopped.

    Once: pressing Ctrl-C again, or a signal to the process and then to its group, must not break the stopping off.
    """

    async def guarded() -> T:
        task = asyncio.current_task()
        assert task is not None

        def stop_once(task: asyncio.Task[Any] = task) -> None:
            if not task.cancelling():
                task.cancel()

        for signal_number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signal_number, stop_once)
        return await coroutine

    return asyncio.run(guarded())
