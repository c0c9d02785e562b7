"""Verification codes: 60 random bits in letters and digits that cannot be misread."""

import re
import secrets

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32 characters; no 0, O, 1, I
_SHAPE = re.compile(rf"[{_ALPHABET}]{{12}}")


def new_code() -> str:
    """``ABCD-EFGH-JKLM``."""
    text = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    return "-".join((text[:4], text[4:8], text[8:]))


def read_code(text: str) -> str | None:
    """A code as typed by a person: small letters, spaces or missing dashes are fine. None when it is none."""
    bare = re.sub(r"[\s-]", "", text).upper()
    return "-".join((bare[:4], bare[4:8], bare[8:])) if _SHAPE.fullmatch(bare) else None
