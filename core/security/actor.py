"""Who acts."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from core.errors import DeniedError
from core.security.permissions import Permission, permissions_of, permissions_of_scopes


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in member of staff, a customer on a visit, another system of the bank, or the system itself.

    Attributes:
        name: As written to the audit log: ``staff:<id>``, ``visit:<id>``, ``key:<id>`` or ``system:<part>``.
        staff_id / visit_id: Exactly one is set for people. key_id: Of another system's API key.
        roles: Roles of staff.
        withheld: Why a member of staff does not hold the permissions of the own roles yet: the code a refusal carries.
    """

    name: str
    permissions: frozenset[Permission]
    staff_id: str | None = None
    visit_id: str | None = None
    key_id: str | None = None
    roles: frozenset[str] = field(default_factory=frozenset)
    withheld: str | None = None

    def may(self, permission: Permission) -> bool:
        """Whether the permission is held."""
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raise `DeniedError` unless the permission is held."""
        if not self.may(permission):
            raise DeniedError("not permitted", code=self.withheld, permission=str(permission))


def staff_actor(staff_id: str, roles: list[str]) -> Actor:
    """The actor of a signed-in member of staff."""
    return Actor(f"staff:{staff_id}", permissions_of(roles), staff_id=staff_id, roles=frozenset(roles))


def withheld_actor(staff_id: str, permissions: Iterable[Permission], code: str) -> Actor:
    """Somebody of staff who has to do something first, with the few permissions for doing it."""
    return Actor(f"staff:{staff_id}", frozenset({Permission.PUBLIC, *permissions}), staff_id=staff_id, withheld=code)


def customer_actor(visit_id: str) -> Actor:
    """The actor behind a visit token."""
    return Actor(f"visit:{visit_id}", permissions_of(["customer"]), visit_id=visit_id)


def key_actor(key_id: str, scopes: Iterable[str]) -> Actor:
    """The actor behind an API key."""
    return Actor(f"key:{key_id}", permissions_of_scopes(scopes), key_id=key_id)


def system_actor(part: str) -> Actor:
    """The house itself: jobs, watchdogs, start-up. Holds every permission; never reachable from outside."""
    return Actor(f"system:{part}", frozenset(Permission))
