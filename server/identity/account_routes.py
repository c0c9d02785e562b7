"""Endpoints of accounts: the own one, and other people's for administrators."""

import segno
from aiohttp import web

from core.http import Done, RouteTable, actor_of
from core.security.permissions import Permission
from server.identity.accounts import StaffAccounts
from server.identity.own import OwnAccount
from server.identity.routes import session_cookie, signed_out
from server.identity.schemas import (
    CodeRequest,
    EnrolmentView,
    NewStaffView,
    OneTimePasswordView,
    OwnAccountView,
    PasswordAndCodeRequest,
    PasswordChangeRequest,
    PasswordRequest,
    RecoveryCodesView,
    StaffChangeRequest,
    StaffCreateRequest,
    StaffRow,
)
from server.identity.staff_book import StaffBook


def own_routes(account: OwnAccount) -> RouteTable:
    """Password, authenticator app, recovery codes, signing out everywhere."""
    table = RouteTable()

    @table.get("/api/account", Permission.ACCOUNT_OWN)
    async def view(request: web.Request) -> OwnAccountView:
        return OwnAccountView.model_validate(await account.view(actor_of(request)), from_attributes=True)

    @table.post("/api/account/password", Permission.ACCOUNT_OWN)
    async def change(request: web.Request, body: PasswordChangeRequest) -> Done:
        await account.change_password(actor_of(request), session_cookie(request) or "", body.current, body.new)
        return Done()

    @table.post("/api/account/sign-out-everywhere", Permission.ACCOUNT_OWN, answer=Done)
    async def everywhere(request: web.Request) -> web.Response:
        await account.sign_out_everywhere(actor_of(request))
        return signed_out(request)

    @table.post("/api/account/totp", Permission.ACCOUNT_OWN)
    async def begin(request: web.Request, body: PasswordRequest) -> EnrolmentView:
        enrolment = await account.begin_totp(actor_of(request), body.password)
        picture = segno.make(enrolment.uri, error="m").svg_data_uri(scale=4, border=4)
        return EnrolmentView(secret=enrolment.secret, uri=enrolment.uri, qr=picture)

    @table.post("/api/account/totp/confirm", Permission.ACCOUNT_OWN)
    async def confirm(request: web.Request, body: CodeRequest) -> RecoveryCodesView:
        return RecoveryCodesView(codes=await account.confirm_totp(actor_of(request), body.code))

    @table.post("/api/account/totp/remove", Permission.ACCOUNT_OWN)
    async def remove(request: web.Request, body: PasswordAndCodeRequest) -> Done:
        await account.remove_totp(actor_of(request), body.password, body.code)
        return Done()

    @table.post("/api/account/recovery-codes", Permission.ACCOUNT_OWN)
    async def renew(request: web.Request, body: PasswordAndCodeRequest) -> RecoveryCodesView:
        codes = await account.renew_recovery_codes(actor_of(request), body.password, body.code)
        return RecoveryCodesView(codes=codes)

    return table


def staff_routes(accounts: StaffAccounts, book: StaffBook) -> RouteTable:
    """What administrators do to the accounts of others."""
    table = RouteTable()

    @table.get("/api/staff", Permission.STAFF_MANAGE)
    async def everybody(request: web.Request) -> list[StaffRow]:
        return await book.all()

    @table.post("/api/staff", Permission.STAFF_MANAGE)
    async def create(request: web.Request, /, body: StaffCreateRequest) -> NewStaffView:
        row, issued = await book.create(actor_of(request), body)
        return NewStaffView(staff=row, one_time_password=issued.password, expires_at=issued.expires_at)

    @table.put("/api/staff/{staff_id}", Permission.STAFF_MANAGE)
    async def change(request: web.Request, staff_id: str, /, body: StaffChangeRequest) -> StaffRow:
        return await book.change(actor_of(request), staff_id, body)

    @table.post("/api/staff/{staff_id}/reset-password", Permission.STAFF_MANAGE)
    async def reset(request: web.Request, staff_id: str, /) -> OneTimePasswordView:
        issued = await accounts.reset_password(actor_of(request), staff_id)
        return OneTimePasswordView(one_time_password=issued.password, expires_at=issued.expires_at)

    @table.post("/api/staff/{staff_id}/unlock", Permission.STAFF_MANAGE)
    async def unlock(request: web.Request, staff_id: str, /) -> Done:
        await accounts.unlock(actor_of(request), staff_id)
        return Done()

    @table.post("/api/staff/{staff_id}/sign-out", Permission.STAFF_MANAGE)
    async def sign_out(request: web.Request, staff_id: str, /) -> Done:
        await accounts.sign_out(actor_of(request), staff_id)
        return Done()

    @table.post("/api/staff/{staff_id}/reset-totp", Permission.STAFF_MANAGE)
    async def reset_totp(request: web.Request, staff_id: str, /) -> Done:
        await accounts.reset_second_step(actor_of(request), staff_id)
        return Done()

    return table
