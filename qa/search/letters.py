"""Text as letters that a trigram index can use. Pure.

PostgreSQL's trigrams need three letters, and Chinese words have two characters. So every character becomes a code of
three letters (``grams``: one character is one trigram, and neighbours make more), and its toneless syllable
(``pinyin``: found by sound, however a recogniser wrote it). Both hold ASCII only and do not depend on the locale.
"""

import re
import string

from core.errors import BadInputError
from qa.compliance.normalize import spoken
from qa.compliance.phonetic import sound

_ALPHABET = string.digits + string.ascii_lowercase
_CODES = len(_ALPHABET) ** 3
_LATIN = re.compile(r"[a-z]+")
MIN_LETTERS = 3


def grams(text: str) -> str:
    """Three letters per character of the normalised text."""
    return "".join(_code(char) for char in spoken(text).text)


def pinyin(text: str) -> str:
    """Toneless syllables of the normalised text, without spaces."""
    return "".join(sound(spoken(text).text).syllables)


def _code(char: str) -> str:
    number = ord(char) % _CODES
    return _ALPHABET[number // 1296] + _ALPHABET[number // 36 % 36] + _ALPHABET[number % 36]


def is_pinyin(query: str) -> bool:
    """Whether somebody typed syllables instead of characters."""
    return bool(_LATIN.fullmatch(query.replace(" ", "").lower()))


def pinyin_query(query: str) -> str:
    """What was typed, as the pinyin column holds it.

    Raises:
        BadInputError: ``search.too_short``: fewer than three letters find half of everything.
    """
    letters = query.replace(" ", "").lower() if is_pinyin(query) else pinyin(query)
    if len(letters) < MIN_LETTERS:
        raise BadInputError("type more: at least one character or three letters", code="search.too_short")
    return letters
