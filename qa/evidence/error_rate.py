"""Character error rate: characters wrong, lost or added, by characters said. Pure."""

import re

from rapidfuzz.distance import Levenshtein

from qa.compliance.normalize import spoken

_NOT_COUNTED = re.compile(r"[^\u4e00-\u9fffA-Za-z]")


def characters(text: str) -> str:
    """What counts: Han characters and letters; numbers as they are spoken, no punctuation."""
    return _NOT_COUNTED.sub("", spoken(text).text)


def character_errors(heard: str, said: str) -> tuple[int, int]:
    """Errors in what was heard, and the number of characters that were said."""
    truth = characters(said)
    return int(Levenshtein.distance(truth, characters(heard))), len(truth)
