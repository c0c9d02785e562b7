"""Column helpers shared by the tables."""

from typing import Any

from sqlalchemy import DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field


def utc_field(*, nullable: bool = False, index: bool = False) -> Any:
    """An aware UTC timestamp column (``timestamptz``)."""
    default: Any = None if nullable else ...
    return Field(default=default, sa_type=DateTime(timezone=True), nullable=nullable, index=index)


def json_field(default_factory: Any = dict) -> Any:
    """A JSONB column."""
    return Field(default_factory=default_factory, sa_type=JSONB, nullable=False)
