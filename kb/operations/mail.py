"""Mail to the people of the house, over the SMTP server of the settings; nothing is sent where none is set up.

    report = send(settings, [Mail(key="eftersyn abc 2027-01-31", to="digital@kommune.dk", subject=..., text=...)])

A mail's key names its occasion, and each is sent once (:mod:`kb.state.sent_mail`). A recipient the server refuses stops
no other; a server that cannot be reached raises :class:`MailError`, and what was not sent is sent the next time.
"""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate

from kb.core.errors import MailError, SettingsError
from kb.core.identity import is_loopback
from kb.core.settings import Settings
from kb.state.sent_mail import SentMail

TIMEOUT_SECONDS = 30
_SENDER_ADVICE = "Sæt KB_SMTP_SENDER til en adresse, fx erfaringer@kommune.dk."


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to one address; ``key`` names its occasion, and no two occasions share one."""

    key: str
    to: str
    subject: str
    text: str


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
    log = SentMail(settings.state_dir)
    sent: list[str] = []
    already: list[str] = []
    refused: dict[str, str] = {}
    with _connection(settings) as server:
        for mail in wanted:
            try:
                with log.claimed(mail.key, mail.to) as ours:
                    if ours:
                        server.send_message(_message(settings, mail))
                (sent if ours else already).append(mail.key)
            except smtplib.SMTPRecipientsRefused as error:
                refused[mail.key] = _said(error)
    return MailReport(tuple(sent), tuple(already), refused)


def _check(settings: Settings) -> None:
    if not settings.smtp_host:
        raise SettingsError("Der er ikke sat en mailserver op.", advice="Sæt KB_SMTP_HOST og KB_SMTP_SENDER.")
    if "@" not in settings.smtp_sender:
        raise SettingsError("Adressen, der sendes fra, mangler.", advice=_SENDER_ADVICE)
    if settings.smtp_user and settings.smtp_tls == "none" and not is_loopback(settings.smtp_host):
        raise SettingsError(
            "En adgangskode sendes ikke ukrypteret.", advice="Sæt KB_SMTP_TLS=starttls eller tls, eller fjern brugeren."
        )


@contextmanager
def _connection(settings: Settings) -> Iterator[smtplib.SMTP]:
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


def _opened(settings: Settings) -> smtplib.SMTP:
    if settings.smtp_tls == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(settings.smtp_host, settings.smtp_port, timeout=TIMEOUT_SECONDS, context=context)
    return smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=TIMEOUT_SECONDS)


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
    message.set_content(mail.text)
    return message


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "; ".join(str(text, "utf-8", "replace") for _, text in error.recipients.values())
    return str(error) or type(error).__name__
