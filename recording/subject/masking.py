"""What a customer is given of a call: the own data in full, other people covered. Pure.

Other people are the staff (shown by post, never by name or number), and whoever is named in fields of others: payees,
guardians, agents. What the customer or the teller *says* about others in free text cannot be told apart by a program;
numbers in the teller's words are covered.
"""

import re
from collections.abc import Mapping
from typing import Any

from core.redaction import redact

_OTHERS = re.compile(r"^(?:payee|guardian|agent|trustee|beneficiary|contact_person|relative)(?:_|$)")
_STAFF = re.compile(r"(?:^|_)(?:by|staff_id|teller_id|inspector_id|supervisor_id|lead_id|reviewer|doer_id)$")
_INTERNAL = frozenset({"version", "address", "danger", "draft", "watermark"})


def cover(text: str) -> str:
    """The first character and, of numbers, the last four; the rest in stars."""
    if len(text) <= 1:
        return "*"
    if text.isdigit() and len(text) > 6:
        return "*" * (len(text) - 4) + text[-4:]
    return text[0] + "*" * (len(text) - 1)


def for_subject(value: Any, others: bool = False) -> Any:
    """JSON as the customer gets it.

    Args:
        others: The value belongs to somebody else, so all text in it is covered.
    """
    if isinstance(value, Mapping):
        return {
            key: for_subject(part, others or bool(_OTHERS.match(str(key))))
            for key, part in value.items()
            if not _STAFF.search(str(key)) and key not in _INTERNAL
        }
    if isinstance(value, list | tuple):
        return [for_subject(part, others) for part in value]
    if isinstance(value, str):
        if others:
            return cover(value)
        return "staff" if value.startswith(("staff:", "staff_")) else value
    return value


def conversation(transcripts: Any) -> Any:
    """The words of both sides; numbers in the teller's are covered."""
    return [
        {
            "party": head["party"],
            "kind": head["kind"],
            "segments": [
                {
                    "start_s": segment["start_s"],
                    "end_s": segment["end_s"],
                    "text": segment["text"] if head["party"] == "customer" else redact(segment["text"]),
                }
                for segment in head["segments"]
            ],
        }
        for head in transcripts
    ]


def subject_json(found: Mapping[str, Any]) -> dict[str, Any]:
    """Of everything known of a call, what is about the customer. Inspections judge staff; they are not in it."""
    about, recordings = found["call.json"], found["recordings.json"]
    kept = {
        name: for_subject(found[name])
        for name in (
            "consents.json",
            "identity.json",
            "business.json",
            "documents.json",
            "signatures.json",
            "vouchers.json",
            "tickets.json",
            "notices.json",
        )
    }
    chat = [
        {"at": each["at"], "party": each["party"], "kind": each["kind"], "text": _chat_text(each)}
        for each in found["chat.json"]
    ]
    return {
        "call.json": for_subject(
            {
                "call": {
                    name: about["call"][name]
                    for name in ("number", "business_code", "language", "queued_at", "connected_at", "ended_at")
                },
                "visit": about["visit"],
                "rating": about["rating"],
            }
        ),
        **kept,
        "transcript.json": conversation(found["transcript.json"]),
        "chat.json": chat,
        "recordings.json": [
            {"party": each["party"], "duration_s": each["duration_s"], "sha256": each["sha256"]}
            for each in recordings["files"]
            if each["party"] == "customer"
        ],
    }


def _chat_text(message: Mapping[str, Any]) -> str:
    text = str(message["text"] or "")
    return text if message["party"] == "customer" else redact(text)
