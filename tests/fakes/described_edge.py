"""The edge with somebody who holds every post, and schemathesis against its description: ``./dev fuzz``.

Run as ``python described_edge.py SCHEMATHESIS SECONDS``. Exit code 1 when something failed on our side.
"""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from sqlmodel import col, select

sys.path.insert(0, str(Path(__file__).parent))

from edge_house import add_belongings, edge_house

from core.models import Staff
from server.app import engines, schema

ENDS_THE_SESSION = (
    "/api/auth/logout",
    "/api/auth/login",
    "/api/account/sign-out-everywhere",
    "/api/account/password",
    "/api/staff/{staff_id}/sign-out",
)


async def fuzz(tool: str, seconds: str, postgres_url: str, redis_url: str, folder: Path) -> int:
    await schema.upgrade(postgres_url)
    async with edge_house(postgres_url, redis_url, folder, session_idle_s=3600) as house:
        theirs = await add_belongings(house, "teller2")
        visitor = house.customer("customer", theirs.visit_id)
        async with house.database.transaction() as session:
            me = (await session.scalars(select(Staff).where(col(Staff.username) == "admin1"))).one()
            me.roles = ["teller", "expert", "supervisor", "inspector", "qa_lead", "auditor", "admin"]
        worst = 0
        for headers, which in ((house.who["admin1"], "--exclude-path-regex"), (visitor, "--include-path-regex")):
            command = [tool, "run", f"{house.url}/openapi.json", which, "^/api/visit", "--no-color"]
            for name, value in headers.items():
                command += ["-H", f"{name}: {value}"]
            for path in ENDS_THE_SESSION if which == "--exclude-path-regex" else ():
                command += ["--exclude-path", path]
            command += ["--checks", "not_a_server_error", "--max-time", seconds, "--max-examples", "20"]
            command += [
                "--generation-allow-x00",
                "false",
                "--phases",
                "examples,coverage,fuzzing",
                "--seed",
                "20260301",
            ]
            process = await asyncio.create_subprocess_exec(*command, stdin=subprocess.DEVNULL, cwd=folder)
            worst = max(worst, await process.wait())
    return worst


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="ac-") as name:
        folder = Path(name)
        postgres, valkey = engines.start_postgres(folder), engines.start_valkey(folder)
        try:
            return asyncio.run(fuzz(sys.argv[1], sys.argv[2], postgres.url, valkey.url, folder))
        finally:
            valkey.stop()
            postgres.stop()


if __name__ == "__main__":
    sys.exit(main())
