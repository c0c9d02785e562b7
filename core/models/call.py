"""Calls, offers, presence, quality and ratings.

Writers: server.calls (Call, CallQuality, Rating), server.acd (CallOffer, TellerPresence, TellerSpan).
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Column, Computed, DateTime, Identity, Integer, text
from sqlmodel import Field, SQLModel

from core.models.base import json_field, utc_field

RANK = "(queued_at AT TIME ZONE 'UTC') - priority * interval '1 second'"


class CallState(StrEnum):
    """Life of a call. Legal moves are the table in `server.calls.states`."""

    QUEUED = "queued"
    OFFERED = "offered"
    ACCEPTED = "accepted"  # a teller took it, media not yet up on both sides
    CONNECTED = "connected"
    WRAP_UP = "wrap_up"  # hung up, teller writes the disposition
    CLOSED = "closed"


class EndReason(StrEnum):
    """Why a call ended."""

    CUSTOMER_HUNG_UP = "customer_hung_up"
    TELLER_HUNG_UP = "teller_hung_up"
    CUSTOMER_LEFT_QUEUE = "customer_left_queue"
    CUSTOMER_LOST = "customer_lost"
    TELLER_LOST = "teller_lost"
    MEDIA_FAILED = "media_failed"
    SYSTEM_RESTART = "system_restart"
    RESCHEDULED = "rescheduled"  # sent away in an emergency; the wait counts when the customer comes again
    CALLBACK_ASKED = "callback_asked"  # left the queue to be called back
    APPOINTMENT_MADE = "appointment_made"  # left the queue for a booked time
    WAITED_TOO_LONG = "waited_too_long"  # the customer's own word: the wait was too long
    WRONG_BUSINESS = "wrong_business"  # chose the wrong thing, comes again
    NOT_READY = "not_ready"  # papers or device are missing


class Call(SQLModel, table=True):
    """One call, from joining the queue to the disposition.

    Attributes:
        number: Running number shown to people, given by the database; one is left out when a join fails at its end.
        version: Incremented by every change; moves are compare-and-set on it.
        recording_ok: False while a live call's recording has failed.
        sharing: The teller shows a screen.
        holds: ``[{"from", "to"}]``, ISO 8601 UTC; ``to`` is None while the call is on hold.
        recording_paused_until: A secure pause runs (PIN entry); it ends by itself then.
        skill_group: Who may take it now; a transfer changes it.
        channel: ``video``, or ``text``: a consultation in writing, without media and without a recording, until both
            sides agree to go on by video.
        customer_class: ``standard``, ``vip``, ``elderly``, ``disabled`` or ``appointment``; `priority` has its points.
        class_source: Who says so: ``declared`` by the customer, ``bank`` (core banking, for a proven phone number),
            ``booking``; empty for ``standard``.
        video_asked_at: The teller has asked a customer who writes to go on by video; None once that is answered.
        rank_at: Sorting key of the queue, first served first: time of joining less the points in seconds.
        wanted_teller_id: Handed to this teller alone, until `wanted_until`; then to the group.
        teller_since: When the present teller took it; `accepted_at` is when the first one did.
        help_asked_at: The customer has pressed the help button; None once somebody has dealt with it.
    """

    id: str = Field(primary_key=True)
    number: int = Field(
        default=None, sa_column=Column(Integer, unique=True, nullable=False, server_default=text("next_call_number()"))
    )
    visit_id: str = Field(foreign_key="visit.id", index=True)
    business_code: str = Field(foreign_key="business.code")
    language: str
    state: str = Field(index=True)
    version: int = 1
    priority: int = 0
    teller_id: str | None = Field(default=None, foreign_key="staff.id", index=True)
    media_node: str | None = None
    recording_ok: bool = True
    recording_paused_until: datetime | None = utc_field(nullable=True)
    sharing: bool = False
    holds: list[dict[str, str | None]] = json_field(list)
    queued_at: datetime = utc_field(index=True)
    offered_at: datetime | None = utc_field(nullable=True)
    accepted_at: datetime | None = utc_field(nullable=True)
    connected_at: datetime | None = utc_field(nullable=True)
    ended_at: datetime | None = utc_field(nullable=True, index=True)
    closed_at: datetime | None = utc_field(nullable=True)
    end_reason: str | None = None
    disposition: str | None = None
    note: str | None = None
    skill_group: str = ""
    channel: str = "video"
    customer_class: str = "standard"
    class_source: str = ""
    rank_at: datetime | None = Field(default=None, sa_column=Column(DateTime, Computed(RANK), nullable=False))
    wanted_teller_id: str | None = Field(default=None, foreign_key="staff.id")
    wanted_until: datetime | None = utc_field(nullable=True)
    teller_since: datetime | None = utc_field(nullable=True)
    help_asked_at: datetime | None = utc_field(nullable=True)
    video_asked_at: datetime | None = utc_field(nullable=True)


class CallOffer(SQLModel, table=True):
    """One ring at one teller."""

    __tablename__ = "call_offer"

    id: str = Field(primary_key=True)
    call_id: str = Field(foreign_key="call.id", index=True)
    teller_id: str = Field(foreign_key="staff.id", index=True)
    offered_at: datetime = utc_field()
    expires_at: datetime = utc_field()
    outcome: str | None = None  # accepted, timeout, declined, withdrawn
    ended_at: datetime | None = utc_field(nullable=True)


class TellerState(StrEnum):
    """Presence of a teller."""

    OFFLINE = "offline"
    READY = "ready"
    OFFERED = "offered"
    IN_CALL = "in_call"
    WRAP_UP = "wrap_up"
    BREAK = "break"


class TellerPresence(SQLModel, table=True):
    """What a teller is doing now."""

    __tablename__ = "teller_presence"

    staff_id: str = Field(primary_key=True, foreign_key="staff.id")
    state: str
    reason: str = ""
    since: datetime = utc_field()
    missed_offers: int = 0
    call_id: str | None = None
    version: int = 1


class TellerSpan(SQLModel, table=True):
    """What a teller was doing, from one change of presence to the next. The span that runs is in `TellerPresence`."""

    __tablename__ = "teller_span"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    teller_id: str = Field(foreign_key="staff.id")
    state: str
    began_at: datetime = utc_field(index=True)
    ended_at: datetime = utc_field()


class Rating(SQLModel, table=True):
    """The customer's verdict after a call, one per call."""

    call_id: str = Field(primary_key=True, foreign_key="call.id")
    stars: int
    tags: list[str] = json_field(list)
    comment: str = ""
    at: datetime = utc_field()


class CallQuality(SQLModel, table=True):
    """How good one seat's leg between browser and media node was; see `core.ports.media.QualitySummary`.

    Attributes:
        seconds: Samples behind the averages.
        loss_up … rtt_max_ms: Averages and worst seconds. Losses are shares, 0 to 1, before repair.
        bars_s: Seconds at 0, 1, 2, 3 and 4 bars.
    """

    __tablename__ = "call_quality"

    call_id: str = Field(primary_key=True, foreign_key="call.id")
    seat: str = Field(primary_key=True)
    seconds: int
    loss_up: float
    loss_up_max: float
    loss_down: float
    loss_down_max: float
    jitter_up_ms: float
    jitter_down_ms: float
    rtt_ms: float | None
    rtt_max_ms: float | None
    bitrate_up_bps: int
    bitrate_down_bps: int
    freezes: int
    frozen_s: int
    bars_s: list[int] = json_field(list)
