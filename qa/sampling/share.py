"""Who inspects what: fair, within caps, never own work. Pure."""

import hashlib
from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from qa.sampling.plan import Unit


class Inspector(BaseModel):
    """Somebody who inspects, with what stands against it.

    Attributes:
        load: Open tasks already given.
        not_tellers / not_teams: Declared conflicts of interest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    staff_id: str
    team: str | None = None
    load: Annotated[int, Field(ge=0)] = 0
    not_tellers: tuple[str, ...] = ()
    not_teams: tuple[str, ...] = ()

    def may_inspect(self, unit: Unit) -> bool:
        """Whether nothing stands against it, whichever of its tellers is asked about."""
        return all(self.objection(teller.teller_id, teller.team) is None for teller in unit.tellers)

    def objection(self, teller_id: str, team: str | None) -> str | None:
        """Why this inspector may not inspect a teller's call: a refusal code, None when nothing stands against it."""
        if teller_id == self.staff_id:
            return "qa.own_call"
        if team is not None and team == self.team:
            return "qa.own_team"
        if teller_id in self.not_tellers or (team is not None and team in self.not_teams):
            return "qa.conflict"
        return None


def share_out(units: Iterable[Unit], inspectors: Iterable[Inspector], cap: int, seed: str) -> dict[str, str | None]:
    """An inspector for each call, None where nobody may or everybody is at the cap.

    Calls that few may inspect are given first; each goes to the eligible inspector with the fewest open tasks, ties
    broken by the seed. The order of the arguments plays no part.
    """
    everybody = list(inspectors)
    load = {each.staff_id: each.load for each in everybody}
    eligible = {unit.call_id: [each.staff_id for each in everybody if each.may_inspect(unit)] for unit in units}
    given: dict[str, str | None] = {}
    for call_id in sorted(eligible, key=lambda call_id: (len(eligible[call_id]), _lot(seed, call_id))):
        free = [staff_id for staff_id in eligible[call_id] if load[staff_id] < cap]
        chosen = min(free, key=lambda staff_id: (load[staff_id], _lot(seed, call_id, staff_id)), default=None)
        given[call_id] = chosen
        if chosen is not None:
            load[chosen] += 1
    return given


def _lot(*parts: str) -> str:
    return hashlib.sha256("/".join(parts).encode()).hexdigest()
