"""Another system of a bank talks to AirCounter: books a time, follows the call, fetches what came of it.

Only Python's standard library. Run it against a server:

    AIRCOUNTER_URL=http://127.0.0.1:8300 AIRCOUNTER_KEY=ack_… python examples/bank_client.py transfer 13800138000

With AIRCOUNTER_WEBHOOK_SECRET=whs_… it also listens on port 8400 and prints the webhook messages that are genuine.
"""

import hashlib
import hmac
import json
import os
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOLERANCE_S = 300


class RefusedError(Exception):
    """The server said no. `code` is stable; `retryable` says whether the same request may succeed later."""

    def __init__(self, status: int, error: dict[str, Any]) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.status = status
        self.code: str = error["code"]
        self.retryable: bool = error["retryable"]


class BankClient:
    """The endpoints under /api/open/v1."""

    def __init__(self, base_url: str, key: str) -> None:
        self._base_url = base_url.rstrip("/") + "/api/open/v1"
        self._key = key

    def slots(self, business: str) -> list[dict[str, Any]]:
        """Times of the coming week that can be booked."""
        return self._json("GET", f"/businesses/{business}/slots")

    def book(self, business: str, starts_at: str, phone: str, reference: str) -> dict[str, Any]:
        """Book a time. With the same reference it can be repeated safely, e.g. when the answer was lost."""
        body = {"business_code": business, "starts_at": starts_at, "phone": phone, "reference": reference}
        return self._json("POST", "/appointments", body)

    def entry(self, business: str, customer_class: str) -> dict[str, Any]:
        """A single-use link for a customer the bank knows: ``standard``, ``vip``, ``elderly`` or ``disabled``."""
        return self._json("POST", "/entries", {"business_code": business, "customer_class": customer_class})

    def appointment(self, reference: str) -> dict[str, Any]:
        """A booking, and in `call_id` the call that came of it."""
        return self._json("GET", f"/appointments/{reference}")

    def cancel(self, reference: str) -> dict[str, Any]:
        """Give the time back."""
        return self._json("POST", f"/appointments/{reference}/cancel", {})

    def call(self, call_id: str) -> dict[str, Any]:
        """How far a call is."""
        return self._json("GET", f"/calls/{call_id}")

    def result(self, call_id: str) -> dict[str, Any]:
        """Progress of the work after a call, vouchers, score."""
        return self._json("GET", f"/calls/{call_id}/result")

    def voucher(self, call_id: str, voucher_id: str) -> bytes:
        """A voucher's PDF."""
        return self._send("GET", f"/calls/{call_id}/vouchers/{voucher_id}", None)

    def follow(self, call_id: str, seen: Callable[[dict[str, Any]], None], every_s: float = 2.0) -> dict[str, Any]:
        """Look at a call until it has ended; tell of each new state. Webhooks save the looking."""
        state = None
        while True:
            call = self.call(call_id)
            if call["state"] != state:
                state = call["state"]
                seen(call)
            if call["ended_at"] is not None:
                return call
            time.sleep(every_s)

    def _json(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return json.loads(self._send(method, path, body))

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> bytes:
        request = urllib.request.Request(self._base_url + urllib.parse.quote(path), method=method)
        request.add_header("Authorization", f"Bearer {self._key}")
        request.add_header("Content-Type", "application/json")
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, data, timeout=10) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            raise RefusedError(error.code, json.loads(error.read())["error"]) from None


def verify_webhook(secret: str, header: str, body: bytes, now_s: float) -> dict[str, Any]:
    """The message of a webhook request.

    Args:
        header: Value of AirCounter-Signature, ``t=<Unix seconds>,v1=<hex>``. body: Exactly as received.

    Raises:
        ValueError: it is not from the server that has the secret, was changed, or is older than five minutes.
    """
    parts = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    sent_at = parts.get("t", "")
    wanted = hmac.new(secret.encode(), sent_at.encode() + b"." + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(wanted, parts.get("v1", "")):
        raise ValueError("the signature does not fit")
    if abs(now_s - int(sent_at)) > TOLERANCE_S:
        raise ValueError("the message is too old; somebody may have kept it to send it again")
    message: dict[str, Any] = json.loads(body)
    return message


class Receiver:
    """Listens for webhook messages. The same message may come twice: its `id` tells."""

    def __init__(self, secret: str, port: int, told: Callable[[dict[str, Any]], None]) -> None:
        seen: set[str] = set()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(min(int(self.headers.get("Content-Length", "0")), 1 << 20))
                try:
                    message = verify_webhook(secret, self.headers.get("AirCounter-Signature", ""), body, time.time())
                except ValueError:
                    self.send_error(400)
                    return
                if message["id"] not in seen:
                    seen.add(message["id"])
                    told(message)
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("", port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


def main() -> None:
    """Book the first free time, wait for the customer, follow the call, print its result."""
    business, phone = sys.argv[1:3]
    client = BankClient(os.environ["AIRCOUNTER_URL"], os.environ["AIRCOUNTER_KEY"])
    if secret := os.environ.get("AIRCOUNTER_WEBHOOK_SECRET"):
        Receiver(secret, 8400, lambda message: print("told:", message["event"], message["call_id"]))
    reference = f"demo-{uuid.uuid4().hex[:12]}"
    booked = client.book(business, client.slots(business)[0]["starts_at"], phone, reference)
    print(f"booked {booked['starts_at']}; the customer opens {booked['link']}")
    while (call_id := client.appointment(reference)["call_id"]) is None:
        time.sleep(2)
    client.follow(call_id, lambda call: print("call", call["call_id"], call["state"]))
    print(json.dumps(client.result(call_id), indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
