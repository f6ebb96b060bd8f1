"""Reminders of lessons that are due for review, mailed to the owner of each: one mail a lesson and review date.

    remind(settings, date.today())

A server that has mail set up does it by itself every hour (:func:`keep_reminding`); ``kb lesson remind`` does it once.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from datetime import date

from kb.core.errors import KbError
from kb.core.settings import Settings
from kb.lessons import reviewing
from kb.lessons.lesson import Lesson
from kb.operations.mail import Mail, MailReport, is_set_up, send
from kb.state.lessons import LessonStore

HOUR = 3600.0
LONGEST_SUBJECT = 70
log = logging.getLogger(__name__)


def remind(settings: Settings, today: date) -> MailReport:
    """Mail the owners of the lessons that are due and not reminded of before; raises what ``send`` raises."""
    due = reviewing.due(LessonStore(settings.state).all(), today)
    return send(settings, [_mail(settings, lesson) for lesson in due])


def keep_reminding(settings: Settings, *, stop: threading.Event, every: float = HOUR) -> threading.Thread | None:
    """Remind in the background until ``stop`` is set; None where no mail is set up."""
    if not is_set_up(settings):
        return None

    def work() -> None:
        while not stop.is_set():
            _try(settings)
            stop.wait(every)

    thread = threading.Thread(target=work, name="lesson-reminders", daemon=True)
    thread.start()
    return thread


def _try(settings: Settings) -> None:
    try:
        report = remind(settings, date.today())
    except (KbError, sqlite3.Error) as error:
        log.warning("Påmindelser om erfaringer kunne ikke sendes: %s", error)
        return
    for key, said in (report.refused or {}).items():
        log.warning("Påmindelsen »%s« blev afvist: %s", key, said)


def _mail(settings: Settings, lesson: Lesson) -> Mail:
    first = " ".join(lesson.lesson.split())
    title = first if len(first) <= LONGEST_SUBJECT else f"{first[: LONGEST_SUBJECT - 1]}…"
    address = f"{settings.public_url.rstrip('/')}/erfaringer/{lesson.id}"
    return Mail(
        key=f"eftersyn {lesson.id} {lesson.review_by}",
        to=lesson.owner,
        subject=f"Gælder erfaringen stadig? {title}",
        text=(
            "Denne erfaring i Erfaringsbasen skal ses efter. Den står med jeres navn, indtil I siger andet.\n\n"
            f"{lesson.lesson}\n\n"
            f"Den skulle ses efter senest {lesson.review_by}.\n"
            f"Bekræft den igen med en ny dato, ret den, eller markér den som forældet: {address}\n"
        ),
    )
