"""Personal data at rest: JSON values encrypted with the installation's master key and bound to their owner's id."""

import json
from typing import Any

from core.security.keys import MasterKey, unwrap_key, wrap_key


class Sealer:
    """Seals and opens JSON values with AES-256-GCM."""

    def __init__(self, master_key: MasterKey) -> None:
        self._master_key = master_key

    def seal(self, value: Any, owner: str) -> bytes:
        """Encrypt a JSON value. `owner` names the row and column it belongs to."""
        return wrap_key(self._master_key, json.dumps(value, ensure_ascii=False).encode(), owner)

    def open(self, sealed: bytes, owner: str) -> Any:
        """The value again. `core.security.keys.SecretsError` when it is another owner's or another installation's."""
        return json.loads(unwrap_key(self._master_key, sealed, owner))
