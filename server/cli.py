"""`aircounter …`: start the house, fetch models, verify the audit log, hold a demo call."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Coroutine, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from core.clock import SystemClock
from core.db import Database
from core.errors import CounterError, UnavailableError
from core.logs import configure_logs
from core.security.local_ca import authority_path, server_certificate
from core.security.seal import certificate_from, load_seal, seal_path
from core.settings import Settings
from core.store import open_store
from qa.stt.models import find_models
from qa.stt.pull import Which, pull
from recording.evidence.verify import verify_package
from recording.evidence.words import plain_words
from server.app import backups, roles, schema, seed
from server.app.access import account_rules
from server.app.supervisor import Supervisor, check_data_dir
from server.audit.anchors import AnchoredReport, Anchors
from server.backup.backup import copy_keys, put_keys
from server.demo import audio, call
from server.identity.accounts import OneTimePassword, StaffAccounts
from server.identity.seed import DEMO_LOGINS, DEMO_PASSWORD
from server.media.config import primary_address

app = typer.Typer(no_args_is_help=True, add_completion=False, help="AirCounter, the open remote video counter.")
models_app = typer.Typer(no_args_is_help=True, help="Speech models.")
audit_app = typer.Typer(no_args_is_help=True, help="The audit log.")
app.add_typer(models_app, name="models")
app.add_typer(audit_app, name="audit")
evidence_app = typer.Typer(no_args_is_help=True, help="Evidence packages.")
app.add_typer(evidence_app, name="evidence")

console = Console(stderr=True)
_PROBLEMS = {
    "not_pdf": "this is no PDF document",
    "not_sealed": "the document carries no seal",
    "changed": "the document was changed after it was sealed, or is damaged",
    "foreign_seal": "the document was sealed by somebody else",
    "added": "something was added after the document was sealed",
}
T = TypeVar("T")

DataOption = Annotated[Path | None, typer.Option("--data", help="Data folder (default: var).")]
PortOption = Annotated[int | None, typer.Option(min=1, max=65535, help="HTTP port (default: 8300).")]
DatabaseOption = Annotated[str | None, typer.Option(help="PostgreSQL address instead of the embedded one.")]
RedisOption = Annotated[str | None, typer.Option(help="Redis address instead of the embedded one.")]
StoreOption = Annotated[str | None, typer.Option(help="Object store address instead of a local folder.")]


def _settings(**given: Any) -> Settings:
    return Settings(**{name: value for name, value in given.items() if value is not None})


@contextlib.contextmanager
def _plain_errors() -> Iterator[None]:
    """One clear sentence and exit code 2 instead of a traceback for everything that is expected to go wrong."""
    try:
        yield
    except CounterError as error:
        console.print(f"[bold red]aircounter:[/] {error} [dim]({error.code})[/]", highlight=False, soft_wrap=True)
        raise typer.Exit(2) from None
    except ValidationError as error:
        for problem in error.errors():
            name = "AIRCOUNTER_" + "_".join(str(part) for part in problem["loc"]).upper()
            console.print(f"[bold red]aircounter:[/] {name}: {problem['msg']}", highlight=False)
        raise typer.Exit(2) from None


def _until_stopped(coroutine: Coroutine[Any, Any, T]) -> T:
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


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A signed document or voucher (PDF).")],
    data: DataOption = None,
    certificate: Annotated[
        Path | None, typer.Option(help="Certificate of the installation (PEM or DER) instead of the data folder's.")
    ] = None,
) -> None:
    """Check that a signed document or voucher is as it was sealed. Exit code 1 when it is not."""
    # The PDF library takes seconds to load; no other command needs it.
    from server.counter.signing.pades import verify_pdf

    with _plain_errors():
        try:
            document = file.read_bytes()
            if certificate is not None:
                trusted = certificate_from(certificate.read_bytes())
            else:
                path = seal_path(_settings(data_dir=data).data_dir)
                if not path.exists():
                    raise UnavailableError(
                        f"there is no seal in {path.parent}; name a --certificate", code="seal.missing"
                    )
                trusted = certificate_from(path.read_bytes())
        except (OSError, ValueError) as error:
            raise UnavailableError(f"cannot be read: {error}", code="verify.unreadable") from None
        verdict = verify_pdf(document, trusted)
    typer.echo(json.dumps({"good": verdict.good, **asdict(verdict)}, ensure_ascii=False))
    if verdict.problem is not None:
        console.print(f"[bold red]not good:[/] {_PROBLEMS[verdict.problem]}")
        raise typer.Exit(1)
    console.print("[bold green]good:[/] unchanged since it was sealed")


@app.command()
def run(
    data: DataOption = None,
    port: PortOption = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on (default: 127.0.0.1).")] = None,
    database_url: DatabaseOption = None,
    redis_url: RedisOption = None,
    store_url: StoreOption = None,
    tls: Annotated[bool, typer.Option("--tls", help="https with a local CA, reachable by phones nearby.")] = False,
    demo: Annotated[bool, typer.Option("--demo", help="Demo staff with a known password.")] = False,
) -> None:
    """Start the all-in-one and keep it running until Ctrl-C."""
    with _plain_errors():
        settings = _settings(
            data_dir=data,
            port=port,
            host=host,
            database_url=database_url,
            redis_url=redis_url,
            store_url=store_url,
            demo=demo or None,
        )
        configure_logs(settings.log_level, "supervisor")
        if tls:
            _bring_tls(settings, host)
        _ensure_models(settings)
        with contextlib.suppress(asyncio.CancelledError):
            _until_stopped(_serve(settings))


def _role(name: str, help_text: str) -> None:
    """A command that runs one process of an installation on many machines."""

    def start(
        data: DataOption = None,
        database_url: DatabaseOption = None,
        redis_url: RedisOption = None,
        store_url: StoreOption = None,
    ) -> None:
        with _plain_errors():
            settings = _settings(data_dir=data, database_url=database_url, redis_url=redis_url, store_url=store_url)
            roles.check(settings, name)
            asyncio.run(schema.check(str(settings.database_url), settings.allow_newer_schema))
        os.environ |= roles.environment(settings)
        os.execv(sys.executable, [sys.executable, "-m", "server.app.process", name])

    start.__doc__ = help_text
    app.command(name)(start)


_role("edge", "Run one edge: pages, HTTP, sockets. Needs --database-url and --redis-url.")
_role("media", "Run one media node. Ends on SIGTERM when its calls have, at most AIRCOUNTER_DRAIN_S later.")
_role("worker", "Run one worker: recordings, transcripts, checks, messages.")


@app.command()
def migrate(database_url: DatabaseOption = None, demo: Annotated[bool, typer.Option("--demo")] = False) -> None:
    """Bring a database to this release's schema and catalogue, before its processes start."""
    with _plain_errors():
        settings = _settings(database_url=database_url, demo=demo or None)
        if settings.database_url is None:
            raise CounterError("name the database with --database-url", code="start.no_database")
        asyncio.run(schema.upgrade(settings.database_url))
        asyncio.run(seed.seed(settings))


