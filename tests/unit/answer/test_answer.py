"""Answers on a small corpus with a small embedder: what holds whatever the weights are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from kb import indexing
from kb.answer import answer
from kb.answer.classifiers import models
from kb.answer.features import gather
from kb.answer.intent import is_own_case
from kb.answer.refusal import of_another, refuse, whom_to_ask
from kb.answer.selection import judge_sentences
from kb.core.errors import FilterError, IndexDamagedError, QuestionError
from kb.core.models import Answer, Certainty, Document, Metadata, QuestionKind, RefusalReason, Role
from kb.core.settings import Settings
from kb.evaluation.answer_scores import wrong_quotes
from kb.retrieval.searcher import Searcher, open_searcher
from tests.support import HashEmbedder, make_settings, write_corpus

MAIL = """---
id: mail
titel: Mailsortering i Norddjurs
projekt: Mailsortering
myndighed: Norddjurs Kommune
type: kommunal
område: administration
år: 2020
temaer: [jura]
---
# Mailsortering i Norddjurs

*Skrevet til Erfaringsbasen. Kommunen har ikke skrevet teksten om mailsortering.*

## Udfordringer

Det juridiske grundlag for mailsorteringen skulle afklares.

## Håndtering

Norddjurs gjorde den juridiske afklaring af mailsorteringen til en del af projektet.

## Resultater

Mailsorteringen har reduceret tiden til at fordele mails med 66 procent.

## Vores læsning

Vi læser mailsorteringen sådan, at jura skal med fra begyndelsen af projektet.

## Kilder

- KL: Mailsorteringen reducerede tiden til at fordele mails med 66 procent, februar 2023
"""
TRAINING = """---
id: training
titel: Træning i Aalborg
projekt: Træning
myndighed: Aalborg Kommune
type: kommunal
område: sundhed
år: 2021
---
# Træning i Aalborg

## Formål

Aalborg ville finde ældre borgere, som har gavn af fysisk træning.

## Resultater

Efter træningen fik en ældre borger 103 timer mindre hjemmepleje om året.
"""
NEWS = """---
id: news
titel: Nyhed om projekterne
omfang: flere projekter
myndighed: KL
---
# Nyhed om projekterne

