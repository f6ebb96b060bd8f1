"""Lessons against real builds: they survive what happens to index, reports and state, and stand where they belong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kb import indexing
from kb.answer import answer, lessons
from kb.answer.lessons import Stand, belonging, proposals_of
from kb.core.models import Answer, Citation, Passage
from kb.core.settings import Settings
from kb.lessons.anchoring import AnchorState
from kb.lessons.lesson import Evidence, Lesson, LessonStatus
from kb.operations.backup import backup, restore
from kb.retrieval.searcher import Searcher, open_searcher
from kb.state.lessons import LessonStore
from kb.state.removals import Removals
from tests.support import HashEmbedder, make_settings, report_text, write_corpus

QUESTION = "Hvad var erfaringen med journalnotater?"
REPORT = report_text("journalnotater", project="ASTA")
FILES = {"asta.md": REPORT, "faldrisiko.md": report_text("faldrisiko", project="Falddetektion")}
CHALLENGE = "Det var svært at samle journalnotater fra de tre kommuner, fordi hver af dem skrev dem på sin måde."
HANDLING = "Kommunerne håndterede det ved at aftale én måde at skrive journalnotater på, som alle tre kunne bruge."
FILES["asta.md"] += f"\n## Udfordringer\n\n{CHALLENGE}\n\n## Håndtering\n\n{HANDLING}\n"


@pytest.fixture
def base(tmp_path: Path) -> Settings:
    made = make_settings(tmp_path, reading=False)
    write_corpus(made.corpus, FILES)
    indexing.run(made, HashEmbedder())
    return made


@pytest.fixture
def searcher(base: Settings) -> Searcher:
    return open_searcher(base, HashEmbedder())


def indexed(base: Settings, *, full: bool = False) -> Searcher:
    indexing.run(base, HashEmbedder(), full=full)
    return open_searcher(base, HashEmbedder())


def passage_with(searcher: Searcher, words: str) -> Passage:
    return next(one for one in searcher.snapshot.passages_of("asta") if words in one.text)


def lesson_on(passage: Passage, **values: object) -> Lesson:
    given: dict[str, object] = {
        "lesson": "Aftal én måde at skrive på.",
        "evidence": (Evidence.of(passage.document_id, passage.text),),
        "owner": "digital@kommune.dk",
        "review_by": "2999-01-01",
        "status": LessonStatus.CONFIRMED,
        **values,
    }
    return Lesson(**given)  # type: ignore[arg-type]


def state_in(searcher: Searcher, lesson: Lesson) -> AnchorState:
    (anchor,) = Stand.of(searcher.snapshot, lesson).anchors
    return anchor.state


@pytest.mark.slow
def test_a_lesson_survives_reindexing_a_backup_and_what_becomes_of_its_report(
    base: Settings, searcher: Searcher, tmp_path: Path
) -> None:
    store = LessonStore(base.state_dir)
    lesson = store.add(lesson_on(passage_with(searcher, CHALLENGE)))
    assert state_in(searcher, lesson) is AnchorState.INTACT

    assert state_in(indexed(base, full=True), lesson) is AnchorState.INTACT
    backup(base, tmp_path / "kopi.tar.gz")

    path = base.corpus / "asta.md"
    path.write_text(FILES["asta.md"].replace("## Formål\n", "## Formål\n\nEt nyt afsnit, der flytter alt andet.\n"))
    shifted = indexed(base)
    assert state_in(shifted, lesson) is AnchorState.INTACT
    assert passage_with(shifted, CHALLENGE).start > passage_with(searcher, CHALLENGE).start

    path.write_text(FILES["asta.md"].replace("på sin måde", "på hver sin måde"))
    changed = Stand.of(indexed(base).snapshot, lesson)
    assert changed.anchors[0].state is AnchorState.CHANGED
    assert changed.is_shaken
    assert not changed.is_supported

    path.write_text(FILES["asta.md"])
    path.rename(base.corpus / "journaler.md")
    assert state_in(indexed(base), lesson) is AnchorState.MOVED

    (base.corpus / "journaler.md").unlink()
    gone = indexed(base)
    assert state_in(gone, lesson) is AnchorState.GONE
    assert store.all() == [lesson]

    store.delete(lesson.id)
    restore(base, tmp_path / "kopi.tar.gz", force=True)
    assert store.all() == [lesson]
    assert state_in(open_searcher(base, HashEmbedder()), lesson) is AnchorState.INTACT


@pytest.mark.slow
def test_a_report_deleted_a_moment_ago_supports_nothing(base: Settings, searcher: Searcher) -> None:
    lesson = lesson_on(passage_with(searcher, CHALLENGE))
    Removals(base.state_dir).mark("asta")
    hidden = searcher.without(frozenset({"asta"}))
    assert state_in(hidden, lesson) is AnchorState.GONE
    assert state_in(searcher, lesson) is AnchorState.INTACT


@pytest.fixture
def answered(searcher: Searcher, monkeypatch: pytest.MonkeyPatch) -> Answer:
    """An answer that cites the challenge; which sentences answer is not what is tested here."""
    found = answer(searcher, QUESTION)
    passage = passage_with(searcher, CHALLENGE)
    end = passage.start + 10
    citation = Citation(1, "asta", passage.id, passage.start, end, passage.text[:10], "Rapport om journalnotater")
    monkeypatch.setattr(lessons, "LIKENESS", 0.95)
    return replace(found, citations=(citation,), refusal=None)


@pytest.mark.slow
def test_what_rests_on_cited_words_or_is_near_the_question_stands_above_the_answer(
    searcher: Searcher, answered: Answer
) -> None:
    cited = lesson_on(passage_with(searcher, CHALLENGE), id="citeret")
    other = passage_with(searcher, HANDLING)
    near = lesson_on(other, id="nær", lesson=QUESTION)
    far = lesson_on(other, id="fjern")
    outdated = replace(cited, id="forældet", status=LessonStatus.OUTDATED)
    draft = replace(cited, id="kladde", status=LessonStatus.DRAFT)
    lost = replace(near, id="uden belæg", evidence=(Evidence.of("asta", "Det står der slet ikke noget om."),))
    found = belonging(searcher, answered, [far, near, lost, outdated, draft, cited])
    assert [one.lesson.id for one in found] == ["citeret", "nær"]


@pytest.mark.slow
def test_the_reports_propose_a_challenge_with_its_handling(searcher: Searcher) -> None:
    (proposal,) = [one for one in proposals_of(searcher.snapshot) if CHALLENGE in one.challenge.text]
    assert HANDLING in proposal.handling.text
    draft = proposal.as_lesson()
    assert {state.state for state in Stand.of(searcher.snapshot, draft).anchors} == {AnchorState.INTACT}
