"""One-tap help: a customer who needs somebody now, and a supervisor who moves a call ahead."""

from core.alarms import raise_alarm
from core.db import Database
from core.errors import ConflictError
from core.events import CustomerHelpAsked
from core.models.call import Call
from core.security.actor import Actor
from core.security.permissions import Permission
from server.calls import rows
from server.calls.states import ENDED, WAITING

JUMP_POINTS = 3600  # an hour of waiting: more than any queue or class gives


class HelpDesk:
    """Implements `core.ports.calls.CallHelp`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(self, actor: Actor) -> None:
        """The customer presses the help button; see `CallHelp.ask`."""
        async with self._database.read() as session:
            newest = await rows.newest_call(session, rows.visit_of(actor))
        if newest is None:
            raise ConflictError("there is no call", code="call.none")
        async with self._database.unit_of_work(actor) as work:
            call = await rows.lock_call(work.session, newest.id)
            if call.state in ENDED:
                raise ConflictError("there is no call", code="call.none")
            if call.help_asked_at is not None:
                return
            now = work.clock.now()
            call.help_asked_at = now
            call.version += 1
            _move_ahead(call)
            work.emit(CustomerHelpAsked(at=now, call_id=call.id))
            raise_alarm(work, "customer.help", "a customer asks for help", call.id)
            work.audit("call.help", "call", call.id)

    async def jump(self, actor: Actor, call_id: str) -> None:
        """A supervisor moves a waiting call ahead; see `CallHelp.jump`."""
        actor.require(Permission.CALL_OVERSEE)
        async with self._database.unit_of_work(actor) as work:
            call = await rows.lock_call(work.session, call_id)
            if call.state not in WAITING:
                raise ConflictError("the call does not wait", code="call.not_waiting")
            before = call.priority
            _move_ahead(call)
            call.version += 1
            work.audit("call.jump", "call", call.id, before=before, after=call.priority)


def _move_ahead(call: Call) -> None:
    """Once: a second jump over the same people would leave no order at all."""
    if call.priority < JUMP_POINTS:
        call.priority += JUMP_POINTS
