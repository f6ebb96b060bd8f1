"""Mail over a real SMTP server on this machine: each is sent once, whatever fails or crashes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from kb.core.errors import MailError, SettingsError
from kb.core.settings import Settings
from kb.lessons.lesson import Evidence, Lesson, LessonStatus
from kb.operations.lesson_reminders import keep_reminding, remind
from kb.operations.mail import Mail, send
from kb.state.lessons import LessonStore
from kb.state.sent_mail import SentMail
from tests.support import make_settings

MAIL = Mail("lejlighed 1", "digital@kommune.dk", "Gælder den stadig?", "Se på den.\nÆØÅ")
TODAY = date(2027, 2, 1)


class Post:
    """What a mail server does with mails: keeps them, and knows nobody called ukendt@."""

    def __init__(self) -> None:
        self.got: list[Message] = []

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("ukendt@"):
            return "550 Ukendt modtager"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        self.got.append(message_from_bytes(envelope.content))
        return "250 OK"


@pytest.fixture
def post() -> Iterator[tuple[Post, int]]:
    """A mail server and its port."""
    handler = Post()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    controller = Controller(handler, hostname="127.0.0.1", port=port, ready_timeout=30)
    controller.start()
    try:
        yield handler, port
    finally:
        controller.stop()


@pytest.fixture
def settings(tmp_path: Path, post: tuple[Post, int]) -> Settings:
    return make_settings(
        tmp_path, smtp_host="127.0.0.1", smtp_port=post[1], smtp_tls="none", smtp_sender="base@kommune.dk",
        public_url="https://erfaringer.kommune.dk",
    )  # fmt: skip


def test_a_mail_is_sent_once(post: tuple[Post, int], settings: Settings) -> None:
    assert send(settings, [MAIL]).sent == (MAIL.key,)
    assert send(settings, [MAIL]).already == (MAIL.key,)
    (got,) = post[0].got
    assert (got["To"], got["From"]) == (MAIL.to, "base@kommune.dk")
    assert str(make_header(decode_header(got["Subject"]))) == MAIL.subject
    assert got.get_payload(decode=True).decode().split() == MAIL.text.split()  # type: ignore[union-attr]
    assert got["Message-ID"].endswith("@kommune.dk>")


def test_one_that_is_refused_stops_no_other_and_is_tried_again(post: tuple[Post, int], settings: Settings) -> None:
    unknown = replace(MAIL, key="lejlighed 2", to="ukendt@kommune.dk")
    for already in ((), (MAIL.key,)):
        report = send(settings, [unknown, MAIL])
        assert report.refused == {unknown.key: "Ukendt modtager"}
        assert report.already == already
    assert len(post[0].got) == 1


def _die_with_a_claim(log: SentMail) -> None:
    with log.claimed(MAIL.key, MAIL.to) as ours:
        assert ours
        raise KeyboardInterrupt


def test_a_crash_while_sending_leaves_word_and_no_second_mail(post: tuple[Post, int], settings: Settings) -> None:
    with pytest.raises(KeyboardInterrupt):
        _die_with_a_claim(SentMail(settings.state_dir))
    assert [key for key, *_ in SentMail(settings.state_dir).unsure()] == [MAIL.key]
    assert send(settings, [MAIL]).already == (MAIL.key,)
    assert post[0].got == []


def test_a_server_that_is_away_is_told_and_the_mail_sent_the_next_time(
    post: tuple[Post, int], settings: Settings
) -> None:
    away = settings.model_copy(update={"smtp_port": 1})
    with pytest.raises(MailError, match=r"127\.0\.0\.1:1 kunne ikke bruges"):
        send(away, [MAIL])
    assert send(settings, [MAIL]).sent == (MAIL.key,)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"smtp_host": ""}, "ikke sat en mailserver op"),
        ({"smtp_sender": ""}, "sendes fra, mangler"),
        ({"smtp_host": "post.kommune.dk", "smtp_user": "base"}, "ikke ukrypteret"),
        ({"smtp_user": "base", "smtp_password_file": Path("findes-ikke")}, "adgangskode kan ikke læses"),
    ],
)
def test_settings_that_do_not_suffice_are_told(settings: Settings, change: dict[str, object], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        send(settings.model_copy(update=change), [MAIL])


def test_a_server_without_encryption_gets_no_mail_where_it_is_asked_for(
    post: tuple[Post, int], settings: Settings
) -> None:
    with pytest.raises(MailError, match="kunne ikke bruges"):
        send(settings.model_copy(update={"smtp_tls": "starttls"}), [MAIL])
    assert post[0].got == []


def test_the_owner_of_a_lesson_is_reminded_once_a_review_date(post: tuple[Post, int], settings: Settings) -> None:
    store = LessonStore(settings.state_dir)
    lesson = Lesson(
        lesson="Begynd med hjemlen.",
        evidence=(Evidence.of("air", "Hjemlen manglede."),),
        owner="digital@kommune.dk",
        review_by="2027-01-31",
        status=LessonStatus.CONFIRMED,
    )
    added = store.add(lesson)
    store.add(replace(lesson, review_by="2027-03-01"))
    assert remind(settings, date(2027, 1, 30)).sent == ()
    for _ in range(2):
        remind(settings, TODAY)
    (got,) = post[0].got
    text = got.get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert f"https://erfaringer.kommune.dk/erfaringer/{added.id}" in text
    store.replace(added.id, replace(lesson, review_by="2027-02-01"), revision=1)
    assert len(remind(settings, TODAY).sent) == 1


def test_nothing_is_begun_where_no_mail_is_set_up(tmp_path: Path) -> None:
    assert keep_reminding(make_settings(tmp_path), stop=threading.Event()) is None
