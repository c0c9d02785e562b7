"""Debian's Janus with its videocall plugin and recorder, as a mark for `bench/media.py`."""

import asyncio
import shutil
import subprocess
import uuid
from pathlib import Path
from typing import Any

import aiohttp
from media_load import Client

from core.tasks import TaskOwner

PLUGINS = Path("/usr/lib/x86_64-linux-gnu/janus")
DEADLINE_S = 15.0
_KEEP_PLUGIN = "libjanus_videocall.so"
_KEEP_TRANSPORT = "libjanus_http.so"


def find() -> str | None:
    """The program, or None when the package is not installed."""
    return shutil.which("janus")


def start(program: str, work: Path, address: str, port: int) -> subprocess.Popen[bytes]:
    """Run it with everything off that a call does not need."""
    for folder in ("etc", "rec"):
        (work / folder).mkdir()
    others = {
        kind: ",".join(sorted(path.name for path in (PLUGINS / kind).glob("*.so") if path.name != keep))
        for kind, keep in (("plugins", _KEEP_PLUGIN), ("transports", _KEEP_TRANSPORT))
    }
    (work / "etc" / "janus.jcfg").write_text(
        f"""general: {{
  configs_folder = "{work}/etc"
  plugins_folder = "{PLUGINS}/plugins"
  transports_folder = "{PLUGINS}/transports"
  events_folder = "{PLUGINS}/events"
  loggers_folder = "{PLUGINS}/loggers"
  debug_level = 2
}}
certificates: {{}}
media: {{ rtp_port_range = "40000-49999" }}
nat: {{ full_trickle = false, ice_enforce_list = "{address}" }}
plugins: {{ disable = "{others["plugins"]}" }}
transports: {{ disable = "{others["transports"]}" }}
"""
    )
    (work / "etc" / "janus.plugin.videocall.jcfg").write_text("general: {}\n")
    (work / "etc" / "janus.transport.http.jcfg").write_text(
        f'general: {{ base_path = "/janus", http = true, port = {port}, ip = "127.0.0.1" }}\n'
    )
    log = (work / "janus.log").open("wb")
    return subprocess.Popen(
        [program, "-F", str(work / "etc"), "-C", str(work / "etc" / "janus.jcfg")],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=work,
    )  # fmt: skip


class Handle:
    """One party's session with the plugin."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session, self._url = session, url
        self._path = ""
        self._tasks = TaskOwner("janus")
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def open(self) -> None:
        """Make session and handle."""
        number = (await self._post("", janus="create"))["data"]["id"]
        plugin = "janus.plugin.videocall"
        handle = (await self._post(f"/{number}", janus="attach", plugin=plugin))["data"]["id"]
        self._path = f"/{number}/{handle}"
        self._tasks.start("poll", self._poll(f"{self._url}/{number}?maxev=1"))

    async def ask(self, event: str, body: dict[str, Any], sdp: str = "", kind: str = "") -> dict[str, Any]:
        """Send a message and wait for an event."""
        message: dict[str, Any] = {"janus": "message", "body": body}
        if sdp:
            message["jsep"] = {"type": kind, "sdp": sdp}
        await self._post(self._path, **message)
        return await self.wait(event)

    async def wait(self, event: str) -> dict[str, Any]:
        """The next event of this name.

        Raises:
            RuntimeError: Janus says what is wrong.
        """
        async with asyncio.timeout(DEADLINE_S):
            while True:
                news = await self._events.get()
                data = news["plugindata"]["data"]
                if "error" in data:
                    raise RuntimeError(data["error"])
                if data.get("result", {}).get("event") == event:
                    return news

    async def close(self) -> None:
        """Ask for no more events."""
        await self._tasks.close()

    async def _post(self, path: str, **message: Any) -> dict[str, Any]:
        message["transaction"] = uuid.uuid4().hex
        async with self._session.post(self._url + path, json=message) as response:
            answer: dict[str, Any] = await response.json()
            return answer

    async def _poll(self, url: str) -> None:
        while True:
            async with self._session.get(url, timeout=aiohttp.ClientTimeout(total=60)) as response:
                news = await response.json()
            for each in news if isinstance(news, list) else [news]:
                if each.get("janus") == "event":
                    self._events.put_nowait(each)


async def connect(session: aiohttp.ClientSession, url: str, name: str, caller: Client, callee: Client) -> list[Handle]:
    """One recorded call between two clients."""
    one, two = Handle(session, url), Handle(session, url)
    for handle, letter in ((one, "a"), (two, "b")):
        await handle.open()
        await handle.ask("registered", {"request": "register", "username": letter + name})
    await one.ask("calling", {"request": "call", "username": "b" + name}, await caller.describe(), "offer")
    offered = await two.wait("incomingcall")
    answer = await callee.answer(offered["jsep"]["sdp"])
    await two.ask("accepted", {"request": "accept"}, answer, "answer")
    accepted = await one.wait("accepted")
    await caller.answered(accepted["jsep"]["sdp"])
    await asyncio.gather(caller.connected(), callee.connected())
    for handle, letter in ((one, "a"), (two, "b")):
        await handle.ask("set", {"request": "set", "record": True, "filename": f"rec/{letter}{name}"})
    return [one, two]
