"""Saved questions after a new build: what is news, the mail that tells of it, and that it is sent exactly once."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from email.message import Message
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from kb import indexing
from kb.answer import answer
from kb.core.access import Access
from kb.core.errors import IndexMissingError, InputError
from kb.core.identity import AccessRole
from kb.core.settings import Settings
from kb.lessons.lesson import digest_of
from kb.operations.saved_questions import change, check_address, cited, keep_notifying, news_items, notify, save
from kb.retrieval.searcher import Searcher, open_searcher
from kb.state.keys import KeyStore
from kb.state.saved_questions import Find, Frequency, SavedQuestion, SavedQuestions
from kb.state.sent_mail import SentMail
from tests.killing import Runs
from tests.post import Post, receiving
from tests.sending import TODAY, mailing_settings
from tests.support import HashEmbedder, make_settings, report_text, write_corpus
from tests.timing import PATIENCE

QUESTION = "Hvad er erfaringen med faldrisiko?"
DAILY = SavedQuestion("anna", QUESTION, frequency=Frequency.DAILY, mail="anna@kommune.dk")


@pytest.fixture
def settings(tmp_path: Path, post: tuple[Post, int]) -> Settings:
    made = mailing_settings(tmp_path, post[1])
    write_corpus(made.corpus)
    indexing.run(made, HashEmbedder())
    return made


def searcher(settings: Settings) -> Searcher:
    return open_searcher(settings, HashEmbedder())


def add_report(settings: Settings, subject: str) -> Searcher:
    """Index one more report; the searcher of the new build."""
    write_corpus(settings.corpus, {f"{subject}.md": report_text(subject, project=subject.capitalize())})
    indexing.run(settings, HashEmbedder())
    return searcher(settings)


def bodies(message: Message) -> dict[str, str]:
    """The texts of a mail by type."""
    parts = [part for part in message.walk() if not part.is_multipart()]
    return {part.get_content_type(): part.get_payload(decode=True).decode() for part in parts}  # type: ignore[union-attr]


@pytest.mark.slow
def test_a_new_build_is_told_of_where_it_answers_and_not_otherwise(post: tuple[Post, int], settings: Settings) -> None:
    saved = SavedQuestions(settings.state_dir)
    question = save(settings, searcher(settings), DAILY)
    known = {one.digest for one in cited(answer(searcher(settings), DAILY.question))}
    assert known
    held = add_report(settings, "vejsalt")
    assert notify(settings, lambda _access: held, TODAY).sent == ()  # a new build, and no new answer
    write_corpus(
        settings.corpus,
        {"nyt.md": report_text("faldrisiko", project="Sensor & <gulv>").replace("krævede mere tid", "gav færre fald")},
    )
    indexing.run(settings, HashEmbedder())
    for _ in range(2):
        notify(settings, lambda _access: searcher(settings), TODAY)
    (got,) = post[0].got
    (found, *_) = saved.news(question)
    told = bodies(got)
    assert got["To"] == "anna@kommune.dk"
    assert "gav færre fald" in told["text/plain"]
    assert known.isdisjoint(one.digest for one in saved.news(question))
    assert "Sensor &amp; &lt;gulv&gt;" in told["text/html"]
    stop = f"https://erfaringer.kommune.dk/stop-mail/{question.stop_token}"
    assert stop in told["text/plain"]
    assert f'href="{stop}"' in told["text/html"]
    assert found.passage_id in told["text/plain"]
    # What leaves the reports is told of nowhere.
    (settings.corpus / "nyt.md").unlink()
    indexing.run(settings, HashEmbedder())
    left = news_items(searcher(settings).snapshot, saved.news(question))
    assert all("gav færre fald" not in one.quote for one in left)
    assert notify(settings, lambda _access: searcher(settings), TODAY + timedelta(days=1)).sent == ()


@pytest.mark.slow
def test_who_signed_in_with_a_key_gets_no_mails_when_it_is_withdrawn(
    post: tuple[Post, int], tmp_path: Path, read_once: Settings
) -> None:
    settings = mailing_settings(tmp_path, post[1]).model_copy(update={"index_dir": read_once.index_dir})
    held = searcher(settings)
    passage = held.snapshot.passage("faldrisiko.1")
    saved, keys = SavedQuestions(settings.state_dir), KeyStore(settings.state_dir)
    for name in ("gammel", "ny"):
        key, _ = keys.create(name, AccessRole.READER)
        question = saved.add(replace(DAILY, owner=key.id, mail=f"{name}@kommune.dk"), held.snapshot.build_id, [])
        find = Find(digest_of(passage.text), passage.id, passage.start, passage.end)
        saved.note_answer(question.id, held.snapshot.build_id, [find])
    keys.revoke("gammel")
    notify(settings, lambda _access: held, TODAY)
    assert [got["To"] for got in post[0].got] == ["ny@kommune.dk"]


@pytest.mark.slow
def test_a_refusal_cites_nothing_and_an_answer_each_word_once(indexed: Settings) -> None:
    held = searcher(indexed)
    refused = answer(held, "Hvad er vejret i Timbuktu?")
    assert refused.refused
    assert cited(refused) == []
    answered = answer(held, QUESTION)
    doubled = replace(answered, citations=(*answered.citations, *answered.citations))
    assert cited(doubled) == cited(answered) != []


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("anna", "ikke skrevet rigtigt"),
        ("anna@kommune.dk\nBcc: alle@kommune.dk", "ikke skrevet rigtigt"),
        ("Anna <anna@kommune.dk>", "ikke skrevet rigtigt"),
        ("ånna@kommune.dk", "ikke skrevet rigtigt"),
        ("anna@kommune.dk.ond.example", "sendes ikke mails til kommune.dk.ond.example"),
    ],
)
def test_mails_go_to_addresses_of_the_house_alone(tmp_path: Path, address: str, said: str) -> None:
    settings = mailing_settings(tmp_path, 25)
    with pytest.raises(InputError, match=said):
        check_address(settings, address)
    check_address(settings, "anna@Kommune.dk")
    check_address(settings.model_copy(update={"mail_domains": "region.dk, by.dk"}), "anna@by.dk")


def test_what_is_changed_is_masked_and_needs_an_address_for_mails(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    saved = SavedQuestions(settings.state_dir)
    question = saved.add(replace(DAILY, mail="", frequency=Frequency.NEVER), "et", [])
    change(settings, question, replace(question, title="Om 010203-1234"))
    assert saved.get(question.id, "anna").title == "Om [CPR-nummer skjult]"
    with pytest.raises(InputError, match="mangler en mailadresse"):
        change(settings, question, replace(question, frequency=Frequency.DAILY))


def test_a_server_looks_again_and_again_until_it_stops(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    stop, asked = threading.Event(), threading.Semaphore(0)

    def without_an_index(_access: Access) -> Searcher:
        asked.release()
        raise IndexMissingError("Der er intet indeks.")

    settings = make_settings(tmp_path)
    SavedQuestions(settings.state_dir).add(DAILY, "et", [])
    thread = keep_notifying(settings, without_an_index, stop=stop, every=0.001)
    assert asked.acquire(timeout=PATIENCE)
    assert asked.acquire(timeout=PATIENCE)
    stop.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert "Der er intet indeks" in caplog.text


class Killer(Post):
    """A mail server that kills who sends to it when it comes to a stage of its n-th mail."""

    def __init__(self) -> None:
        super().__init__()
        self.stage, self.mail, self.mails = "", 1, 0
        self.victim = 0
        self.known, self.dead = threading.Event(), threading.Event()

    def expect(self, stage: str, mail: int) -> None:
        self.stage, self.mail, self.mails = stage, mail, 0
        self.known.clear()
        self.dead.clear()

    def _come_to(self, stage: str) -> None:
        if self.stage == "before" and stage == "EHLO":
            self.dead.wait(PATIENCE)  # whoever comes this far waits until it is killed
        elif (stage, self.mails) == (self.stage, self.mail if stage != "EHLO" else 0):
            self.known.wait(PATIENCE)
            os.kill(self.victim, signal.SIGKILL)

    async def handle_EHLO(
        self, _server: SMTP, session: Session, _envelope: Envelope, name: str, responses: list[str]
    ) -> list[str]:
        session.host_name = name
        self._come_to("EHLO")
        return responses

    async def handle_MAIL(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self.mails += 1
        self._come_to("MAIL")
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self._come_to("RCPT")
        return await super().handle_RCPT(server, session, envelope, address, options)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        said = await super().handle_DATA(server, session, envelope)
        self._come_to("DATA")
        return said


@pytest.mark.slow
def test_a_process_that_is_killed_again_and_again_sends_each_mail_exactly_once(
    tmp_path: Path, read_once: Settings
) -> None:
    server = Killer()
    moments = [(stage, mail) for mail in (1, 2) for stage in ("EHLO", "MAIL", "RCPT", "DATA")] * 2
    with receiving(server) as port:
        settings = mailing_settings(tmp_path, port).model_copy(update={"index_dir": read_once.index_dir})
        snapshot = searcher(settings).snapshot
        passage = snapshot.passage("faldrisiko.1")
        saved = SavedQuestions(settings.state_dir)
        people = [f"person{number}@kommune.dk" for number in range(20)]
        for person in people:
            question = saved.add(replace(DAILY, owner=person, mail=person), snapshot.build_id, [])
            find = Find(digest_of(passage.text), passage.id, passage.start, passage.end)
            saved.note_answer(question.id, snapshot.build_id, [find])
        runs = Runs("tests.sending", str(tmp_path), str(settings.index_dir), str(port))
        try:
            for stage, mail in moments:
                server.expect(stage, mail)
                server.victim = runs.begin()
                server.known.set()
                assert os.WIFSIGNALED(runs.end()), (stage, mail)
            for seconds in (0.0, 0.05, 0.1, 0.2):
                server.expect("before", 1)
                victim = runs.begin()
                time.sleep(seconds)
                os.kill(victim, signal.SIGKILL)
                server.dead.set()
                assert os.WIFSIGNALED(runs.end())
            server.expect("", 0)
            runs.begin()
            assert runs.end() == 0
        finally:
            runs.close()
    assert Counter(str(got["To"]) for got in server.got) == Counter(people)
    # Those that the server had and could not answer are told of, and no other.
    assert len(SentMail(settings.state_dir).unsure()) == sum(stage == "DATA" for stage, _ in moments)
    assert all(saved.open_batches(one.id) == {} for one in saved.all())
