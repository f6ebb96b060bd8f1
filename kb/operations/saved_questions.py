"""Saved questions: what a new build answers that no earlier one did, and the mails that tell of it.

    saved = save(settings, searcher, SavedQuestion(owner="anna", question="Hvad kostede det?"))
    notify(settings, holder.searcher, date.today())     # after a new build: answers each again, mails what is new

News are cited words of an answer that no answer to the question has cited before, wherever they stand; hits are none.
What is found, what goes into which mail and what was handed over are three steps, each stored before the next begins,
so that a crash anywhere neither loses a mail nor sends it twice. A server does it every hour (:func:`keep_notifying`),
``kb question notify`` once.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from email.errors import MessageError
from email.headerregistry import Address
from html import escape
from urllib.parse import quote as quoted
from urllib.parse import urlencode

from kb.answer import answer
from kb.core.access import Access
from kb.core.errors import InputError, KbError, NotFoundError
from kb.core.models import Answer
from kb.core.privacy import mask
from kb.core.public_address import public_address
from kb.core.settings import Settings
from kb.lessons.lesson import digest_of
from kb.operations.lesson_reminders import HOUR
from kb.operations.mail import Mail, MailReport, is_set_up, send
from kb.retrieval.filters import Filters
from kb.retrieval.searcher import Searcher, clean_question
from kb.retrieval.snapshot import Snapshot
from kb.state.keys import KeyState, KeyStore
from kb.state.saved_questions import LONGEST_TITLE, Find, Frequency, SavedQuestion, SavedQuestions

# Places that a mail quotes; the page has the others.
MOST_QUOTED = 10
LONGEST_SUBJECT = 70
LONGEST_ADDRESS = 254
# The searcher on what someone may see of the newest good build.
SearcherOf = Callable[[Access], Searcher]
PAGE, STOP = "/mine-spoergsmaal", "/stop-mail"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NewsItem:
    """A find as it stands in the build in use: the cited words with the report's title and project."""

    find: Find
    document_id: str
    title: str
    project: str
    quote: str


def mails_news(settings: Settings) -> bool:
    """Whether news can be mailed: there is a mail server, and an address that a mail's links can be made of."""
    return is_set_up(settings) and bool(settings.public_url)


def save(settings: Settings, searcher: Searcher, question: SavedQuestion) -> SavedQuestion:
    """Save a question with what its answer cites now; raises :class:`InputError` for what cannot be asked or saved."""
    checked = _checked(settings, question)
    if question.mail:
        check_address(settings, checked.mail)
    finds = cited(answer(searcher, checked.question, checked.filters))
    return SavedQuestions(settings.state).add(checked, searcher.snapshot.build_id, finds)


def change(settings: Settings, before: SavedQuestion, question: SavedQuestion) -> None:
    """Store a question's title, frequency and address; raises :class:`InputError`."""
    checked = _checked(settings, question)
    if checked.mail and checked.mail != before.mail:
        check_address(settings, checked.mail)
    SavedQuestions(settings.state).change(checked)


def _checked(settings: Settings, question: SavedQuestion) -> SavedQuestion:
    """The question as it may be stored: masked, of known filters, with an address where news are mailed."""
    asked = clean_question(question.question, settings.max_question_chars)
    title = mask(" ".join(question.title.split()), contacts=False).text[:LONGEST_TITLE]
    mail = question.mail.strip()
    if not mail and question.frequency is not Frequency.NEVER:
        raise InputError("Der mangler en mailadresse.", advice="Skriv den, eller vælg »aldrig«.")
    return replace(question, question=asked, title=title, filters=Filters.of(question.filters).as_dict(), mail=mail)


