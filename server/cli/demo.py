"""A whole call without a camera."""

import asyncio
import contextlib
import json
import shutil
import socket
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from core.logs import configure_logs
from core.settings import Settings
from server.app.supervisor import Supervisor
from server.cli.common import console, plain_errors, until_stopped
from server.cli.models import ensure_models
from server.demo import audio, call
from server.identity.seed import DEMO_PASSWORD

app = typer.Typer()


@app.command("demo-call")
def demo_call(
    teller_audio: Annotated[Path, typer.Option(help="What the teller says (any sound file).")],
    customer_audio: Annotated[Path, typer.Option(help="What the customer says, on the same time line.")],
    business: Annotated[str, typer.Option(help="Business code.")] = "account_opening",
    url: Annotated[str | None, typer.Option(help="A running server; default: a throw-away all-in-one.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the recordings.")] = None,
    password: Annotated[str, typer.Option(help="Of the demo staff.")] = DEMO_PASSWORD,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")] = False,
) -> None:
    """Hold a whole call without a camera and wait for recording, transcript, findings and score."""
    configure_logs("warning", "demo-call")
    with plain_errors():
        plan = call.Plan(
            base_url=url or "",
            business=business,
            teller_audio=audio.read_speech(teller_audio),
            customer_audio=audio.read_speech(customer_audio),
            out_dir=out or Path(tempfile.mkdtemp(prefix="aircounter-demo-")),
            password=password,
        )
        try:
            result = _in_own_house(plan) if not plan.base_url else until_stopped(call.run(plan, _progress))
        except asyncio.CancelledError:
            console.print("cancelled")
            raise typer.Exit(130) from None
    if as_json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        _print_result(result)


def _progress(line: str) -> None:
    console.print(f"  {line}", highlight=False)


def _in_own_house(plan: call.Plan) -> dict[str, Any]:
    """The call in a throw-away all-in-one."""
    data_dir = Path(tempfile.mkdtemp(prefix="aircounter-"))
    settings = Settings(data_dir=data_dir, port=_free_port(), demo=True, log_level="warning", wrap_up_s=1.0)
    supervisor = Supervisor(settings)

    async def hold() -> dict[str, Any]:
        await asyncio.to_thread(ensure_models, settings)
        _progress("starting a throw-away all-in-one")
        await supervisor.start()
        plan.base_url = supervisor.base_url
        return await call.run(plan, _progress)

    async def remove() -> None:
        await supervisor.stop()
        shutil.rmtree(data_dir, ignore_errors=True)

    return until_stopped(hold(), remove)


def _free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _print_result(result: dict[str, Any]) -> None:
    out = Console()
    score = result["score"]
    out.print(
        f"\ncall {result['call_id']}: {result['duration_s']:.1f} s, picture after {result['join_to_media_s']:.2f} s"
    )
    for file in result["recordings"]:
        out.print(f"  {file['party']:<9} {file['path']}")
    for line in result["transcript"]:
        out.print(f"  {line['start_s']:7.1f}  {line['party']:<9} {line['text']}", highlight=False)
    for finding in result["findings"]:
        out.print(f"  {finding['kind']:<10} {finding['id']:<24} {finding['evidence']}", highlight=False)
    if score:
        out.print(f"  score {score['auto']} of {score['max']}")
