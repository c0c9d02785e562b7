"""One-time codes as short messages, through the bank's message centre."""

from core.errors import CounterError, UnavailableError
from core.ports.notices import MessageGateway

_TEXTS = {
    "zh-CN": ("验证码", "您的验证码是 {code}，5 分钟内有效。请只在办理页面输入，不要告诉任何人，包括柜员。"),
    "en": (
        "Code",
        "Your code is {code}, valid for 5 minutes. Enter it on the page only and tell nobody, the teller included.",
    ),
}


class SmsCodes:
    """Implements `core.ports.identity.PhoneCodes`."""

    def __init__(self, gateway: MessageGateway) -> None:
        self._gateway = gateway

    async def send(self, message_id: str, phone: str, code: str, language: str) -> None:
        """Hand it to the message centre, which knows a repeated one by its id."""
        title, text = _TEXTS.get(language, _TEXTS["zh-CN"])
        try:
            await self._gateway.send(message_id, phone, title, text.format(code=code))
        except CounterError as error:
            raise UnavailableError("the message centre did not take the code", code="phone.unavailable") from error
