"""An S3 server of its own process's thread, with an empty bucket."""

import contextlib
from collections.abc import Iterator

import httpx
from moto.server import ThreadedMotoServer

BUCKET = "house"


@contextlib.contextmanager
def running_s3() -> Iterator[str]:
    """Its address."""
    started = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    started.start()
    host, port = started.get_host_and_port()
    httpx.put(f"http://{host}:{port}/{BUCKET}").raise_for_status()
    yield f"http://{host}:{port}"
    started.stop()


def variables(url: str, prefix: str = "") -> dict[str, str]:
    """What an operator sets for a store at this address."""
    values = {
        "ENDPOINT": url,
        "ALLOW_HTTP": "true",
        "REGION": "us-east-1",
        "ACCESS_KEY_ID": "aircounter",
        "SECRET_ACCESS_KEY": "secret",
    }
    return {f"{prefix}AWS_{name}": value for name, value in values.items()}