@app.command()
def nodes(redis_url: RedisOption = None) -> None:
    """List the media nodes that are alive: name, calls, whether they drain."""
    with _plain_errors():
        found = asyncio.run(roles.nodes(_settings(redis_url=redis_url)))
    for name, facts in sorted(found.items()):
        console.print(f"{name}  {facts['load']} calls  {'draining' if facts['draining'] else 'open'}", highlight=False)


@app.command()
def drain(
    node: Annotated[str, typer.Argument(help="Name of a media node (AIRCOUNTER_MEDIA_NODE_ID).")],
    undo: Annotated[bool, typer.Option("--undo", help="Let it take new calls again.")] = False,
    redis_url: RedisOption = None,
) -> None:
    """Let a media node take no new calls; those it has go on."""
    with _plain_errors():
        asyncio.run(roles.drain(_settings(redis_url=redis_url), node, not undo))


async def _serve(settings: Settings) -> None:
    supervisor = Supervisor(settings)
    try:
        with console.status("starting engines and processes"):
            await supervisor.start()
        _print_addresses(supervisor)
        await asyncio.Event().wait()
    finally:
        with console.status("stopping"):
            await supervisor.stop()
        console.print("stopped")


def _bring_tls(settings: Settings, host: str | None) -> None:
    """Listen on all addresses unless told otherwise, with a certificate for those that phones may use."""
    nearby = primary_address() or "127.0.0.1"
    check_data_dir(settings.data_dir)
    if host is None:
        settings.host = "0.0.0.0"
    elif host != "0.0.0.0":
        nearby = host
    if settings.tls_pem is None:
        hosts = list(dict.fromkeys([nearby, "127.0.0.1", "localhost", socket.gethostname()]))
        settings.tls_pem = server_certificate(settings.data_dir.resolve(), hosts)
    settings.public_url = settings.public_url or f"https://{nearby}:{settings.port}"


