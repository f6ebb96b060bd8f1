"""Mail over a real SMTP server on this machine: each is sent once, whatever fails or crashes."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date
from email.header import decode_header, make_header
from pathlib import Path
from unittest.mock import patch

import pytest

from kb.core.errors import MailError, SettingsError, StorageError
from kb.core.settings import Settings
from kb.lessons.lesson import Evidence, Lesson, LessonStatus
from kb.operations.lesson_reminders import keep_reminding, remind
from kb.operations.mail import Mail, send
from kb.state.lessons import LessonStore
from kb.state.sent_mail import SentMail
from tests.post import Post
from tests.support import make_settings

MAIL = Mail("lejlighed 1", "digital@kommune.dk", "Gælder den stadig?", "Se på den.\nÆØÅ")
TODAY = date(2027, 2, 1)


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


def test_a_connection_lost_after_a_mail_was_handed_over_leaves_word_and_no_second_mail(
    post: tuple[Post, int], settings: Settings
) -> None:
    post[0].falls_silent = True
    with pytest.raises(MailError):
        send(settings, [MAIL])
    post[0].falls_silent = False
    assert [key for key, *_ in SentMail(settings.state_dir).unsure()] == [MAIL.key]
    assert send(settings, [MAIL]).already == (MAIL.key,)
    assert len(post[0].got) == 1


def test_a_mail_is_noted_as_handed_over_before_its_end_goes_out(post: tuple[Post, int], settings: Settings) -> None:
    with patch.object(SentMail, "begin", side_effect=StorageError("Disken er fuld.")), pytest.raises(StorageError):
        send(settings, [MAIL])
    assert post[0].got == []
    assert send(settings, [MAIL]).sent == (MAIL.key,)


def test_a_mail_whose_text_is_not_taken_stops_no_other_and_is_tried_again(
    post: tuple[Post, int], settings: Settings
) -> None:
    unwanted = replace(MAIL, key="lejlighed 3", text="uønsket")
    for already in ((), (MAIL.key,)):
        report = send(settings, [unwanted, MAIL])
        assert (report.refused, report.already) == ({unwanted.key: "Ikke taget imod"}, already)


def test_a_mail_may_be_html_too_and_say_where_it_is_stopped(post: tuple[Post, int], settings: Settings) -> None:
    send(settings, [replace(MAIL, html="<p>Se på den.</p>", stop_url="https://erfaringer.kommune.dk/stop-mail/x")])
    (got,) = post[0].got
    assert [part.get_content_type() for part in got.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert got["List-Unsubscribe"] == "<https://erfaringer.kommune.dk/stop-mail/x>"
    assert got["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


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
