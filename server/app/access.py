"""Composition of who gets in: sign-in, own account, accounts of staff."""

from dataclasses import dataclass
from datetime import timedelta

from core.http import RouteTable
from core.rate_limit import RateLimiter
from core.security.sealing import Sealer
from core.settings import Settings
from server.app.connections import Connections
from server.identity.account_routes import own_routes, staff_routes
from server.identity.accounts import StaffAccounts
from server.identity.oidc import ProviderSignIn
from server.identity.oidc_routes import routes as oidc_routes
from server.identity.own import OwnAccount
from server.identity.provider import Provider, ProviderSettings
from server.identity.routes import routes as sign_in_routes
from server.identity.rules import AccountRules
from server.identity.service import IdentityService
from server.identity.sessions import SessionLimits
from server.identity.staff_book import StaffBook


@dataclass(frozen=True, slots=True)
class Access:
    """Services and endpoints of staff accounts."""

    identity: IdentityService
    accounts: StaffAccounts
    routes: list[RouteTable]


def account_rules(settings: Settings) -> AccountRules:
    """The bank's rules for accounts, from the settings."""
    return AccountRules(
        settings.password_min_length,
        timedelta(days=settings.password_max_age_days) if settings.password_max_age_days else None,
        timedelta(hours=settings.one_time_password_h),
        settings.totp_obligatory,
    )


def build(connections: Connections, limiter: RateLimiter) -> Access:
    """Put it together."""
    settings, database, sealer = connections.settings, connections.database, Sealer(connections.secrets.master_key)
    rules = account_rules(settings)
    limits = SessionLimits(settings.session_idle_s, settings.session_max_s)
    identity = IdentityService(database, limiter, limits, sealer, rules)
    accounts = StaffAccounts(database, rules)
    book = StaffBook(database, accounts)
    own = OwnAccount(database, limiter, sealer, rules)
    tables = [
        sign_in_routes(identity),
        oidc_routes(_provider(connections, limiter), settings.public_url),
        own_routes(own),
        staff_routes(accounts, book),
    ]
    return Access(identity, accounts, tables)


def _provider(connections: Connections, limiter: RateLimiter) -> ProviderSignIn | None:
    settings = connections.settings
    if settings.oidc_issuer is None:
        return None
    provider = Provider(
        ProviderSettings(
            settings.oidc_issuer,
            settings.oidc_client_id,
            settings.oidc_client_secret,
            settings.oidc_username_claim,
        )
    )
    return ProviderSignIn(
        connections.database, connections.redis, limiter, provider, settings.oidc_issuer, settings.oidc_name
    )
