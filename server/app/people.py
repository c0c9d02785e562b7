"""Composition of supervision's books: tickets, knowledge base, statistics, staff accounts."""

from core.http import RouteTable
from core.jobs import Subscription
from core.rate_limit import RateLimiter
from server.app.connections import Connections
from server.counter.notices.outbox import NoticeOutbox
from server.knowledge.routes import routes as knowledge_routes
from server.knowledge.service import KnowledgeService
from server.statistics.load import LoadForecasts
from server.statistics.people import PeopleFigures
from server.statistics.reports import Reports
from server.statistics.routes import routes as statistics_routes
from server.tickets.routes import routes as ticket_routes
from server.tickets.service import TicketService
from server.tickets.watch import subscriptions as ticket_subscriptions


def people_routes(connections: Connections) -> list[RouteTable]:
    """Endpoints of the edge."""
    database = connections.database
    notices = NoticeOutbox(connections.secrets.master_key)
    tickets = TicketService(database, notices, RateLimiter(connections.redis))
    timezone = connections.settings.timezone
    statistics = statistics_routes(
        Reports(database, timezone), PeopleFigures(database, timezone), LoadForecasts(database, timezone)
    )
    return [ticket_routes(tickets), knowledge_routes(KnowledgeService(database)), statistics]


def people_jobs(connections: Connections) -> tuple[list[Subscription], TicketService]:
    """Jobs of the worker, and the service whose due times it watches."""
    tickets = TicketService(connections.database)
    return ticket_subscriptions(tickets), tickets
