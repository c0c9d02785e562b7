"""When an identity is established. Pure rules over a step's result.

The result: ``documents`` {code: id}, ``read`` {face: {field: {value, confidence}}}, ``fields`` (read, then corrected),
``changes``, ``pending`` (questions without answer), ``checks``, ``registry``, ``face``, ``phone``, ``challenge``.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from server.counter.id_card import ID_FIELDS_BACK, ID_FIELDS_FRONT, check_card
from server.counter.ocr.card import Face

Json = dict[str, Any]

FACES: dict[str, Face] = {"id_front": "front", "id_back": "back"}
NEEDED = ("name", "id_number", "birth", "sex", "valid_from", "valid_until")
SURE = 0.85
"""Confidence below which a field is marked for the teller to look at."""

FACE_TRIES = 3


def merged_fields(result: Json, face: str) -> Json:
    """What was read of one side takes the place of what its older picture said."""
    names = ID_FIELDS_FRONT if face == "front" else ID_FIELDS_BACK
    read = result["read"].get(face, {})
    kept = {name: value for name, value in result["fields"].items() if name not in names}
    return kept | {name: read[name]["value"] for name in names if name in read}


def missing(result: Json, face_wanted: bool) -> list[str]:
    """What has to be handed in or read before the identity can be checked."""
    wanted = ["id_front", "id_back", *(["face"] if face_wanted else [])]
    lacking = [code for code in wanted if code not in result["documents"]]
    return lacking + [name for name in NEEDED if not result["fields"].get(name)]


def judge(fields: Mapping[str, str], claims: Iterable[Mapping[str, Any]], day: date) -> list[Json]:
    """Every check of the card and its agreement with what forms say: ``[{"code", "ok"}]``.

    Args:
        claims: ``{"name": …, "id_number": …}`` from forms; what they do not say is not compared.
    """
    checks = [{"code": check.code, "ok": check.ok} for check in check_card(fields, day)]
    for claim in claims:
        for name in ("name", "id_number"):
            if claim.get(name) is not None:
                checks.append({"code": f"form_{name}", "ok": claim[name] == fields.get(name)})
    return checks


def refusal(checks: Iterable[Json]) -> tuple[str, bool] | None:
    """The reason why the card is not accepted, and whether the business ends by it; None when all is well."""
    failed = {check["code"] for check in checks if check["ok"] is False}
    unread = {check["code"] for check in checks if check["ok"] is None}
    if "valid_now" in failed:
        return "identity.expired", True
    if failed & {"form_name", "form_id_number"}:
        return "identity.form_differs", False
    if failed:
        return "identity.mismatch", False
    return ("identity.not_read", False) if unread else None


def outstanding(result: Json, *, registry: bool, face: bool, phone: bool, challenge: bool) -> list[str]:
    """What is still to be established, in order."""
    wanted = {"registry": registry, "face": face, "phone": phone, "challenge": challenge}
    lacking = [] if result.get("verified") else ["card"]
    return lacking + [name for name, needed in wanted.items() if needed and result[name].get("verdict") != "match"]
