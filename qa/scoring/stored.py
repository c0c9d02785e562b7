"""Answers between the pure scoring and their JSON column: shares are exact decimal strings there."""

from collections.abc import Mapping
from decimal import Decimal

from qa.scoring.score import Answer


def answers_to_json(answers: Mapping[str, Answer]) -> dict[str, object]:
    """``{item_id: {"fraction": "0.5"}}``; null where the item does not apply."""
    return {
        item_id: {"fraction": None if answer.fraction is None else str(answer.fraction)}
        for item_id, answer in answers.items()
    }


def answers_from_json(stored: Mapping[str, object]) -> dict[str, Answer]:
    """Undo `answers_to_json`."""
    return {item_id: Answer(_fraction(entry)) for item_id, entry in stored.items()}


def _fraction(entry: object) -> Decimal | None:
    if not isinstance(entry, dict):
        raise TypeError("a stored answer is a mapping")
    fraction = entry["fraction"]
    return None if fraction is None else Decimal(str(fraction))
