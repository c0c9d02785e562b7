"""Composition of what auditors need: evidence packages, viewings, the audit log and its anchors."""

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
    ]


def keeping_jobs(connections: Connections) -> tuple[list[Subscription], dict[str, Coroutine[Any, Any, None]]]:
    """Handlers of facts and loops of a worker."""
    seal = load_seal(connections.settings.data_dir)
    packages = maker.PackageMaker(
        connections.database, connections.store, connections.secrets.master_key, seal, wording_texts
    )
    anchors = Anchors(connections.database, connections.store, seal)
    return maker.subscriptions(packages), {"evidence": packages.run(), "audit anchors": anchors.run()}