def _print_addresses(supervisor: Supervisor) -> None:
    address = supervisor.settings.public_url or supervisor.base_url
    console.print(f"\n[bold]AirCounter is ready[/]\n  customers  {address}/")
    console.print(f"  staff      {address}/staff")
    authority = authority_path(supervisor.settings.data_dir.resolve())
    if supervisor.settings.tls_pem == authority.with_name("server.pem"):
        console.print(f"  install this certificate once on each phone and computer:\n    {authority}", soft_wrap=True)
    if supervisor.settings.demo:
        console.print(f"  demo logins (password [bold]{DEMO_PASSWORD}[/]):", highlight=False)
        for login in DEMO_LOGINS:
            console.print(f"    {login.username:<12} {login.role.value:<10} {login.display_name}", highlight=False)
    console.print("  Ctrl-C stops everything\n")


def _ensure_models(settings: Settings) -> None:
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


@models_app.command("pull")
def models_pull(
    which: Annotated[Which, typer.Argument(help="Which engine's model.")] = "all",
    models: Annotated[Path | None, typer.Option("--models-dir", help="Folder of speech models.")] = None,
) -> None:
    """Fetch speech models, check their digests and put them in the models folder."""
    with _plain_errors():
        _pull(_settings(models_dir=models), which)


@audit_app.command("verify")
def audit_verify(data: DataOption = None, database_url: DatabaseOption = None, store_url: StoreOption = None) -> None:
    """Walk the audit chain and compare it with the anchors in the store; exit code 1 when it was tampered with."""
    with _plain_errors():
        settings = _settings(data_dir=data, database_url=database_url, store_url=store_url)
        with backups.house_database(settings) as url:
            report = asyncio.run(_verify(settings, url))
    chain = report.chain
    if chain.broken_at is not None:
        console.print(f"[bold red]broken[/] at entry {chain.broken_at}: {chain.reason}", highlight=False)
    if report.lost_after is not None:
        console.print(
            f"[bold red]cut off[/]: {chain.entries} entries, but an anchor says there were {report.lost_after}",
            highlight=False,
        )
    if report.rewritten_at is not None:
        console.print(
            f"[bold red]written anew[/]: entry {report.rewritten_at} is not the anchored one", highlight=False
        )
    for key in report.bad:
        console.print(f"[bold red]bad anchor[/]: {key} is not as it was signed", highlight=False)
    if not report.good:
        raise typer.Exit(1)
    console.print(
        f"[green]intact[/]: {chain.entries} entries, head {chain.head}; {report.anchors} anchors hold", highlight=False
    )


@app.command("admin")
def admin(
    username: Annotated[str, typer.Argument(help="User name of the administrator.")],
    name: Annotated[str, typer.Option(help="Name as shown; for a new one.")] = "管理员",
    number: Annotated[str, typer.Option(help="Staff number; for a new one.")] = "9999",
    data: DataOption = None,
    database_url: DatabaseOption = None,
) -> None:
    """Print a one-time password for an administrator; creates the account when there is none."""
    settings = _settings(data_dir=data, database_url=database_url)
    with _plain_errors(), backups.house_database(settings) as url:
        issued = asyncio.run(_admin(url, settings, username, name, number))
    print(issued.password)
    console.print(f"good for one sign-in until {issued.expires_at:%Y-%m-%d %H:%M} UTC", highlight=False)


async def _admin(url: str, settings: Settings, username: str, name: str, number: str) -> OneTimePassword:
    database = Database(url, None, SystemClock())
    try:
        return await StaffAccounts(database, account_rules(settings)).ensure_admin(username, name, number)
    finally:
        await database.close()


async def _verify(settings: Settings, database_url: str) -> AnchoredReport:
    database = Database(database_url, None, SystemClock())
    try:
        store = open_store(settings.store_url, settings.data_dir)
        return await Anchors(database, store, load_seal(settings.data_dir)).verify()
    finally:
        await database.close()


TargetArgument = Annotated[str, typer.Argument(help="Where backups lie: a folder, or an object store's address.")]
IdOption = Annotated[str | None, typer.Option("--id", help="Which backup (default: the newest).")]


