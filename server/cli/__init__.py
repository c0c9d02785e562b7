"""`aircounter …`: one file per group of commands."""

import sys

import typer

from server.cli import audit, backups, demo, house, keeping, keys, models, proofs, staff

app = typer.Typer(no_args_is_help=True, add_completion=False, help="AirCounter, the open remote video counter.")
for commands in (house.app, staff.app, backups.app, proofs.app, demo.app):
    app.add_typer(commands)
app.add_typer(models.models_app, name="models")
app.add_typer(audit.audit_app, name="audit")
app.add_typer(keys.keys_app, name="keys")
app.add_typer(proofs.evidence_app, name="evidence")
app.add_typer(keeping.retention_app, name="retention")


def main() -> None:
    """Entry point of the `aircounter` command."""
    app(prog_name="aircounter", args=sys.argv[1:])
