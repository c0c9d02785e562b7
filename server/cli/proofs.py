"""Checking what the house has sealed: documents, vouchers, evidence packages. Works without the house."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from core.errors import UnavailableError
from core.security.seal import certificate_from, seal_path
from recording.evidence.verify import verify_package
from recording.evidence.words import plain_words
from server.cli.common import DataOption, JsonOption, console, plain_errors, settings_from

app = typer.Typer()
evidence_app = typer.Typer(no_args_is_help=True, help="Evidence packages.")

_PROBLEMS = {
    "not_pdf": "this is no PDF document",
    "not_sealed": "the document carries no seal",
    "changed": "the document was changed after it was sealed, or is damaged",
    "foreign_seal": "the document was sealed by somebody else",
    "added": "something was added after the document was sealed",
}


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

    with plain_errors():
        try:
            document = file.read_bytes()
            if certificate is not None:
                trusted = certificate_from(certificate.read_bytes())
            else:
                path = seal_path(settings_from(data_dir=data).data_dir)
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


@evidence_app.command("verify")
def evidence_verify(
    file: Annotated[Path, typer.Argument(help="An evidence package (ZIP).")],
    certificate: Annotated[
        Path | None, typer.Option(help="The certificate the bank publishes (PEM or DER), to be sure who signed.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check a package without the house: files, signature, seals. Exit code 1 when it is not good."""
    from server.counter.signing.pades import verify_pdf

    with plain_errors():
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
