"""Addresses of messages: checked at the door, masked for eyes, sealed for storage."""

import re

from core.errors import BadInputError
from core.security.keys import MasterKey, unwrap_key, wrap_key

# ASCII only: look-alike letters and digits would send a customer's message to somebody else.
_EMAIL = re.compile(r"[A-Za-z0-9._%+\-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,62}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}")
_PHONE = re.compile(r"1[3-9][0-9]{9}")
_EMAIL_MAX = 254


def check_email(address: str) -> str:
    """The address as given. BadInputError ``notice.bad_address``."""
    if len(address) > _EMAIL_MAX or not _EMAIL.fullmatch(address) or ".." in address:
        raise BadInputError("this is no e-mail address", code="notice.bad_address", field="email")
    return address


def check_phone(number: str) -> str:
    """The mainland mobile number as given. BadInputError ``notice.bad_address``."""
    if not _PHONE.fullmatch(number):
        raise BadInputError("this is no mobile phone number", code="notice.bad_address", field="phone")
    return number


def mask_email(address: str) -> str:
    """``l***@example.com``."""
    name, _, domain = address.partition("@")
    return f"{name[:1]}***@{domain}"


def mask_phone(number: str) -> str:
    """``138****5678``."""
    return f"{number[:3]}****{number[-4:]}"


def seal_address(master_key: MasterKey, address: str, message_id: str) -> bytes:
    """Encrypt an address, bound to its message."""
    return wrap_key(master_key, address.encode(), f"notice {message_id}")


def open_address(master_key: MasterKey, sealed: bytes, message_id: str) -> str:
    """Undo `seal_address`. SecretsError when it was changed."""
    return unwrap_key(master_key, sealed, f"notice {message_id}").decode()
