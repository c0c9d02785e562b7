"""The installation's keys."""

import os
from pathlib import Path
from typing import Annotated

import typer

from core.errors import ConflictError
from core.security.keys import load_secrets
from core.security.seal import load_seal
from server.backup.backup import KEY_FILES
from server.cli.common import console, plain_errors

keys_app = typer.Typer(no_args_is_help=True, help="The installation's keys.")


@keys_app.command("make")
def keys_make(
    folder: Annotated[Path, typer.Argument(help="Where to put them; give each machine a copy, keep one apart.")],
) -> None:
    """Make the keys of a new installation, before its processes start. Nothing is ever overwritten."""
    with plain_errors():
        there = [name for name in KEY_FILES if (folder / name).exists()]
        if there:
            raise ConflictError(f"{folder} holds {', '.join(there)} already", code="keys.exist")
        os.environ.pop("AIRCOUNTER_SECRETS_FILE", None)  # here the folder counts
        load_secrets(folder)
        load_seal(folder)
    console.print(f"{' and '.join(KEY_FILES)} in {folder}", highlight=False)
