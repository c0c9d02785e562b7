"""The second step of a sign-in: codes of an authenticator app (RFC 6238), and recovery codes for who lost it."""

import hmac
import secrets

import pyotp
from sqlalchemy import delete, func, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from core.db import UnitOfWork
from core.errors import ConflictError
from core.models.staff import StaffRecoveryCode, StaffTotp
from core.security.sealing import Sealer
from core.security.tokens import sha256_hex

STEP_S = 30
WINDOW = 1  # steps a phone's clock may be off, either way
RECOVERY_CODES = 10
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_RECOVERY_LENGTH = 16  # of 32 letters each: 80 bits, too many to guess even from the stored digests


def owner(staff_id: str) -> str:
    """What a sealed secret is bound to."""
    return f"staff_totp.secret:{staff_id}"


def accepted_step(secret: str, code: str, now_s: float, last_step: int) -> int | None:
    """The time step a code belongs to, or None when it is wrong, too old, or not newer than the last one used. Pure.

    Args:
        now_s: Unix time. last_step: Step of the newest code accepted before; it is not accepted again.
    """
    totp, current = pyotp.TOTP(secret), int(now_s // STEP_S)
    found = None
    for step in range(current - WINDOW, current + WINDOW + 1):  # all of them, so that the time taken tells nothing
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode()) and step > last_step:
            found = step
    return found


def recovery_sha256(staff_id: str, code: str) -> str:
    """How a recovery code is stored. Dashes, blanks and case do not matter."""
    return sha256_hex(f"{staff_id}:{''.join(char for char in code.lower() if char.isalnum())}")


async def enrolled(session: AsyncSession, staff_id: str) -> bool:
    """Whether this person has an authenticator app that has proved itself."""
    row = await session.get(StaffTotp, staff_id)
    return row is not None and row.confirmed_at is not None


async def begin_enrolment(work: UnitOfWork, staff_id: str, sealer: Sealer) -> str:
    """Make a new secret, to be confirmed with a code. An earlier enrolment that was not finished is dropped.

    Returns:
        The secret, base32. It is told once.

    Raises:
        ConflictError: ``totp.enrolled`` – there is an app already; it has to be removed first.
    """
    if await enrolled(work.session, staff_id):
        raise ConflictError("there is an authenticator app already", code="totp.enrolled")
    secret = pyotp.random_base32()
    await work.session.execute(
        delete(StaffTotp).where(col(StaffTotp.staff_id) == staff_id, col(StaffTotp.confirmed_at).is_(None))
    )
    work.session.add(
        StaffTotp(staff_id=staff_id, secret_sealed=sealer.seal(secret, owner(staff_id)), created_at=work.clock.now())
    )
    await work.session.flush()
    return secret


async def check_code(work: UnitOfWork, staff_id: str, code: str, sealer: Sealer) -> str | None:
    """Use up a code of the app or a recovery code. The staff row must be locked by the caller.

    Returns:
        ``totp`` or ``recovery``, or None when the code is not accepted.
    """
    totp = await work.session.get(StaffTotp, staff_id)
    digits = code.replace(" ", "")
    if totp is not None and digits.isascii() and digits.isdigit():
        secret = sealer.open(totp.secret_sealed, owner(staff_id))
        step = accepted_step(secret, digits, work.clock.now().timestamp(), totp.last_step)
        if step is None:
            return None
        totp.last_step = step
        return "totp"
    if totp is None or totp.confirmed_at is None:
        return None
    used = await work.session.scalars(
        update(StaffRecoveryCode)
        .where(
            col(StaffRecoveryCode.staff_id) == staff_id,
            col(StaffRecoveryCode.code_sha256) == recovery_sha256(staff_id, code),
            col(StaffRecoveryCode.used_at).is_(None),
        )
        .values(used_at=work.clock.now())
        .returning(col(StaffRecoveryCode.code_sha256))
    )
    return "recovery" if used.first() else None


async def new_recovery_codes(work: UnitOfWork, staff_id: str) -> list[str]:
    """Replace all recovery codes. Returns them as ``xxxx-xxxx-xxxx-xxxx``; they are told once."""
    await work.session.execute(delete(StaffRecoveryCode).where(col(StaffRecoveryCode.staff_id) == staff_id))
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(_RECOVERY_LENGTH)) for _ in range(RECOVERY_CODES)]
    now = work.clock.now()
    for code in codes:
        digest = recovery_sha256(staff_id, code)
        work.session.add(StaffRecoveryCode(code_sha256=digest, staff_id=staff_id, created_at=now))
    return ["-".join(code[at : at + 4] for at in range(0, _RECOVERY_LENGTH, 4)) for code in codes]


async def recovery_codes_left(session: AsyncSession, staff_id: str) -> int:
    """How many recovery codes have not been used."""
    query = select(func.count()).where(
        col(StaffRecoveryCode.staff_id) == staff_id, col(StaffRecoveryCode.used_at).is_(None)
    )
    return (await session.scalars(query)).one()


async def forget(work: UnitOfWork, staff_id: str) -> bool:
    """Remove app and recovery codes. Returns whether there was an app."""
    await work.session.execute(delete(StaffRecoveryCode).where(col(StaffRecoveryCode.staff_id) == staff_id))
    gone = delete(StaffTotp).where(col(StaffTotp.staff_id) == staff_id).returning(col(StaffTotp.confirmed_at))
    return any((await work.session.scalars(gone)).all())