def check_address(settings: Settings, address: str) -> None:
    """Raise :class:`InputError` for an address that is none, or outside the domains that users may have mails to."""
    try:
        parsed = Address(addr_spec=address)
        well_formed = parsed.addr_spec == address and address.isascii() and len(address) <= LONGEST_ADDRESS
    except (ValueError, IndexError, MessageError):
        well_formed = False
    if not well_formed:
        raise InputError("Mailadressen er ikke skrevet rigtigt.", advice="Skriv den som navn@kommune.dk.")
    allowed = _domains(settings)
    if parsed.domain.casefold() not in allowed:
        raise InputError(
            f"Der sendes ikke mails til {parsed.domain}.", advice=f"Brug en adresse på {', '.join(allowed) or 'huset'}."
        )


def _domains(settings: Settings) -> list[str]:
    given = settings.mail_domains or settings.smtp_sender.rpartition("@")[2].strip("> ")
    return [part.strip().casefold() for part in given.split(",") if part.strip()]


def cited(answered: Answer) -> list[Find]:
    """The words that an answer cites, each once; none of a refusal, whose citations only come near."""
    if answered.refused:
        return []
    found = {
        digest_of(one.quote): Find(digest_of(one.quote), one.passage_id, one.start, one.end)
        for one in reversed(answered.citations)
    }
    return list(reversed(found.values()))


def notify(settings: Settings, searcher_of: SearcherOf, today: date) -> MailReport:
    """Answer what was not answered from the newest build, and mail what is new; raises what ``send`` raises.

    Each question is answered from what its owner may see.
    """
    saved = SavedQuestions(settings.state)
    look_again(saved, searcher_of)
    if not mails_news(settings):
        return MailReport()
    return send(settings, _mails(settings, saved, searcher_of, today))


def look_again(saved: SavedQuestions, searcher_of: SearcherOf) -> int:
    """Answer the questions that were not answered from this build; returns how many words were never cited before."""
    found = 0
    for question in saved.all():
        searcher = searcher_of(question.access)
        build_id = searcher.snapshot.build_id
        if question.checked_build == build_id:
            continue
        try:
            answered = answer(searcher, question.question, question.filters)
        except InputError as error:
            # A filter may go, and the longest question become shorter: the page still shows it.
            log.warning("Et gemt spørgsmål kan ikke besvares mere: %s", error)
            continue
        found += saved.note_answer(question.id, build_id, cited(answered))
    return found


def _mails(settings: Settings, saved: SavedQuestions, searcher_of: SearcherOf, today: date) -> Iterator[Mail]:
    withdrawn = _withdrawn_keys(settings)
    for question in saved.all():
        if question.owner in withdrawn:
            continue
        saved.batch(question.id, today)
        if not question.is_mailed:
            continue
        for key, finds in saved.open_batches(question.id).items():
            if items := news_items(searcher_of(question.access).snapshot, finds):
                yield _mail(settings, question, key, items)


def _withdrawn_keys(settings: Settings) -> frozenset[str]:
    """The keys that work no more: who signed in with one gets no mails either."""
    now = datetime.now(UTC)
    return frozenset(key.id for key in KeyStore(settings.state).list() if key.state(now) is not KeyState.ACTIVE)


def news_items(snapshot: Snapshot, finds: Sequence[Find]) -> list[NewsItem]:
    """The finds that still stand where they stood; what was deleted or has changed is left out."""
    return [item for find in finds if (item := _item(snapshot, find)) is not None]


def _item(snapshot: Snapshot, find: Find) -> NewsItem | None:
    try:
        passage = snapshot.passage(find.passage_id)
    except NotFoundError:
        return None
    words = passage.text[max(find.start - passage.start, 0) : max(find.end - passage.start, 0)]
    if digest_of(words) != find.digest:
        return None
    metadata = snapshot.record(passage.document_id).record.metadata
    return NewsItem(find, passage.document_id, metadata.titel, metadata.projekt, " ".join(words.split()))


