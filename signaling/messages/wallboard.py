"""The supervisors' wallboard, and what supervisors say to tellers."""

from datetime import datetime

from core.ports.wallboard import WallboardView
from core.security.permissions import Permission
from signaling.messages.base import Empty, Message, Payload, Push


class WallboardAnswer(Payload):
    """The wallboard now."""

    wallboard: WallboardView


class TellerNotice(Payload):
    """Something a supervisor said to all tellers."""

    at: datetime
    by_name: str
    text: str


class HelpTaken(Payload):
    """A supervisor is on the way to the teller who asked for help."""

    help_id: str
    by_name: str


GET = Message("wallboard.get", Permission.CALL_OVERSEE, Empty, WallboardAnswer)

WALLBOARD = Push("wallboard", WallboardView)
TELLER_NOTICE = Push("teller.notice", TellerNotice)
HELP_TAKEN = Push("help.taken", HelpTaken)