Mailsorteringen har reduceret tiden til at fordele mails med 40 procent, skrev avisen. Loven skulle afklares.
"""


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    own = make_settings(tmp_path_factory.mktemp("answers"))
    write_corpus(own.corpus, {"mail.md": MAIL, "training.md": TRAINING, "news.md": NEWS})
    embedder = HashEmbedder()
    indexing.run(own, embedder)
    return open_searcher(own, embedder)


def texts_of(searcher: Searcher) -> dict[str, str]:
    return {id_: searcher.snapshot.document(id_).document.text for id_ in searcher.snapshot.records}


@pytest.fixture(scope="module")
def given_answer(searcher: Searcher) -> Answer:
    return answer(searcher, "Hvor meget har mailsorteringen reduceret tiden til at fordele mails?")


def test_the_sentence_that_holds_the_number_stands_first(given_answer: Answer) -> None:
    assert not given_answer.refused
    assert given_answer.kind is QuestionKind.NUMBER
    assert "66 procent" in given_answer.sentences[0].text


def test_every_quote_is_its_document_at_its_offsets(searcher: Searcher, given_answer: Answer) -> None:
    assert given_answer.citations
    assert wrong_quotes(given_answer, texts_of(searcher)) == []


def test_citations_are_numbered_from_one_in_the_order_they_are_met(given_answer: Answer) -> None:
    assert [citation.number for citation in given_answer.citations] == list(range(1, len(given_answer.citations) + 1))
    assert given_answer.sentences[0].citations == (1,)
    used = {number for sentence in given_answer.sentences for number in sentence.citations}
    used |= {finding.citation for project in given_answer.projects for finding in project.findings}
    used |= {side.citation for disagreement in given_answer.disagreements for side in disagreement.sides}
    assert used == {citation.number for citation in given_answer.citations}


def test_sources_and_notices_are_never_cited(given_answer: Answer) -> None:
    assert all("Kilder" not in citation.heading_path for citation in given_answer.citations)
    assert all("Erfaringsbasen" not in citation.quote for citation in given_answer.citations)


def test_our_own_reading_is_no_part_of_an_answer(searcher: Searcher) -> None:
    found = answer(searcher, "Hvad er mailsorteringens læring om jura fra begyndelsen af projektet?")
    findings = [finding.text for project in found.projects for finding in project.findings]
    assert all("Vi læser" not in text for text in [*findings, *(sentence.text for sentence in found.sentences)])


def test_findings_stand_under_their_project_challenge_first(given_answer: Answer) -> None:
    project = next(project for project in given_answer.projects if project.name == "Mailsortering")
    assert project.slug == "mailsortering"
    assert not project.cross_cutting
    roles = [finding.role for finding in project.findings]
    assert Role.RESULT in roles
    assert roles == sorted(roles, key=[Role.CHALLENGE, Role.HANDLING, Role.LESSON, Role.RESULT].index)


def test_a_report_of_no_project_stands_under_its_own_title(given_answer: Answer) -> None:
    news = next(project for project in given_answer.projects if project.cross_cutting)
    assert (news.name, news.slug) == ("Nyhed om projekterne", "")


def test_coverage_counts_projects_and_not_reports_across_them(given_answer: Answer) -> None:
    coverage = given_answer.coverage
    assert coverage.of == 2
    assert [project.name for project in coverage.speaking] == ["Mailsortering"]
    assert [project.name for project in coverage.silent] == ["Træning"]
    assert coverage.sentence == "1 af 2 projekter taler om dette"


def test_two_figures_for_one_thing_stand_side_by_side(given_answer: Answer) -> None:
    sides = [side.text for disagreement in given_answer.disagreements for side in disagreement.sides]
    assert any("66 procent" in text for text in sides)
    assert any("40 procent" in text for text in sides)


def test_metadata_answer_what_no_sentence_says(searcher: Searcher) -> None:
    found = answer(searcher, "Hvilke projekter begyndte i 2021?")
    assert [project.name for project in found.coverage.speaking] == ["Træning"]
    assert found.projects[0].reasons == ("år: 2021",)
    assert found.certainty is Certainty.SURE


def test_the_same_question_gives_the_same_answer(searcher: Searcher, given_answer: Answer) -> None:
    anew = Searcher(searcher.snapshot, searcher.embedder, searcher.settings)
    assert answer(anew, given_answer.question) == given_answer
    assert given_answer.build_id == searcher.snapshot.build_id
    assert given_answer.created == searcher.snapshot.manifest.created


def test_a_question_about_something_else_is_refused_with_its_reason(searcher: Searcher) -> None:
    found = answer(searcher, "Hvornår åbner svømmehallen i Rødovre?")
    assert found.refused
    assert found.refusal is not None
    assert found.refusal.reason is RefusalReason.NO_SUBJECT
    assert "svømmehallen" in found.refusal.missing
    assert found.sentences == ()
    assert found.projects == ()
    assert found.coverage.speaking == ()
    assert found.refusal.nearest == tuple(citation.number for citation in found.citations)


@pytest.mark.parametrize(
    ("closeness", "reason", "said"),
    [
        (1.0, RefusalReason.NOT_SAID, "Rapporterne handler om emnet"),
        (0.1, RefusalReason.NO_SUBJECT, "Der står næppe noget om emnet"),
        (-1.0, RefusalReason.NO_SUBJECT, "Der står intet om emnet"),
    ],
)
def test_a_refusal_says_whether_the_subject_is_there_and_how_surely_it_is_not(
    searcher: Searcher, closeness: float, reason: RefusalReason, said: str
) -> None:
    gathered = gather(searcher, "Hvem er borgmester i Norddjurs Kommune?", {})
    judged = [
        replace(one, candidate=replace(one.candidate, closeness=closeness))
        for one in judge_sentences(gathered, models())
    ]
    found = refuse(gathered, judged, (1,), {})
    assert found.reason is reason
    assert found.message.startswith(said)
    assert "borgmester" in found.missing


def test_a_refusal_of_a_question_about_a_project_names_it_and_shows_what_comes_nearest_there(
    searcher: Searcher,
) -> None:
    found = answer(searcher, "Hvem er svømmelærer i Aalborgs projekt?")
    assert found.refusal is not None
    assert found.refusal.reason is RefusalReason.NOT_SAID
    assert "«Træning»" in found.refusal.message
    assert {citation.project for citation in found.citations} == {"Træning"}


def test_under_a_filter_the_refusal_speaks_of_the_filter(searcher: Searcher) -> None:
    found = answer(searcher, "Hvornår åbner svømmehallen i Rødovre?", {"projekt": ["Træning"]})
    assert found.refusal is not None
    assert found.refusal.reason is RefusalReason.NOTHING_UNDER_FILTER
    assert "Træning" in found.refusal.message
    assert found.coverage.of == 1


def test_a_filter_that_nothing_passes_is_refused(searcher: Searcher) -> None:
    found = answer(searcher, "mails", {"projekt": ["Findes ikke"]})
    assert found.refused
    assert found.citations == ()
    assert found.coverage.of == 0


def test_wrong_requests_are_told(searcher: Searcher) -> None:
    with pytest.raises(QuestionError):
        answer(searcher, "  ")
    with pytest.raises(FilterError):
        answer(searcher, "mails", {"farve": ["rød"]})


WORD_LIST = """
    mails hvor meget tid jura Norddjurs Aalborg træning hvornår projekter hvilke xyz 2020 66 må ikke loven ?
    mailsoteringen
