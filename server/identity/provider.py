"""The bank's OpenID Connect provider: discovery, the code for tokens, the check of the ID token.

Authorization code flow with PKCE (RFC 7636, S256), OpenID Connect Core 1.0. The ID token comes straight from the
provider, and its signature is checked all the same (PyJWT).
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
import jwt

from core.errors import CounterError, UnavailableError

TIMEOUT_S = 10.0
KEYS_AGAIN_S = 60.0
"""An unknown key id makes us ask for the provider's keys again, at most this often."""

MAX_ANSWER_B = 256 * 1024
LEEWAY_S = 60
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
"""Signatures by the provider's own key. Never ``none``, never one made with a secret that both sides know."""


class ProviderError(CounterError):
    """The provider's answer does not prove who somebody is."""

    code = "oidc.refused"
    http_status = 401


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """How the house is known at the provider. `username_claim` names the claim that holds our user name."""

    issuer: str
    client_id: str
    client_secret: str
    username_claim: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says it is: its own lasting name for the person, and our user name."""

    subject: str
    username: str


class Provider:
    """Talks to one provider."""

    def __init__(self, settings: ProviderSettings) -> None:
        self._settings = settings
        self._about: dict[str, Any] | None = None
        self._keys: jwt.PyJWKSet | None = None
        self._keys_s = float("-inf")

    async def sign_in_url(self, state: str, nonce: str, challenge: str, redirect_uri: str) -> str:
        """Where the browser goes. UnavailableError ``oidc.unavailable`` when the provider does not answer."""
        about = await self._discover()
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        joint = "&" if "?" in about["authorization_endpoint"] else "?"
        return f"{about['authorization_endpoint']}{joint}{urlencode(asked)}"

    async def identify(self, code: str, verifier: str, nonce: str, redirect_uri: str) -> Identity:
        """Who came back with this code.

        Raises:
            ProviderError: ``oidc.refused``: the code, the token or what it says is not good.
            UnavailableError: ``oidc.unavailable``.
        """
        about = await self._discover()
        body = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self._settings.client_id,
            "code_verifier": verifier,
        }
        if self._settings.client_secret:
            body["client_secret"] = self._settings.client_secret
        answer = await self._ask("POST", about["token_endpoint"], body)
        claims = await self._claims(str(answer.get("id_token", "")))
        if claims.get("nonce") != nonce:
            raise ProviderError("the ID token was not made for this sign-in")
        audience = claims["aud"]
        if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != self._settings.client_id:
            raise ProviderError("the ID token was made for another party")
        username = claims.get(self._settings.username_claim)
        if not isinstance(username, str) or not 1 <= len(username) <= 64:
            raise ProviderError(f"the ID token has no {self._settings.username_claim}")
        return Identity(str(claims["sub"]), username)

    async def _claims(self, token: str) -> dict[str, Any]:
        try:
            key = await self._key(jwt.get_unverified_header(token).get("kid"))
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=_ALGORITHMS,
                audience=self._settings.client_id,
                issuer=self._settings.issuer,
                leeway=LEEWAY_S,
                options={"require": ["exp", "iat", "aud", "iss", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise ProviderError(f"the ID token is not good: {error}") from None
        return claims

    async def _key(self, key_id: str | None) -> jwt.PyJWK:
        for again in (False, True):
            keys = await self._load_keys(again)
            found = [key for key in keys.keys if key_id is None or key.key_id == key_id]
            if len(found) == 1:
                return found[0]
        raise ProviderError("the ID token is signed with a key the provider does not publish")

    async def _load_keys(self, again: bool) -> jwt.PyJWKSet:
        now = asyncio.get_running_loop().time()
        if self._keys is None or (again and now - self._keys_s > KEYS_AGAIN_S):
            about = await self._discover()
            answer = await self._ask("GET", about["jwks_uri"])
            self._keys, self._keys_s = jwt.PyJWKSet.from_dict(answer), now
        return self._keys

    async def _discover(self) -> dict[str, Any]:
        if self._about is None:
            about = await self._ask("GET", f"{self._settings.issuer.rstrip('/')}/.well-known/openid-configuration")
            wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            if about.get("issuer") != self._settings.issuer or not all(isinstance(about.get(n), str) for n in wanted):
                raise UnavailableError("the provider describes itself as another one", code="oidc.unavailable")
            self._about = about
        return self._about

    async def _ask(self, method: str, url: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as http,
                http.request(method, url, data=form, allow_redirects=False) as response,
            ):
                text = await response.content.read(MAX_ANSWER_B)
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise UnavailableError(f"the provider does not answer: {error}", code="oidc.unavailable") from None
        try:
            answer = json.loads(text)
        except ValueError:
            answer = None
        if 400 <= status < 500:
            raise ProviderError("the provider refuses the code")
        if status != 200 or not isinstance(answer, dict):
            raise UnavailableError(f"the provider answers {status}", code="oidc.unavailable")
        return answer
