"""Secrets of one installation, and envelope encryption of stored objects.

The secrets file lies in the data folder (mode 0600) unless ``AIRCOUNTER_SECRETS_FILE`` names another place.
"""

import base64
import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.errors import CounterError

_NONCE_B = 12

FRESH_S = 5.0
"""How soon a running process notices that the secrets file names another master key."""


class SecretsError(CounterError):
    """The secrets file is missing parts or cannot be read."""

    code = "secrets.unreadable"


class KeyRing:
    """The master key, 32 bytes that wrap all other keys, and former ones that older things are still wrapped with.

    A running process looks at the secrets file again now and then, and at once when a key does not open something: so
    a key rotation needs no restart.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._seen_ns, self._looked_s = -1, 0.0
        self._keys: tuple[bytes, ...] = ()
        self.refresh()

    @property
    def current(self) -> bytes:
        """The key for everything new."""
        if time.monotonic() - self._looked_s > FRESH_S:
            self.refresh()
        return self._keys[0]

    @property
    def keys(self) -> tuple[bytes, ...]:
        """All that can open something, the current one first."""
        return self._keys

    def refresh(self) -> bool:
        """Look at the file. Returns whether the keys have changed. A file that cannot be read changes nothing."""
        with self._lock:
            self._looked_s = time.monotonic()
            try:
                changed_ns = self._path.stat().st_mtime_ns
                if changed_ns == self._seen_ns:
                    return False
                stored = json.loads(self._path.read_text())
                found = [stored["master_key"], *stored.get("former_master_keys", [])]
                keys = tuple(base64.b64decode(each) for each in found)
            except (OSError, ValueError, KeyError):
                if not self._keys:
                    raise
                return False
            changed, self._keys, self._seen_ns = keys != self._keys, keys, changed_ns
            return changed


MasterKey = bytes | KeyRing
"""One master key, or the ring of an installation."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """Keys of the installation.

    Attributes:
        master_key: Wraps all other keys.
        token_key: Signs visit tokens. internal_token: Shared by the installation's own processes.
        redis_password: Of the embedded Valkey.
    """

    master_key: MasterKey
    token_key: str
    internal_token: str
    redis_password: str


def secrets_path(data_dir: Path) -> Path:
    """Where the secrets lie."""
    return Path(os.environ.get("AIRCOUNTER_SECRETS_FILE", data_dir / "secrets.json"))


def _written_beside(path: Path, content: Mapping[str, object]) -> Path:
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    with open(os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    return temporary


def add_master_key(data_dir: Path) -> None:
    """Make a new master key the current one; the present one becomes a former one.

    Raises:
        SecretsError: the file cannot be read or written. Where it is a mounted secret, write both keys there by hand.
    """
    _change_keys(data_dir, lambda keys: [base64.b64encode(secrets.token_bytes(32)).decode(), *keys])


def drop_former_keys(data_dir: Path) -> None:
    """Forget the former master keys. What is still wrapped with one cannot be opened again. Raises: `SecretsError`."""
    _change_keys(data_dir, lambda keys: keys[:1])


def _change_keys(data_dir: Path, change: Callable[[list[str]], list[str]]) -> None:
    path = secrets_path(data_dir)
    try:
        stored = json.loads(path.read_text())
        current, *former = change([stored["master_key"], *stored.get("former_master_keys", [])])
        os.replace(_written_beside(path, {**stored, "master_key": current, "former_master_keys": former}), path)
    except (OSError, ValueError, KeyError) as error:
        raise SecretsError(f"the secrets file {path} cannot be changed ({error})", code="secrets.unwritable") from error


def load_secrets(data_dir: Path) -> Secrets:
    """Read the installation's secrets, making them on first use.

    Raises:
        SecretsError: when the file exists but is not readable or complete (never overwritten: the recordings
            could not be opened again).
    """
    path = secrets_path(data_dir)
    if not path.exists():
        try:
            _make(path)
        except OSError as error:
            raise SecretsError(f"there are no secrets in {path} and none can be made there ({error})") from error
    try:
        stored = json.loads(path.read_text())
        return Secrets(
            KeyRing(path),
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
    temporary = _written_beside(path, fresh)
    try:
        os.link(temporary, path)  # fails when another process was first: then its file counts
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def new_data_key() -> bytes:
    """A fresh AES-256 key for one recording."""
    return AESGCM.generate_key(256)


def keys_of(master_key: MasterKey) -> tuple[bytes, ...]:
    """All master keys, the current one first."""
    if not isinstance(master_key, KeyRing):
        return (master_key,)
    return (master_key.current, *master_key.keys[1:])


def wrap_key(master_key: MasterKey, data_key: bytes, context: str) -> bytes:
    """Encrypt a data key for storage, bound to its owner's id."""
    key = keys_of(master_key)[0]
    nonce = secrets.token_bytes(_NONCE_B)
    return nonce + AESGCM(key).encrypt(nonce, data_key, context.encode())


def unwrap_key(master_key: MasterKey, wrapped: bytes, context: str) -> bytes:
    """Undo `wrap_key`. SecretsError when no master key opens it, or the owner is another."""
    plain = _opened(keys_of(master_key), wrapped, context)
    if plain is None and isinstance(master_key, KeyRing) and master_key.refresh():
        plain = _opened(master_key.keys, wrapped, context)  # wrapped with a key newer than what we knew
    if plain is None:
        raise SecretsError("the data key cannot be opened with this installation's master key")
    return plain


def _opened(keys: tuple[bytes, ...], wrapped: bytes, context: str) -> bytes | None:
    for key in keys:
        try:
            return AESGCM(key).decrypt(wrapped[:_NONCE_B], wrapped[_NONCE_B:], context.encode())
        except InvalidTag:
            continue
    return None


def is_current(master_key: MasterKey, wrapped: bytes, context: str) -> bool:
    """Whether the current master key opens it, so that no former one is needed for it."""
    return _opened(keys_of(master_key)[:1], wrapped, context) is not None
