"""Mail to the people of the house, over the SMTP server of the settings; nothing is sent where none is set up.

    report = send(settings, [Mail(key="eftersyn abc 2027-01-31", to="digital@kommune.dk", subject=..., text=...)])

A mail's key names its occasion, and each is sent once (:mod:`kb.state.sent_mail`): one process sends at a time, and
notes that it hands a mail over after its text and right before the dot that ends it, for a mail server throws away what
it got no end of. A mail the server refuses stops no other; a server that cannot be reached raises :class:`MailError`,
and what was not sent is sent the next time.
"""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from functools import partial
from typing import TYPE_CHECKING

from kb.core.errors import MailError, SettingsError
from kb.core.identity import is_loopback
from kb.core.settings import Settings
from kb.state.repository import LockTaken, repository_of
from kb.state.sent_mail import SentMail

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

TIMEOUT_SECONDS = 30
LOCK = "mail"
# How long to wait for another process that is sending.
LOCK_SECONDS = 120
# What ends a mail's text (RFC 5321).
END = b"\r\n.\r\n"
_SENDER_ADVICE = "Sæt KB_SMTP_SENDER til en adresse, fx erfaringer@kommune.dk."


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to one address; ``key`` names its occasion, and no two occasions share one.

    ``html`` is the same as ``text`` for programs that show it. ``stop_url`` is where a program may ask for no more.
    """

    key: str
    to: str
    subject: str
    text: str
    html: str = ""
    stop_url: str = ""


@dataclass(frozen=True, slots=True)
class MailReport:
    """What became of some mails, by key: ``sent`` now, ``already`` sent before, ``refused`` with what was said."""

    sent: tuple[str, ...] = ()
    already: tuple[str, ...] = ()
    refused: Mapping[str, str] | None = None


def is_set_up(settings: Settings) -> bool:
    """Whether mails are sent at all."""
    return bool(settings.smtp_host)


def send(settings: Settings, mails: Iterable[Mail]) -> MailReport:
    """Send those of the mails that were not sent before.

    Raises :class:`SettingsError` where the settings do not suffice, :class:`MailError` where the server cannot be used,
    and :class:`kb.core.errors.StorageError` where nothing can be noted.
    """
    wanted = list(mails)
    if not wanted:
        return MailReport()
    _check(settings)
    log = SentMail(settings.state)
    refused: dict[str, str] = {}
    with _alone(settings):
        open_ones = [mail for mail in wanted if not log.is_settled(mail.key)]
        if open_ones:
            with _connection(settings) as server:
                refused = _hand_over(settings, server, log, open_ones)
    keys = {mail.key for mail in open_ones}
    sent = tuple(mail.key for mail in open_ones if mail.key not in refused)
    return MailReport(sent, tuple(mail.key for mail in wanted if mail.key not in keys), refused)


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Be the one process that sends, of all machines; the next is let in when this one dies."""
    try:
        with repository_of(settings.state).lock(LOCK, wait=LOCK_SECONDS):
            yield
    except LockTaken as error:
        raise MailError("En anden proces har sendt mails længe.", advice="Prøv igen senere.") from error


def _hand_over(settings: Settings, server: _Server, log: SentMail, mails: Iterable[Mail]) -> dict[str, str]:
    """Send the mails; what the server said of those it did not take, by key."""
    refused: dict[str, str] = {}
    for mail in mails:
        server.before_end = partial(log.begin, mail.key, mail.to)
        try:
            server.send_message(_message(settings, mail))
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError) as error:
            log.give_up(mail.key)
            refused[mail.key] = _said(error)
        else:
            log.finish(mail.key)
    return refused


def _check(settings: Settings) -> None:
    if not settings.smtp_host:
        raise SettingsError("Der er ikke sat en mailserver op.", advice="Sæt KB_SMTP_HOST og KB_SMTP_SENDER.")
    if "@" not in settings.smtp_sender:
        raise SettingsError("Adressen, der sendes fra, mangler.", advice=_SENDER_ADVICE)
    if settings.smtp_user and settings.smtp_tls == "none" and not is_loopback(settings.smtp_host):
        raise SettingsError(
            "En adgangskode sendes ikke ukrypteret.", advice="Sæt KB_SMTP_TLS=starttls eller tls, eller fjern brugeren."
        )


class _Server(smtplib.SMTP):
    """A mail server that calls ``before_end`` when it has a mail's text and not yet the dot that ends it."""

    before_end: Callable[[], None]

    def send(self, s: ReadableBuffer | str) -> None:
        """Send what a command or a mail's text is, the end of the text apart."""
        if not (isinstance(s, bytes) and s.endswith(END)):
            super().send(s)
            return
        super().send(s[: -len(END)])
        try:
            self.before_end()
        except BaseException:
            self.close()  # without an end there is no mail, and no command can follow
            raise
        super().send(END)


class _EncryptedServer(smtplib.SMTP_SSL, _Server):
    """The same, encrypted from the beginning."""


@contextmanager
def _connection(settings: Settings) -> Iterator[_Server]:
    """A session with the mail server, encrypted and signed in as the settings say."""
    try:
        with _opened(settings) as server:
            if settings.smtp_tls == "starttls":
                server.starttls(context=ssl.create_default_context())
            if settings.smtp_user:
                server.login(settings.smtp_user, _password(settings))
            yield server
    except (OSError, smtplib.SMTPException) as error:  # ssl.SSLError is an OSError
        where = f"{settings.smtp_host}:{settings.smtp_port}"
        raise MailError(f"Mailserveren {where} kunne ikke bruges: {_said(error)}.") from error


def _opened(settings: Settings) -> _Server:
    if settings.smtp_tls == "tls":
        context = ssl.create_default_context()
        return _EncryptedServer(settings.smtp_host, settings.smtp_port, timeout=TIMEOUT_SECONDS, context=context)
    return _Server(settings.smtp_host, settings.smtp_port, timeout=TIMEOUT_SECONDS)


def _password(settings: Settings) -> str:
    path = settings.smtp_password_file
    try:
        return path.read_text(encoding="utf-8").strip() if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"Filen med mailserverens adgangskode kan ikke læses: {error}.", advice="Ret KB_SMTP_PASSWORD_FILE."
        ) from error


def _message(settings: Settings, mail: Mail) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = settings.smtp_sender, mail.to, mail.subject
    message["Date"] = formatdate()
    # Made of the key: a mail system that got the same mail twice after all can tell.
    domain = settings.smtp_sender.rpartition("@")[2].strip("> ")
    message["Message-ID"] = f"<{hashlib.sha256(mail.key.encode()).hexdigest()[:32]}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    if mail.stop_url:
        message["List-Unsubscribe"] = f"<{mail.stop_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058
    message.set_content(mail.text)
    if mail.html:
        message.add_alternative(mail.html, subtype="html")
    return message


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "; ".join(str(text, "utf-8", "replace") for _, text in error.recipients.values())
    if isinstance(error, smtplib.SMTPDataError) and isinstance(error.smtp_error, bytes):
        return str(error.smtp_error, "utf-8", "replace")
    return str(error) or type(error).__name__
