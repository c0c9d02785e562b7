"""Speech models."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from core.errors import CounterError, UnavailableError
from core.settings import Settings
from qa.stt.models import find_models
from qa.stt.pull import Which, pull
from server.cli.common import console, plain_errors, settings_from

models_app = typer.Typer(no_args_is_help=True, help="Speech models.")


@models_app.command("pull")
def models_pull(
    which: Annotated[Which, typer.Argument(help="Which engine's model.")] = "all",
    models: Annotated[Path | None, typer.Option("--models-dir", help="Folder of speech models.")] = None,
) -> None:
    """Fetch speech models, check their digests and put them in the models folder."""
    with plain_errors():
        _pull(settings_from(models_dir=models), which)


def ensure_models(settings: Settings) -> None:
    """On first use fetch a speech model; without one calls go on and are marked as not transcribed."""
    if settings.live_engine == settings.final_engine == "none" or find_models(settings.models_path):
        return
    console.print("No speech model is here yet; fetching one (once).")
    try:
        _pull(settings, "all")
    except CounterError as error:
        console.print(
            f"[yellow]Speech model not available:[/] {error}\nCalls go on and are transcribed later; "
            "fetch it with: aircounter models pull",
            highlight=False,
        )


def _pull(settings: Settings, which: Which) -> None:
    with Progress(
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), console=console
    ) as bars:
        rows: dict[str, Any] = {}

        def progress(name: str, done_b: int, total_b: int) -> None:
            if name not in rows:
                rows[name] = bars.add_task(name, total=total_b)
            bars.update(rows[name], completed=done_b, total=total_b)

        report = pull(settings.models_path, which, progress)
    for name in report.fetched:
        console.print(f"  {name}: fetched, SHA-256 checked")
    for name in report.present:
        console.print(f"  {name}: already there")
    for problem in report.problems:
        console.print(f"  [yellow]{problem}[/]", highlight=False)
    if not find_models(settings.models_path):
        raise UnavailableError("no speech model could be had", code="speech.no_model")
