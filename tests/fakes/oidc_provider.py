"""A small OpenID Connect provider, a process of its own: ``python oidc_provider.py PORT``.

It checks what a strict provider checks (client, redirect address, PKCE, one use of a code). Who signs in decides how it
misbehaves: ``evil-nonce``, ``evil-aud``, ``evil-iss``, ``evil-key``, ``evil-none`` and ``evil-old`` get tokens that
must be refused; everybody else gets a good one.
"""

import base64
import contextlib
import hashlib
import html
import json
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, SECRET = "aircounter-test", "provider-secret-1"


def serve(port: int) -> None:
    """Run until killed."""
    issuer = f"http://127.0.0.1:{port}"
    key, stranger = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    codes: dict[str, dict[str, str]] = {}

    async def about(request: web.Request) -> web.Response:
        return web.json_response(
            {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/authorize",
                "token_endpoint": f"{issuer}/token",
                "jwks_uri": f"{issuer}/keys",
            }
        )

    async def keys(request: web.Request) -> web.Response:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
        return web.json_response({"keys": [{**public, "kid": "1", "use": "sig", "alg": "RS256"}]})

    async def ask(request: web.Request) -> web.Response:
        query = {
            name: request.query[name] for name in ("client_id", "redirect_uri", "state", "nonce", "code_challenge")
        }
        assert query["client_id"] == CLIENT_ID
        assert request.query["code_challenge_method"] == "S256"
        hidden = "".join(f'<input type="hidden" name="{k}" value="{html.escape(v)}">' for k, v in query.items())
        page = f'<form method="post">{hidden}<input name="user" id="user"><button id="go">go</button></form>'
        return web.Response(text=page, content_type="text/html")

    async def agree(request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        code = secrets.token_urlsafe(16)
        codes[code] = form
        raise web.HTTPSeeOther(f"{form['redirect_uri']}?code={code}&state={form['state']}")

    async def token(request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        asked = codes.pop(form["code"], None)
        digest = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        good = (
            asked is not None
            and (form["client_id"], form["client_secret"]) == (CLIENT_ID, SECRET)
            and form["redirect_uri"] == asked["redirect_uri"]
            and digest == asked["code_challenge"]
        )
        if not good or asked is None:
            return web.json_response({"error": "invalid_grant"}, status=400)
        user, now = asked["user"], int(time.time())
        claims = {
            "iss": "https://elsewhere.example" if user == "evil-iss" else issuer,
            "aud": "somebody-else" if user == "evil-aud" else CLIENT_ID,
            "sub": f"sub-{user}",
            "iat": now - 9000,
            "exp": now - 3600 if user == "evil-old" else now + 300,
            "nonce": "another" if user == "evil-nonce" else asked["nonce"],
            "preferred_username": "admin1" if user.startswith("evil-") else user,
        }
        if user == "evil-none":
            signed = jwt.encode(claims, None, algorithm="none")
        else:
            signed = jwt.encode(claims, stranger if user == "evil-key" else key, "RS256", headers={"kid": "1"})
        return web.json_response({"access_token": "x", "token_type": "Bearer", "id_token": signed})

    app = web.Application()
    app.add_routes(
        [
            web.get("/.well-known/openid-configuration", about),
            web.get("/keys", keys),
            web.get("/authorize", ask),
            web.post("/authorize", agree),
            web.post("/token", token),
        ]
    )
    web.run_app(app, host="127.0.0.1", port=port, print=None)


@contextlib.contextmanager
def provider_process() -> Iterator[str]:
    """The provider as a process; its issuer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, Path(__file__), str(port)])
    issuer = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), urlopen(f"{issuer}/.well-known/openid-configuration", timeout=5):
                break
            time.sleep(0.1)
        yield issuer
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
