"""The simulator's own tables, in the schema ``bank`` of its own database."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(schema="bank")

account = Table(
    "account",
    metadata,
    Column("number", String, primary_key=True),
    Column("kind", String, nullable=False),  # customer, or internal: clearing, fees
    Column("owner_name", String, nullable=False),
    Column("id_number", String, nullable=False, server_default=""),
    Column("phone", String, nullable=False, server_default=""),
    Column("status", String, nullable=False, server_default="active"),
    Column("balance_fen", BigInteger, nullable=False, server_default="0"),
    Column("held_fen", BigInteger, nullable=False, server_default="0"),
    Column("password_reset_at", DateTime(timezone=True)),
    CheckConstraint("held_fen >= 0 and (kind = 'internal' or balance_fen >= held_fen)", name="never_overdrawn"),
)

request = Table(
    "request",
    metadata,
    Column("request_id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("done", String, nullable=False),  # yes, or the code of the refusal
    Column("result", JSONB, nullable=False),
    Column("reversed_by", String),
    Column("at", DateTime(timezone=True), nullable=False),
)

# Double entry: the entries of one request sum to zero, an account's entries sum to its balance.
entry = Table(
    "entry",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("request_id", ForeignKey("bank.request.request_id"), nullable=False),
    Column("account", ForeignKey("bank.account.number"), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Index("ix_entry_account", "account", "at"),
    Index("ix_entry_request", "request_id"),
)

message = Table(
    "message",
    metadata,
    Column("id", String, primary_key=True),
    Column("phone", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)
