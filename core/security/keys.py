"""Secrets of one installation, and envelope encryption of stored objects.

The secrets file lies in the data folder (mode 0600) unless ``AIRCOUNTER_SECRETS_FILE`` names another place.
"""

import base64
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.errors import CounterError

_NONCE_B = 12


class SecretsError(CounterError):
    """The secrets file is missing parts or cannot be read."""

    code = "secrets.unreadable"


@dataclass(frozen=True, slots=True)
class Secrets:
    """Keys of the installation.

    Attributes:
        master_key: 32 bytes, wraps the data keys of recordings.
        token_key: Signs visit tokens. internal_token: Shared by the installation's own processes.
        redis_password: Of the embedded Valkey.
    """

    master_key: bytes
    token_key: str
    internal_token: str
    redis_password: str


def load_secrets(data_dir: Path) -> Secrets:
    """Read the installation's secrets, making them on first use.

    Raises:
        SecretsError: when the file exists but is not readable or complete (never overwritten: the recordings
            could not be opened again).
    """
    path = Path(os.environ.get("AIRCOUNTER_SECRETS_FILE", data_dir / "secrets.json"))
    if not path.exists():
        try:
            _make(path)
        except OSError as error:
            raise SecretsError(f"there are no secrets in {path} and none can be made there ({error})") from error
    try:
        stored = json.loads(path.read_text())
        return Secrets(
            base64.b64decode(stored["master_key"]),
            stored["token_key"],
            stored["internal_token"],
            stored["redis_password"],
        )
    except (OSError, ValueError, KeyError) as error:
        raise SecretsError(f"the secrets file {path} cannot be read ({error}); restore it from the backup") from error


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = {
        "master_key": base64.b64encode(secrets.token_bytes(32)).decode(),
        "token_key": secrets.token_urlsafe(48),
        "internal_token": secrets.token_urlsafe(32),
        "redis_password": secrets.token_urlsafe(32),
    }
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    with open(os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as file:
        json.dump(fresh, file)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)  # fails when another process was first: then its file counts
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def new_data_key() -> bytes:
    """A fresh AES-256 key for one recording."""
    return AESGCM.generate_key(256)


def wrap_key(master_key: bytes, data_key: bytes, context: str) -> bytes:
    """Encrypt a data key for storage, bound to its owner's id."""
    nonce = secrets.token_bytes(_NONCE_B)
    return nonce + AESGCM(master_key).encrypt(nonce, data_key, context.encode())


def unwrap_key(master_key: bytes, wrapped: bytes, context: str) -> bytes:
    """Undo `wrap_key`. SecretsError when the master key or the owner is another."""
    try:
        return AESGCM(master_key).decrypt(wrapped[:_NONCE_B], wrapped[_NONCE_B:], context.encode())
    except InvalidTag as error:
        raise SecretsError("the data key cannot be opened with this installation's master key") from error
