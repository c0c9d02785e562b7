"""The part of the file check that has to wait for the transcript: were the mandatory script nodes said?"""

from sqlmodel import col, select

from core.db import Database
from core.events import ComplianceChecked
from core.jobs import Subscription
from core.models.qa import Finding
from core.models.recording import Recording, RecordingState
from core.ports.compliance import FindingKind
from core.security.actor import system_actor
from recording.finalize.check import Reason, reasons_from_json, reasons_json, verdict_of

NODES_MISSING = "nodes_missing"


class ScriptVerdict:
    """Adds the script check's result to a recording's verdict. Idempotent: a new check replaces the old result."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def on_checked(self, event: ComplianceChecked) -> None:
        """Mandatory nodes that were not found are a finding of the recording too."""
        async with self._database.unit_of_work(system_actor("recording")) as work:
            query = select(Recording).where(col(Recording.call_id) == event.call_id).with_for_update()
            row = (await work.session.scalars(query)).first()
            if row is None or row.state != RecordingState.FINALIZED:
                return
            missing = select(Finding.rule_id).where(
                col(Finding.check_id) == event.check_id, col(Finding.kind) == FindingKind.MISSING
            )
            nodes = sorted((await work.session.scalars(missing)).all())
            reasons = [one for one in reasons_from_json(row.file_check["reasons"]) if one.code != NODES_MISSING]
            if nodes:
                values: dict[str, float | str] = {"count": len(nodes), "nodes": ",".join(nodes)}
                reasons.append(Reason(NODES_MISSING, "finding", None, values))
            # A new dict: the column does not see changes inside the old one.
            row.file_check = row.file_check | {"reasons": reasons_json(reasons), "script_check": event.check_id}
            row.verdict = verdict_of(reasons)


def subscriptions(service: ScriptVerdict) -> list[Subscription]:
    """The job that follows the script check."""
    return [Subscription(ComplianceChecked, "recording.script_verdict", service.on_checked)]
