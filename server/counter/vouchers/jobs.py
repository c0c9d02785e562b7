"""Making a voucher and telling the customer."""

import asyncio
import hashlib
from typing import Any

from core.db import Database
from core.errors import BadInputError
from core.events import VoucherIssued
from core.jobs import Subscription
from core.models.business import Business
from core.models.call import Call
from core.models.signing import Voucher
from core.models.staff import Staff
from core.ports.notices import Notice, Notices, Recipient
from core.security.actor import system_actor
from core.security.seal import Seal
from core.security.sealing import Sealer
from core.vault import Vault
from server.counter.notices.addresses import check_email, check_phone
from server.counter.signing.pades import seal_pdf
from server.counter.signing.paper import bank_time, draw
from server.counter.signing.papers import interpreter_line, lines_of, voucher

_LABELS = {
    "zh-CN": {
        "account": "新账号",
        "result": "办理结果",
        "done": "成功",
        "time": "办理时间",
        "call": "通话编号",
        "teller": "柜员号",
    },
    "en": {
        "account": "New account",
        "result": "Result",
        "done": "done",
        "time": "Time",
        "call": "Call",
        "teller": "Teller",
    },
}
_MORE = {
    "zh-CN": {"reviewer": "复核员号", "signed": "签署文件验证码"},
    "en": {"reviewer": "Second person", "signed": "Code of the signed document"},
}
_TEXTS = {
    "zh-CN": ("{name}已办理成功", "您的{name}业务已办理成功，凭证验证码 {code}。可在 {url} 核对真伪。"),
    "en": ("Done: {name}", "Your business ({name}) is done. Voucher code {code}; check it at {url}."),
}


class VoucherJobs:
    """One job per voucher; a repeated one finds it made."""

    def __init__(
        self, database: Database, vault: Vault, sealer: Sealer, seal: Seal, notices: Notices, site_url: str
    ) -> None:
        self._database = database
        self._vault = vault
        self._sealer = sealer
        self._seal = seal
        self._notices = notices
        self._site_url = site_url
        self._actor = system_actor("voucher")

    async def run(self, event: VoucherIssued) -> None:
        """Draw, seal, store, tell."""
        async with self._database.read() as session:
            row = await session.get_one(Voucher, event.voucher_id)
            if row.object_key is not None:
                return
            call = await session.get_one(Call, row.call_id)
            business = await session.get_one(Business, row.business_code)
            teller = await session.get(Staff, call.teller_id) if call.teller_id else None
        language = "en" if call.language == "en" else "zh-CN"
        facts: dict[str, Any] = self._sealer.open(row.sealed_facts, row.id)
        name = business.name_en if language == "en" else business.name_zh
        url = f"{self._site_url}/verify?code={row.code}"
        lines = _lines(facts, language, row, call, teller)
        pdf = await asyncio.to_thread(draw, voucher(name, language, lines, row.code, url))
        sealed = await asyncio.to_thread(seal_pdf, pdf, self._seal, f"voucher {row.code}; call {row.call_id}")
        key = f"vouchers/{row.id}.pdf"
        await self._vault.put(key, sealed)
        title, text = (each.format(name=name, code=row.code, url=url) for each in _TEXTS[language])
        async with self._database.unit_of_work(self._actor) as work:
            stored = await work.session.get_one(Voucher, row.id, with_for_update=True, populate_existing=True)
            if stored.object_key is not None:
                return
            stored.object_key, stored.sha256 = key, hashlib.sha256(sealed).hexdigest()
            stored.ready_at = work.clock.now()
            work.audit("voucher.ready", "voucher", row.id, call_id=row.call_id, sha256=stored.sha256)
            to = _recipient(row.visit_id, facts["values"])
            await self._notices.queue(
                work, Notice(f"{row.business_code}.done", title, text, to, call_id=row.call_id, subject_id=row.id)
            )


def _lines(
    facts: dict[str, Any], language: str, row: Voucher, call: Call, teller: Staff | None
) -> tuple[tuple[str, str], ...]:
    words, more = _LABELS[language], _MORE[language]
    lines = [(words["result"], words["done"]), *lines_of(facts["summary"], language, masked=True)]
    if facts.get("account"):
        lines.append((words["account"], str(facts["account"])))
    lines += [(words["time"], bank_time(row.issued_at)), (words["call"], str(call.number))]
    if teller is not None:
        lines.append((words["teller"], teller.staff_number))
    lines += [(label, str(facts[key])) for key, label in more.items() if facts.get(key)]
    lines += interpreter_line(facts, language)
    return tuple(lines)


def _recipient(visit_id: str, values: dict[str, Any]) -> Recipient:
    """The app always; e-mail and phone when the form has good ones."""
    email, phone = values.get("email"), values.get("phone")
    try:
        email = check_email(str(email)) if email else None
        phone = check_phone(str(phone)) if phone else None
    except BadInputError:
        return Recipient(visit_id=visit_id)
    return Recipient(visit_id=visit_id, email=email, phone=phone)


def subscriptions(jobs: VoucherJobs) -> list[Subscription]:
    """The job."""
    return [Subscription(VoucherIssued, "counter.voucher", jobs.run)]
