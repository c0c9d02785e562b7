"""SMS through a bank's message centre over HTTP: ``POST <url> {id, phone, text}``."""

import aiohttp

from core.ports.notices import ChannelDownError, DeliveryRefusedError


class HttpSmsGateway:
    """Implements `core.ports.notices.MessageGateway`; the centre knows a repeated message by its id."""

    def __init__(self, http: aiohttp.ClientSession, url: str, token: str, timeout_s: float = 10.0) -> None:
        self._http = http
        self._url = url
        self._token = token
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    async def send(self, message_id: str, address: str, title: str, text: str) -> None:
        """Send one short message: an SMS has no title, the text follows it in brackets as is usual."""
        body = {"id": message_id, "phone": address, "text": f"【{title}】{text}"}
        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            async with self._http.post(self._url, json=body, headers=headers, timeout=self._timeout) as answer:
                if answer.status == 200:
                    return
                if 400 <= answer.status < 500 and answer.status != 429:
                    raise DeliveryRefusedError("the message centre refuses this number", code="notice.address_refused")
                raise ChannelDownError(f"the message centre answers {answer.status}")
        except (TimeoutError, aiohttp.ClientError) as error:
            raise ChannelDownError("the message centre cannot be reached") from error
