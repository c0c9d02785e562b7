"""One-time codes for phones: six digits, five minutes, three tries. Kept as an HMAC; sealed until they are sent."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from sqlmodel import col, select

from core.db import UnitOfWork
from core.ids import new_id
from core.models.case import PhoneCode
from core.security.keys import MasterKey, keys_of
from core.security.sealing import Sealer

LIFETIME_S = 300
TRIES = 3


class CodeBook:
    """Codes of cases."""

    def __init__(self, sealer: Sealer, master_key: MasterKey) -> None:
        self._sealer = sealer
        self._master_key = master_key

    def make(self, work: UnitOfWork, case_id: str, now: datetime) -> PhoneCode:
        """A new code; an older one of the case no longer counts (`newest` is what counts)."""
        code, code_id = f"{secrets.randbelow(10**6):06d}", new_id("code")
        row = PhoneCode(
            id=code_id,
            case_id=case_id,
            sealed=self._sealer.seal(code, code_id),
            code_hash=self._hash(keys_of(self._master_key)[0], code_id, code),
            tries_left=TRIES,
            created_at=now,
            expires_at=now + timedelta(seconds=LIFETIME_S),
        )
        work.session.add(row)
        return row

    async def newest(self, work: UnitOfWork, case_id: str) -> PhoneCode | None:
        """The code that counts."""
        query = select(PhoneCode).where(col(PhoneCode.case_id) == case_id).with_for_update()
        return (await work.session.scalars(query.order_by(col(PhoneCode.created_at).desc()).limit(1))).first()

    def open(self, row: PhoneCode) -> str | None:
        """The code, for sending it; None once it was sent."""
        return None if row.sealed is None else str(self._sealer.open(row.sealed, row.id))

    def matches(self, row: PhoneCode, code: str, now: datetime) -> bool:
        """Whether it is the right one, in time and for the first time; counts the try."""
        if row.used_at is not None or row.tries_left <= 0 or now > row.expires_at:
            return False
        row.tries_left -= 1
        hashes = [self._hash(key, row.id, code) for key in keys_of(self._master_key)]
        if not any(hmac.compare_digest(row.code_hash, each) for each in hashes):
            return False
        row.used_at, row.sealed = now, None
        return True

    @staticmethod
    def _hash(key: bytes, code_id: str, code: str) -> str:
        return hmac.new(key, f"{code_id}/{code}".encode(), hashlib.sha256).hexdigest()
