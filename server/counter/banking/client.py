"""The core banking system over HTTP; implements `core.ports.banking.CoreBanking`, `core.ports.identity.PhoneBook`."""

from typing import Any

import aiohttp

from core.ports.banking import AccountFacts, BankAnswer, BankDownError, BankMisuseError, BankRequest


class HttpCoreBanking:
    """A client with a deadline; every failure to get an answer is `BankDownError`."""

    def __init__(self, http: aiohttp.ClientSession, url: str, token: str, timeout_s: float = 8.0) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    async def book(self, request: BankRequest) -> BankAnswer:
        """See the port."""
        body = {"request_id": request.request_id, "kind": request.kind, "fields": request.fields}
        status, answer = await self._ask("POST", "/v1/requests", body)
        if status != 200:
            raise BankMisuseError(f"the core system does not accept the request ({status})")
        return BankAnswer(bool(answer["done"]), str(answer["code"]), dict(answer["result"]))

    async def account(self, number: str) -> AccountFacts | None:
        """See the port."""
        if not number.isascii() or not number.isdigit():
            return None
        status, answer = await self._ask("GET", f"/v1/accounts/{number}", None)
        return AccountFacts(**answer) if status == 200 else None

    async def holds(self, id_number: str, phone: str) -> bool:
        """See `core.ports.identity.PhoneBook`."""
        status, answer = await self._ask("POST", "/v1/phone-checks", {"id_number": id_number, "phone": phone})
        return status == 200 and answer["held"] is True

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, dict[str, Any]]:
        try:
            async with self._http.request(
                method, self._url + path, json=body, headers=self._headers, timeout=self._timeout
            ) as answer:
                if answer.status >= 500 or answer.status == 401:
                    raise BankDownError(f"the core system answers {answer.status}")
                told: dict[str, Any] = await answer.json()
                return answer.status, told
        except (TimeoutError, aiohttp.ClientError, ValueError) as error:
            raise BankDownError("the core system does not answer") from error
