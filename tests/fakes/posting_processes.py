"""A worker and a simulated bank as processes that can die: forked from one server, so that starting one is quick."""

import asyncio
import multiprocessing
import os
from multiprocessing.process import BaseProcess

import aiohttp

from core.clock import SystemClock
from core.db import Database
from core.events import PostingRequested
from core.security.sealing import Sealer
from server.counter.banking.client import HttpCoreBanking
from server.counter.banking.runner import PostingRunner
from server.simbank.service import serve

TOKEN = "token of the simulated bank"
KEY = b"k" * 32

_context = multiprocessing.get_context("forkserver")
# A child looks at the main module again: with pytest loaded before the fork that costs nothing.
_MODULES = {PostingRunner.__module__, HttpCoreBanking.__module__, serve.__module__}
_context.set_forkserver_preload(["pytest", *sorted(_MODULES)])


def spawn_worker(database_url: str, bank_url: str, posting_id: str, die_at: int) -> BaseProcess:
    """A worker that runs one posting and dies at point number `die_at` between two effects."""
    process = _context.Process(target=_work, args=(database_url, bank_url, posting_id, die_at))
    process.start()
    return process


def spawn_bank(database_url: str, port: int) -> BaseProcess:
    """The simulated bank on a port."""
    process = _context.Process(target=_bank, args=(database_url, port), daemon=True)
    process.start()
    return process


def _work(database_url: str, bank_url: str, posting_id: str, die_at: int) -> None:
    asyncio.run(_run(database_url, bank_url, posting_id, die_at))


async def _run(database_url: str, bank_url: str, posting_id: str, die_at: int) -> None:
    database, passed = Database(database_url, None, SystemClock()), 0

    async def watch(point: str) -> None:
        nonlocal passed
        if passed == die_at:
            os._exit(9)
        passed += 1

    async with aiohttp.ClientSession() as http:
        runner = PostingRunner(database, HttpCoreBanking(http, bank_url, TOKEN), Sealer(KEY), watch)
        await runner.run(PostingRequested(at=database.clock.now(), call_id="", posting_id=posting_id, run=1))
    await database.close()


def _bank(database_url: str, port: int) -> None:
    asyncio.run(serve(database_url, "127.0.0.1", port, TOKEN, True, asyncio.Event()))
