"""Composition of what auditors need: evidence packages, viewings, retention, the audit log and its anchors."""

from collections.abc import Coroutine
from typing import Any

from core.http import RouteTable
from core.jobs import Subscription
from core.security.seal import load_seal
from recording.catalogue.service import Catalogue
from recording.evidence import maker
from recording.evidence.routes import routes as evidence_routes
from recording.evidence.routes import viewing_routes
from recording.evidence.service import EvidenceService
from recording.evidence.viewing import ViewingService
from recording.retention import persons, purge
from recording.retention.desk import RetentionDesk
from recording.retention.holds import HoldService
from recording.retention.ledger import Ledger
from recording.retention.persons import PersonIndex
from recording.retention.purge import PurgeService
from recording.retention.routes import routes as retention_routes
from recording.subject import package as subject_package
from recording.subject.routes import routes as subject_routes
from recording.subject.service import SubjectDesk
from server.app.backups import open_target
from server.app.connections import Connections
from server.audit.anchors import Anchors
from server.audit.routes import routes as audit_routes
from server.audit.service import AuditSearch
from server.counter.wordings import wording_texts


def keeping_routes(connections: Connections) -> list[RouteTable]:
    """Endpoints of the edge."""
    catalogue = Catalogue(connections.database, connections.store, connections.secrets.master_key)
    return [
        evidence_routes(
            EvidenceService(
                connections.database,
                connections.store,
                connections.secrets.master_key,
                connections.settings.timezone,
            )
        ),
        viewing_routes(ViewingService(connections.database, catalogue), catalogue),
        audit_routes(AuditSearch(connections.database, connections.settings.timezone)),
        retention_routes(
            RetentionDesk(connections.database, connections.settings.timezone),
            HoldService(connections.database, _persons(connections)),
            _purges(connections),
        ),
        subject_routes(
            SubjectDesk(connections.database, connections.store, connections.secrets.master_key, _persons(connections))
        ),
    ]


def keeping_jobs(connections: Connections) -> tuple[list[Subscription], dict[str, Coroutine[Any, Any, None]]]:
    """Handlers of facts and loops of a worker."""
    seal = load_seal(connections.settings.data_dir)
    packages = maker.PackageMaker(
        connections.database, connections.store, connections.secrets.master_key, seal, wording_texts
    )
    anchors = Anchors(connections.database, connections.store, seal)
    subjects = subject_package.SubjectPackages(
        connections.database, connections.store, connections.secrets.master_key, seal, wording_texts
    )
    subscriptions = [
        *subject_package.subscriptions(subjects),
        *maker.subscriptions(packages),
        *purge.subscriptions(_purges(connections)),
        *persons.subscriptions(_persons(connections)),
    ]
    return subscriptions, {
        "evidence": packages.run(),
        "customers' packages": subjects.run(),
        "audit anchors": anchors.run(),
    }


def _persons(connections: Connections) -> PersonIndex:
    return PersonIndex(connections.database, connections.secrets.master_key)


def _purges(connections: Connections) -> PurgeService:
    settings = connections.settings
    places = [connections.store, *([open_target(settings.backup_target)] if settings.backup_target else [])]
    ledger = Ledger(load_seal(settings.data_dir), places)
    return PurgeService(connections.database, connections.store, settings.journal_path, ledger)
