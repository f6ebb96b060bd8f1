"""A real mail server on this machine, which keeps what it is sent."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Post:
    """What a mail server does with mails: keeps them, and knows nobody called ukendt@. It may fall silent then."""

    def __init__(self) -> None:
        self.got: list[Message] = []
        self.falls_silent = False

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("ukendt@"):
            return "550 Ukendt modtager"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        message = message_from_bytes(envelope.content)
        if b"u\xc3\xb8nsket" in (message.get_payload(decode=True) or b""):
            return "550 Ikke taget imod"
        self.got.append(message)
        if self.falls_silent:
            server.transport.abort()
        return "250 OK"


@contextmanager
def receiving(handler: Post) -> Iterator[int]:
    """Take mails until the block is left; gives the port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    controller = Controller(handler, hostname="127.0.0.1", port=port, ready_timeout=30)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()
