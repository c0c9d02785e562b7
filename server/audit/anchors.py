"""Anchors: the chain's head (sequence, hash, time), signed with the house's seal, in the object store.

The chain alone proves that nothing was changed in the middle; only something kept elsewhere proves that nothing was
cut off at the end, or that the whole was not written anew. Keep the store's versions or lock its objects: whoever can
delete both the newest entries and the newest anchors is not found out.
"""

import asyncio
import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import structlog
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlmodel import col, select

from core.audit import ChainReport, verify_database
from core.db import Database
from core.errors import UnavailableError
from core.models.system import AuditEntry
from core.security.seal import Seal
from core.security.signing import check_signature, sign
from core.store import Store

log = structlog.get_logger(__name__)

FOLDER = "audit/anchors"
EVERY_S = 3600.0


@dataclass(frozen=True, slots=True)
class Anchor:
    """One head of the chain as it once was."""

    seq: int
    hash: str
    at: str

    def signed_bytes(self) -> bytes:
        """What the signature is over."""
        return json.dumps(asdict(self), sort_keys=True).encode()


@dataclass(slots=True)
class AnchoredReport:
    """The chain, and what became of it since the anchors were written.

    Attributes:
        anchors: How many there are. bad: Keys of anchors that are no longer as they were signed.
        lost_after: The chain is shorter than this anchor says: it was cut off. rewritten_at: It has another hash there.
    """

    chain: ChainReport
    anchors: int = 0
    bad: list[str] = field(default_factory=list)
    lost_after: int | None = None
    rewritten_at: int | None = None

    @property
    def good(self) -> bool:
        """Nothing was changed, deleted or cut off."""
        return self.chain.broken_at is None and not self.bad and self.lost_after is None and self.rewritten_at is None


class Anchors:
    """Writes and checks anchors."""

    def __init__(self, database: Database, store: Store, seal: Seal) -> None:
        self._database = database
        self._store = store
        self._seal = seal
        self._written = 0

    async def run(self) -> None:
        """Write one an hour, until cancelled."""
        while True:
            try:
                await self.write()
            except (OperationalError, InterfaceError, OSError, UnavailableError) as error:
                log.warning("audit anchor not written", error=str(error))
            await asyncio.sleep(EVERY_S)

    async def write(self) -> Anchor | None:
        """Anchor the present head; None when there is nothing new."""
        async with self._database.read() as session:
            newest = select(AuditEntry).order_by(col(AuditEntry.seq).desc()).limit(1)
            row = (await session.scalars(newest)).first()
        if row is None or row.seq == self._written:
            return None
        anchor = Anchor(row.seq, row.hash, self._database.clock.now().isoformat())
        content = {**asdict(anchor), "signature": sign(self._seal, anchor.signed_bytes()).hex()}
        await self._store.put(f"{FOLDER}/{row.seq:020d}.json", json.dumps(content, sort_keys=True).encode())
        self._written = row.seq
        return anchor

    async def verify(self) -> AnchoredReport:
        """Walk the chain once and compare it with every anchor."""
        anchors, bad = await self._read()
        async with self._database.read() as session:
            anchored = select(AuditEntry.seq, AuditEntry.hash).where(col(AuditEntry.seq).in_(anchors))
            found = {row.seq: row.hash for row in (await session.execute(anchored)).all()}
        chain = await verify_database(self._database)
        report = AnchoredReport(chain, len(anchors) + len(bad), bad)
        if chain.broken_at is None:
            missing = [seq for seq in sorted(anchors) if seq > chain.entries]
            report.lost_after = missing[-1] if missing else None
            report.rewritten_at = next((seq for seq in sorted(found) if found[seq] != anchors[seq].hash), None)
        return report

    async def _read(self) -> tuple[dict[int, Anchor], list[str]]:
        certificate = x509.load_der_x509_certificate(self._seal.certificate_der)
        anchors: dict[int, Anchor] = {}
        bad: list[str] = []
        for key in await self._store.keys(FOLDER):
            try:
                content: dict[str, Any] = json.loads(await self._store.get(key))
                anchor = Anchor(int(content["seq"]), str(content["hash"]), str(content["at"]))
                datetime.fromisoformat(anchor.at)
                check_signature(certificate, bytes.fromhex(content["signature"]), anchor.signed_bytes())
            except (ValueError, KeyError, TypeError, InvalidSignature):
                bad.append(key)
            else:
                anchors[anchor.seq] = anchor
        return anchors, bad
