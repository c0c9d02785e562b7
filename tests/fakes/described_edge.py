"""The edge with somebody who holds every post, against whom everything is tried: ``./dev fuzz``.

Run as ``python described_edge.py SCHEMATHESIS SECONDS``: schemathesis against the published description, as staff and
as a customer, each for at most so many seconds, then damaged socket messages. Exit code 1 when something failed on our
side, or an answer is not as it is described.
"""

import asyncio
import io
import random
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from damage import all_powers, damage_messages
from edge_house import EdgeHouse, edge_house
from sqlmodel import col, select

from core.models import Recording, RecordingFile
from core.security.keys import unwrap_key
from recording.seal import seal
from server.app import engines, schema

ENDS_THE_SESSION = (
    "/api/auth/logout",
    "/api/auth/login",
    "/api/account/sign-out-everywhere",
    "/api/account/password",
    "/api/staff/{staff_id}/sign-out",
)
NOT_READY = "/ready"
"""Here it answers 503 on purpose: this house is an edge alone. `_ready` asks it instead."""

CHECKS = "not_a_server_error,content_type_conformance,response_schema_conformance"
ROUNDS = 6
SEED = 20260301


async def fuzz(tool: str, seconds: str, postgres_url: str, redis_url: str, folder: Path) -> int:
    await schema.upgrade(postgres_url)
    async with edge_house(postgres_url, redis_url, folder, session_idle_s=3600) as house:
        ids = await all_powers(house)
        await _put_recordings(house)
        problems = await _ready(house)
        for who, which in (("admin1", "--exclude-path-regex"), ("customer", "--include-path-regex")):
            command = [tool, "run", f"{house.url}/openapi.json", which, "^/api/visit", "--no-color"]
            for name, value in house.who[who].items():
                command += ["-H", f"{name}: {value}"]
            for path in (*ENDS_THE_SESSION, NOT_READY) if who == "admin1" else ():
                command += ["--exclude-path", path]
            command += ["--checks", CHECKS, "--max-time", seconds, "--max-examples", "20"]
            command += ["--generation-allow-x00", "false", "--phases", "examples,coverage,fuzzing"]
            command += ["--seed", str(SEED)]
            process = await asyncio.create_subprocess_exec(*command, stdin=subprocess.DEVNULL, cwd=folder)
            if code := await process.wait():
                problems.append(f"schemathesis as {who} ended with {code}")
        await house.sign_in("admin1")  # whatever was tried may have ended the session
        failures = await damage_messages(house, ids, random.Random(SEED), ROUNDS)
        problems += [f"socket message {failure}" for failure in failures]
        print(f"Socket messages: each sent {ROUNDS} times, {len(failures)} failures", flush=True)
    for problem in problems:
        print(f"FAILED: {problem}", flush=True)
    return 1 if problems else 0


async def _put_recordings(house: EdgeHouse) -> None:
    """Something behind the rows of recorded files: that an object is gone is rightly a failure on our side."""
    async with house.database.read() as session:
        query = select(RecordingFile, Recording).join(Recording, col(Recording.id) == col(RecordingFile.recording_id))
        rows = (await session.execute(query)).all()
    for file, recording in rows:
        key = unwrap_key(house.connections.secrets.master_key, recording.wrapped_key, recording.id)
        sealed = io.BytesIO()
        seal(io.BytesIO(b"x" * 1000), 1000, sealed, key, file.id)
        await house.connections.store.put(file.object_key, sealed.getvalue())


async def _ready(house: EdgeHouse) -> list[str]:
    status, _, text = await house.ask("nobody", "GET", NOT_READY)
    good = status == 503 and "waiting for media, worker" in text
    return [] if good else [f"{NOT_READY} answers {status} {text} without media node and worker"]


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="ac-") as name:
        folder = Path(name)
        postgres, valkey = engines.start_postgres(folder, temporary=True), engines.start_valkey(folder, temporary=True)
        try:
            return asyncio.run(fuzz(sys.argv[1], sys.argv[2], postgres.url, valkey.url, folder))
        finally:
            valkey.stop()
            postgres.stop()


if __name__ == "__main__":
    sys.exit(main())
