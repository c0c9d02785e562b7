"""Facts of the centre and its machines."""

from typing import Literal

from core.events.base import CallEvent, Event


class AlarmRaised(Event):
    """Something failed that a person has to see."""

    alarm_id: str
    kind: str
    call_id: str | None
    message: str


class WebhookQueued(CallEvent):
    """A message to another system waits to be sent. `round`: which sending; a person's replay begins a new one."""

    delivery_id: str
    round: int


class AlarmCleared(Event):
    """A person has seen to an alarm, or what raised it is over."""

    alarm_id: str


class BackupWanted(Event):
    """A backup or a rehearsal of a restore is due, or a person has asked for it."""

    run_id: str


class HelpRequested(Event):
    """A teller wants a supervisor, or a call runs over its time limit."""

    help_id: str
    kind: Literal["help", "overtime"]
    teller_id: str
    call_id: str | None


class HelpAnswered(Event):
    """A supervisor has taken a request for help."""

    help_id: str
    teller_id: str
    by_name: str


class EmergencyStarted(Event):
    """The emergency switch was thrown, in earnest or as a drill."""

    emergency_id: str
    drill: bool
    stop_entry: bool


class EmergencyEnded(Event):
    """The emergency is over."""

    emergency_id: str


class TellersTold(Event):
    """A supervisor said something to all tellers."""

    by_name: str
    text: str


class TicketOpened(Event):
    """A follow-up or a complaint waits for its department."""

    ticket_id: str
    kind: Literal["low_rating", "complaint"]
    department: str


class TicketAnswered(Event):
    """The customer has an answer."""

    ticket_id: str


class ArticlePublished(Event):
    """A new wording of an article stands in the knowledge base."""

    article_id: str
    version: int
