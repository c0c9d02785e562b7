"""Drawing a sample. Pure, and the same for ever: plan, frame, seed and what is owed decide every pick.

Each call gets one key from the seed and its own id (u^(1/weight): Efraimidis and Spirakis, 2006, "Weighted random
sampling with a reservoir"), so the order of the frame plays no part and a larger share keeps every call of a smaller
one. Weights are 1, 2 and 4, so keys are compared as whole numbers and every machine gets the same.
"""

import hashlib
import json
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from qa.sampling.plan import Plan, Risk, Unit

RISK_WEIGHT = {Risk.LOW: 1, Risk.MEDIUM: 2, Risk.HIGH: 4}
_BITS, _MOST = 64, 4


@dataclass(frozen=True, slots=True)
class Pick:
    """A drawn call. `reason`: fatal, share (of its stratum) or minimum (of its teller)."""

    call_id: str
    reason: str
    stratum: str


@dataclass(frozen=True, slots=True)
class Draw:
    """The result; `carried` is what tellers with too few calls owe the next period."""

    picks: tuple[Pick, ...]
    carried: dict[str, int]


def new_seed() -> str:
    """A fresh seed, to be recorded with the draw."""
    return secrets.token_hex(16)


def frame_sha256(frame: Iterable[Unit]) -> str:
    """Digest of a frame, whatever its order."""
    units = [unit.as_json() for unit in sorted(frame, key=lambda unit: unit.call_id)]
    return hashlib.sha256(json.dumps(units, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def draw(plan: Plan, frame: Iterable[Unit], seed: str, owed: Mapping[str, int]) -> Draw:
    """Draw from a frame.

    Args:
        frame: Calls of one period; those the plan does not include are passed over.
        owed: Per teller, calls that earlier periods could not give (`Draw.carried` of the last draw).
    """
    units = sorted(filter(plan.includes, frame), key=lambda u: (-_key(seed, u, plan.risk_weighted), u.call_id))
    picked: dict[str, Pick] = {}
    if plan.all_fatal:
        for unit in units:
            if unit.fatal:
                picked[unit.call_id] = Pick(unit.call_id, "fatal", plan.stratum(plan.shares(unit)[0]))
    _take_shares(plan, units, picked)
    carried = _take_minimum(plan, units, owed, picked)
    order = {unit.call_id: at for at, unit in enumerate(units)}
    return Draw(tuple(sorted(picked.values(), key=lambda pick: order[pick.call_id])), carried)


def _take_shares(plan: Plan, units: list[Unit], picked: dict[str, Pick]) -> None:
    """The wanted number of each stratum, first keys first; what is fatal counts towards it.

    A call that was handed on is in the strata of all its tellers. Each stratum takes its own first keys, whatever
    another one took, so that a larger share keeps every call of a smaller one.
    """
    strata: dict[str, dict[str, Unit]] = defaultdict(dict)
    for unit in units:
        for share in plan.shares(unit):
            strata[plan.stratum(share)].setdefault(unit.call_id, share)
    fatal = set(picked)
    for name, members in strata.items():
        rates = {call_id: plan.rate(share) for call_id, share in members.items()}
        wanted = int((sum(rates.values(), Decimal(0)) / 100).to_integral_value(ROUND_CEILING))
        missing = wanted - sum(call_id in fatal for call_id in members)
        # A class whose rate is 0 is never drawn for its share.
        free = [call_id for call_id in members if call_id not in fatal and rates[call_id] > 0]
        for call_id in free[: max(0, missing)]:
            picked.setdefault(call_id, Pick(call_id, "share", name))


def _take_minimum(plan: Plan, units: list[Unit], owed: Mapping[str, int], picked: dict[str, Pick]) -> dict[str, int]:
    """Fill each teller up to the minimum and what is owed; returns what stays owed."""
    tellers: dict[str, list[Unit]] = {teller_id: [] for teller_id in owed}
    for unit in units:
        for share in plan.shares(unit):
            tellers.setdefault(share.teller_id, []).append(share)
    carried = {}
    for teller_id, members in sorted(tellers.items()):
        wanted = plan.minimum + min(plan.rollover, owed.get(teller_id, 0))
        missing = wanted - sum(unit.call_id in picked for unit in members)
        free = [unit for unit in members if unit.call_id not in picked]
        for unit in free[: max(0, missing)]:
            picked[unit.call_id] = Pick(unit.call_id, "minimum", plan.stratum(unit))
        still = min(plan.rollover, missing - len(free))
        if still > 0:
            carried[teller_id] = still
    return carried


def _key(seed: str, unit: Unit, risk_weighted: bool) -> int:
    """Larger is drawn earlier: (u^(1/weight))^4 on a scale of 2^256, with u uniform in (0, 1]."""
    digest = hashlib.sha256(f"{seed}/{unit.call_id}".encode()).digest()
    uniform = int.from_bytes(digest[: _BITS // 8], "big") + 1
    power = _MOST // (RISK_WEIGHT[unit.risk] if risk_weighted else 1)
    return int(uniform**power) << (_BITS * (_MOST - power))
