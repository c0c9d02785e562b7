"""Faults that can be set: what the simulator does to the next requests, to prove that the counter survives it."""

import asyncio
import os
from dataclasses import dataclass, field
from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

Point = Literal["before", "after"]


class Fault(BaseModel):
    """One fault.

    Attributes:
        kind: Of request (``sms`` for the message centre), or any.
        action: ``refuse`` with bank.simulated_refusal; ``down``: 503 before anything is booked; ``slow``: `delay_s`
            before anything is booked; ``silent``: booked, but the answer takes `delay_s` more; ``exit``: the process
            dies at `point`, before or after the commit.
        times: How many requests it meets.
    """

    model_config = ConfigDict(extra="forbid")

    kind: str = "any"
    action: Literal["refuse", "down", "slow", "silent", "exit"]
    point: Point = "before"
    delay_s: Annotated[float, Field(ge=0, le=600)] = 0
    times: Annotated[int, Field(ge=1, le=1_000_000)] = 1


@dataclass(slots=True)
class Faults:
    """The faults that are set. `take` uses one up."""

    pending: list[Fault] = field(default_factory=list)

    def take(self, kind: str, *actions: str, point: Point = "before") -> Fault | None:
        """The first fault for this kind of request with one of these actions."""
        for fault in self.pending:
            at = fault.action == "silent" or fault.point == point
            if fault.kind in (kind, "any") and fault.action in actions and at:
                fault.times -= 1
                if fault.times == 0:
                    self.pending.remove(fault)
                return fault
        return None

    async def before(self, kind: str) -> None:
        """Before anything is booked."""
        if self.take(kind, "exit"):
            os._exit(9)
        if self.take(kind, "down"):
            raise web.HTTPServiceUnavailable
        slow = self.take(kind, "slow")
        if slow is not None:
            await asyncio.sleep(slow.delay_s)

    async def after(self, kind: str) -> None:
        """After it is booked, before the answer."""
        if self.take(kind, "exit", point="after"):
            os._exit(9)
        silent = self.take(kind, "silent", point="after")
        if silent is not None:
            await asyncio.sleep(silent.delay_s)
