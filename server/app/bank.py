"""The bank process: the simulated bank of an all-in-one that has been given no real one."""

import asyncio
import contextlib
import socket

from core.security.keys import load_secrets
from core.settings import Settings
from server.simbank.service import own_database, serve

HOST = "127.0.0.1"


def bring_bank(settings: Settings) -> bool:
    """Point the settings at a simulated bank where no address of a real one is given. Whether one has to be started."""
    if settings.bank_url is not None:
        return False
    if not settings.bank_port:
        with contextlib.closing(socket.socket()) as probe:
            probe.bind((HOST, 0))
            settings.bank_port = probe.getsockname()[1]
    token = load_secrets(settings.data_dir).internal_token
    settings.bank_url, settings.bank_token = f"http://{HOST}:{settings.bank_port}", token
    if settings.sms_url is None:
        settings.sms_url, settings.sms_token = f"{settings.bank_url}/sms", token
        settings.letter_box_url = settings.sms_url if settings.demo else None
    return True


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Serve until `stop` is set."""
    assert settings.database_url is not None
    token = load_secrets(settings.data_dir).internal_token
    url = settings.bank_database_url or await own_database(settings.database_url)
    await serve(url, HOST, settings.bank_port, token, settings.demo, stop)
