"""Relay servers and how a browser is let in: short-lived credentials only this house and the relay can make.

The scheme is coturn's ``use-auth-secret`` (draft-uberti-behave-turn-rest-00): nothing about a visit is stored on the
relay, and a credential somebody copies from a page is worthless after its lifetime.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Literal

from core.clock import Clock
from core.security.actor import Actor
from signaling.messages.media import IceServer

Policy = Literal["all", "relay"]


def turn_credential(secret: str, owner: str, expires_at_s: int) -> tuple[str, str]:
    """User name and password of `owner` at the relay until `expires_at_s` (seconds since the epoch)."""
    username = f"{expires_at_s}:{owner}"
    # SHA-1 is what the draft and coturn prescribe; HMAC does not rest on its collision resistance.
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return username, base64.b64encode(digest).decode()


@dataclass(frozen=True, slots=True)
class Relays:
    """The relays every new transport is told of.

    Attributes:
        urls: ``turn:`` and ``turns:`` addresses; all take the same credential. Empty: no relay.
        secret: Shared with the relays (``static-auth-secret`` of coturn).
        lifetime_s: How long a credential may begin or refresh an allocation. It must outlast the longest call.
        policy: ``relay`` forbids the browser every other path.
    """

    clock: Clock
    urls: tuple[str, ...] = ()
    secret: str = ""
    lifetime_s: float = 0.0
    policy: Policy = "all"

    def servers_for(self, actor: Actor) -> list[IceServer]:
        """Entries with a fresh credential for one browser."""
        if not self.urls:
            return []
        owner = actor.visit_id or actor.staff_id or actor.name
        expires_at_s = int(self.clock.now().timestamp() + self.lifetime_s)
        username, credential = turn_credential(self.secret, owner, expires_at_s)
        return [IceServer(urls=list(self.urls), username=username, credential=credential)]
