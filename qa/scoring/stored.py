"""Answers between the pure scoring and their JSON column: shares are exact decimal strings there."""

from collections.abc import Mapping
from decimal import Decimal

from qa.scoring.score import Answer


def answers_to_json(answers: Mapping[str, Answer]) -> dict[str, object]:
    """``{item_id: {"fraction": "0.5", "comment": "…"}}``; null where the item does not apply, no empty comments."""
    return {item_id: _entry(answer) for item_id, answer in answers.items()}


def answers_from_json(stored: Mapping[str, object]) -> dict[str, Answer]:
    """Undo `answers_to_json`."""
    return {item_id: _answer(entry) for item_id, entry in stored.items()}


def _entry(answer: Answer) -> dict[str, object]:
    entry: dict[str, object] = {"fraction": None if answer.fraction is None else str(answer.fraction)}
    return {**entry, "comment": answer.comment} if answer.comment else entry


def _answer(entry: object) -> Answer:
    if not isinstance(entry, dict):
        raise TypeError("a stored answer is a mapping")
    fraction = entry["fraction"]
    return Answer(None if fraction is None else Decimal(str(fraction)), str(entry.get("comment", "")))