def _mail(settings: Settings, question: SavedQuestion, key: str, items: Sequence[NewsItem]) -> Mail:
    address = public_address(settings)
    assert address is not None  # mails_news
    name = question.title or question.question
    subject = f"Nyt svar: {name}"
    answer_url = address.of(f"/sporg?{urlencode({'q': question.question, **question.filters}, doseq=True)}")
    links = [(one, address.of(_place(one))) for one in items[:MOST_QUOTED]]
    told = _Told(name, links, len(items) - len(links), answer_url, address.of(PAGE), stop_url(settings, question))
    return Mail(
        key=key,
        to=question.mail,
        subject=subject if len(subject) <= LONGEST_SUBJECT else f"{subject[: LONGEST_SUBJECT - 1]}…",
        text=_as_text(told),
        html=_as_html(told),
        stop_url=told.stop,
    )


def stop_url(settings: Settings, question: SavedQuestion) -> str:
    """The address that stops a question's mails without signing in."""
    address = public_address(settings)
    path = f"{STOP}/{question.stop_token}"
    return address.of(path) if address else path


def _place(item: NewsItem) -> str:
    document, passage = quoted(item.document_id, safe=""), quoted(item.find.passage_id, safe="")
    return f"/dokumenter/{document}?passage={passage}&sted={item.find.start}-{item.find.end}#{passage}"


@dataclass(frozen=True, slots=True)
class _Told:
    """What a mail says: the question, its places with their addresses, how many more, and where to go on."""

    name: str
    links: Sequence[tuple[NewsItem, str]]
    more: int
    answer: str
    page: str
    stop: str

    @property
    def lead(self) -> str:
        count = len(self.links) + self.more
        return f"Der er {count} {'nyt sted' if count == 1 else 'nye steder'} i rapporterne, der svarer på spørgsmålet:"

    @property
    def rest(self) -> str:
        return f"Og {self.more} mere. " if self.more else ""


def _source(item: NewsItem) -> str:
    return item.title if item.project in {"", item.title} else f"{item.title} ({item.project})"


def _as_text(told: _Told) -> str:
    places = [f"»{item.quote}«\n{_source(item)}\n{url}\n" for item, url in told.links]
    return "\n".join(
        [
            told.lead, told.name, "", *places, f"{told.rest}Se hele svaret: {told.answer}", "",
            f"Dine gemte spørgsmål: {told.page}", f"Stop mails om dette spørgsmål: {told.stop}", "",
        ]
    )  # fmt: skip


def _as_html(told: _Told) -> str:
    places = "".join(
        f'<li style="margin:0 0 1em">»{escape(item.quote)}«<br><a href="{escape(url)}">{escape(_source(item))}</a></li>'
        for item, url in told.links
    )
    return (
        '<!doctype html><html lang="da"><meta charset="utf-8"><body style="font-family:sans-serif">'
        f"<p>{escape(told.lead)}</p><p><strong>{escape(told.name)}</strong></p><ul>{places}</ul>"
        f'<p>{told.rest}<a href="{escape(told.answer)}">Se hele svaret</a></p>'
        f'<p><a href="{escape(told.page)}">Dine gemte spørgsmål</a> · '
        f'<a href="{escape(told.stop)}">Stop mails om dette spørgsmål</a></p></body></html>'
    )


def keep_notifying(
    settings: Settings, searcher_of: SearcherOf, *, stop: threading.Event, every: float = HOUR
) -> threading.Thread:
    """Look again and mail in the background until ``stop`` is set; without a mail server the page alone tells."""

    def work() -> None:
        while not stop.wait(every):
            _try(settings, searcher_of)

    thread = threading.Thread(target=work, name="saved-questions", daemon=True)
    thread.start()
    return thread


def _try(settings: Settings, searcher_of: SearcherOf) -> None:
    try:
        report = notify(settings, searcher_of, date.today())
    except (KbError, sqlite3.Error) as error:
        log.warning("Gemte spørgsmål kunne ikke ses efter: %s", error)
        return
    for key, said in (report.refused or {}).items():
        log.warning("Mailen »%s« blev afvist: %s", key, said)