@app.command()
def backup(
    target: TargetArgument,
    keys: Annotated[Path, typer.Option(help="Folder for the keys; keep it apart from the backups.")],
    data: DataOption = None,
    database_url: DatabaseOption = None,
    store_url: StoreOption = None,
) -> None:
    """Copy database and objects, encrypted, to another store, and the keys to a folder apart."""
    with _plain_errors():
        settings = _settings(data_dir=data, database_url=database_url, store_url=store_url)
        with backups.house_database(settings) as url:
            manifest = asyncio.run(backups.backup(settings, url, target))
        copied = copy_keys(settings.data_dir, keys)
    rows, objects = sum(manifest["rows"].values()), len(manifest["objects"])
    console.print(
        f"[green]{manifest['id']}[/]: {rows} rows and {objects} objects as of {manifest['taken_at']}; "
        f"keys ({', '.join(copied)}) in {keys}. It restores to that moment only.",
        highlight=False,
    )


@app.command()
def restore(
    target: TargetArgument,
    keys: Annotated[Path, typer.Option(help="Folder with the keys of the installation that was backed up.")],
    data: DataOption = None,
    database_url: DatabaseOption = None,
    store_url: StoreOption = None,
    backup_id: IdOption = None,
) -> None:
    """Bring a backup into an empty data folder, or an empty database and store."""
    with _plain_errors():
        settings = _settings(data_dir=data, database_url=database_url, store_url=store_url)
        put_keys(keys, settings.data_dir)
        with backups.house_database(settings, make=True) as url:
            manifest = asyncio.run(backups.restore(settings, url, target, backup_id))
    console.print(f"[green]restored[/] {manifest['id']}, as of {manifest['taken_at']}", highlight=False)


@app.command()
def drill(
    target: TargetArgument,
    data: DataOption = None,
    database_url: DatabaseOption = None,
    backup_id: IdOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Restore a backup into a scratch place and prove it: counts, digests, a played recording. Exit code 1: failed."""
    with _plain_errors():
        settings = _settings(data_dir=data, database_url=database_url)
        with backups.house_database(settings) as url:
            report = asyncio.run(backups.rehearse(settings, url, target, backup_id))
    if as_json:
        typer.echo(json.dumps({"good": report.good, **asdict(report)}, ensure_ascii=False))
    else:
        typer.echo(report.words(), nl=False)
    if not report.good:
        raise typer.Exit(1)


@evidence_app.command("verify")
def evidence_verify(
    file: Annotated[Path, typer.Argument(help="An evidence package (ZIP).")],
    certificate: Annotated[
        Path | None, typer.Option(help="The certificate the bank publishes (PEM or DER), to be sure who signed.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check a package without the house: files, signature, seals. Exit code 1 when it is not good."""
    from server.counter.signing.pades import verify_pdf

    with _plain_errors():
        try:
            trusted = certificate_from(certificate.read_bytes()) if certificate else None
            if not file.is_file():
                raise OSError(f"there is no file {file}")
        except (OSError, ValueError) as error:
            raise UnavailableError(f"cannot be read: {error}", code="verify.unreadable") from None
        report = verify_package(file, trusted, lambda pdf, certificate_der: verify_pdf(pdf, certificate_der).problem)
    if as_json:
        typer.echo(json.dumps({"good": report.good, **asdict(report)}, ensure_ascii=False))
    else:
        for line in plain_words(report):
            typer.echo(line)
    if not report.good:
        raise typer.Exit(1)


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
    with _plain_errors():
        plan = call.Plan(
            base_url=url or "",
            business=business,
            teller_audio=audio.read_speech(teller_audio),
            customer_audio=audio.read_speech(customer_audio),
            out_dir=out or Path(tempfile.mkdtemp(prefix="aircounter-demo-")),
            password=password,
        )
        try:
            result = _until_stopped(_demo(plan))
        except asyncio.CancelledError:
            console.print("cancelled")
            raise typer.Exit(130) from None
    if as_json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        _print_result(result)


async def _demo(plan: call.Plan) -> dict[str, Any]:
    def progress(line: str) -> None:
        console.print(f"  {line}", highlight=False)

    if plan.base_url:
        return await call.run(plan, progress)
    data_dir = Path(tempfile.mkdtemp(prefix="aircounter-"))
    settings = Settings(data_dir=data_dir, port=_free_port(), demo=True, log_level="warning", wrap_up_s=1.0)
    await asyncio.to_thread(_ensure_models, settings)
    supervisor = Supervisor(settings)
    try:
        progress("starting a throw-away all-in-one")
        await supervisor.start()
        plan.base_url = supervisor.base_url
        return await call.run(plan, progress)
    finally:
        await supervisor.stop()
        shutil.rmtree(data_dir, ignore_errors=True)


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


def main() -> None:
    """Entry point of the `aircounter` command."""
    app(prog_name="aircounter", args=sys.argv[1:])
