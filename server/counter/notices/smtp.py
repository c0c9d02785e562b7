"""E-mail over a bank's own SMTP server."""

from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from core.ports.notices import ChannelDownError, DeliveryRefusedError

_PORTS = {"smtp": 25, "smtps": 465}
_FOR_GOOD = range(500, 600)


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where e-mail is handed over: ``smtp://user:password@host:port?starttls=1`` or ``smtps://…``."""

    host: str
    port: int
    tls: bool
    starttls: bool
    username: str | None = None
    password: str | None = None

    @classmethod
    def from_url(cls, url: str) -> "SmtpServer":
        """Read the setting. ValueError when it is no SMTP address."""
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("an SMTP address is smtp://host:port or smtps://host:port")
        return cls(
            parts.hostname,
            parts.port or _PORTS[parts.scheme],
            parts.scheme == "smtps",
            parse_qs(parts.query).get("starttls") == ["1"],
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
        )


class SmtpGateway:
    """Hands plain-text messages to one server; implements `core.ports.notices.MessageGateway`."""

    def __init__(self, server: SmtpServer, sender: str, timeout_s: float = 15.0) -> None:
        self._server = server
        self._sender = sender
        self._timeout_s = timeout_s

    async def send(self, message_id: str, address: str, title: str, text: str) -> None:
        """Send one e-mail. Its Message-ID is made of the message's id, so that a repeated one can be recognised."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._sender, address, title
        message["Date"] = formatdate(usegmt=True)
        message["Message-ID"] = f"<{message_id}@{self._sender.partition('@')[2]}>"
        message.set_content(text)
        try:
            await aiosmtplib.send(
                message,
                hostname=self._server.host,
                port=self._server.port,
                username=self._server.username,
                password=self._server.password,
                use_tls=self._server.tls,
                start_tls=self._server.starttls,
                timeout=self._timeout_s,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = [refused.code for refused in error.recipients]
            if all(code in _FOR_GOOD for code in codes):
                raise DeliveryRefusedError("the server refuses this address", code="notice.address_refused") from error
            raise ChannelDownError("the server does not take this address now") from error
        except aiosmtplib.SMTPResponseException as error:
            if error.code in _FOR_GOOD:
                raise DeliveryRefusedError(f"the server refuses the message ({error.code})") from error
            raise ChannelDownError(f"the server does not take the message now ({error.code})") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise ChannelDownError("the e-mail server cannot be reached") from error