"""
WORDS = st.sampled_from([*WORD_LIST.split(), '"fordele mails"'])


@pytest.mark.slow
@given(st.lists(WORDS, min_size=1, max_size=8).map(" ".join).filter(lambda text: any(c.isalnum() for c in text)))
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_asked_an_answer_is_verbatim_and_whole(searcher: Searcher, question: str) -> None:
    found = answer(searcher, question)
    assert wrong_quotes(found, texts_of(searcher)) == []
    assert found.refused == (found.refusal is not None)
    assert bool(found.sentences) != found.refused or not found.citations
    assert len(found.sentences) <= 5
    assert len({sentence.text for sentence in found.sentences}) == len(found.sentences)
    assert found.coverage.of == 2


def test_a_build_without_sentences_says_what_to_do(settings: Settings, embedder: HashEmbedder) -> None:
    document = Document("a", "0", "text/plain", "test", Metadata("a", "A"), "Mails blev fordelt hurtigere end før.")
    indexing.run_documents(settings, embedder, [document])
    with pytest.raises(IndexDamagedError, match="uden sætninger"):
        answer(open_searcher(settings, embedder), "mails")


def test_without_the_reader_nothing_is_answered_and_that_is_said(searcher: Searcher) -> None:
    off = searcher.settings.model_copy(update={"reading": False})
    found = answer(Searcher(searcher.snapshot, searcher.embedder, off), "Hvad lærte de om jura?")
    assert found.refusal is not None
    assert found.refusal.reason is RefusalReason.SEARCH_ONLY
    assert "søges" in found.refusal.message
    assert (found.sentences, found.projects, found.citations) == ((), (), ())


def test_a_question_that_names_nothing_is_asked_back(searcher: Searcher) -> None:
    found = answer(searcher, "Virker det?")
    assert found.refusal is not None
    assert found.refusal.reason is RefusalReason.TOO_VAGUE
    assert "Nævn" in found.refusal.message


@pytest.mark.parametrize("question", ["Kan jeg få aktindsigt i min sag?", "Hvad synes I om AI?"])
def test_a_question_about_the_asker_s_own_case_is_told_what_reports_tell_of(searcher: Searcher, question: str) -> None:
    found = answer(searcher, question)
    assert found.refusal is not None
    assert found.refusal.reason is RefusalReason.OWN_CASE
    assert found.citations == ()


@pytest.mark.parametrize("question", ["Hvordan sikrer min kommune datakvalitet?", "Hvad kan mine kolleger lære?"])
def test_a_colleague_s_question_is_no_case_of_their_own(question: str) -> None:
    assert not is_own_case(question)


@pytest.mark.parametrize(
    ("question", "projects", "reason"),
    [
        ("Hvor meget hurtigere fordeler Vejle mails?", (), RefusalReason.ELSEWHERE),
        ("Hvor meget hurtigere fordeler Norddjurs mails?", (), RefusalReason.NOT_SAID),
        ("Hvor meget hurtigere fordeler Træning mails?", ("Træning",), RefusalReason.ELSEWHERE),
    ],
)
def test_what_is_told_of_another_place_or_project_than_the_one_asked_is_said_to_be(
    searcher: Searcher, question: str, projects: tuple[str, ...], reason: RefusalReason
) -> None:
    gathered = gather(searcher, question, {})
    judged = [
        replace(one, window=2.0 if "66" in one.candidate.sentence.text else -2.0)
        for one in judge_sentences(gathered, models())
    ]
    judged = [replace(one, candidate=replace(one.candidate, closeness=1.0)) for one in judged]
    other = of_another(question, judged, projects)
    refusal = refuse(gathered, judged, (1,), {}, projects, other)
    assert refusal.reason is reason
    assert (other is not None) == (reason is RefusalReason.ELSEWHERE)
    assert other is None or "«Mailsortering»" in refusal.message


def test_whoever_asks_whom_to_contact_is_told_who_stands_behind(searcher: Searcher) -> None:
    found = answer(searcher, "Hvem skal jeg kontakte om mailfordeling?")
    assert found.refusal is not None
    assert found.refusal.reason is RefusalReason.NOT_SAID
    assert "Rapporterne nævner ingen" in found.refusal.message


def test_a_unit_that_is_known_is_named_before_the_authority() -> None:
    known = Metadata.of(
        {"id": "a", "titel": "A", "projekt": "AIR", "myndighed": "Aalborg Kommune", "kontakt": "Velfærd"}
    )
    other = Metadata("b", "B", "Mails", "Norddjurs Kommune")
    message = whom_to_ask([known, other, Metadata("c", "C")]).message
    assert message.endswith(
        "Om «AIR» kan du spørge Velfærd, Aalborg Kommune. Om «Mails» kan du spørge Norddjurs Kommune, som står bag."
    )


@pytest.mark.parametrize("question", ["hvad kostede det", "Hvad kostede løsningen?"])
def test_facts_are_not_compared_for_a_question_that_points_at_one_unnamed(searcher: Searcher, question: str) -> None:
    found = answer(searcher, question)
    assert found.refusal is not None
    assert found.refusal.reason is RefusalReason.TOO_VAGUE
