from __future__ import annotations

from pathlib import Path

import pytest

from kb import indexing
from kb.answer import answer
from kb.core.errors import FilterError, ModelMismatchError, NotFoundError, QuestionError
from kb.core.settings import Settings
from kb.index.places import place_of
from kb.language.analysis import Analyser, Question
from kb.retrieval.opening import open_snapshot
from kb.retrieval.searcher import Engine, Searcher, clean_question, open_searcher
from tests.support import HashEmbedder, make_settings, report_text, write_corpus

SUBJECTS = ["faldrisiko", "mailfordeling", "vandløb", "journalnotater", "fraværsmønstre", "skolebørn"]


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    settings = make_settings(tmp_path_factory.mktemp("søg"))
    for number, subject in enumerate(SUBJECTS):
        text = report_text(subject, project=f"Projekt {number % 3}", year=2020 + number % 2, paragraphs=3)
        write_corpus(settings.corpus, {f"{subject}.md": text})
    write_corpus(settings.corpus, {"almen.txt": "Vejledning om databehandleraftaler\n\nAlle skal kende reglerne.\n"})
    indexing.run(settings, HashEmbedder())
    return open_searcher(settings, HashEmbedder())


@pytest.mark.parametrize("engine", list(Engine))
@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_is_found_first_by_every_engine(searcher: Searcher, subject: str, engine: Engine) -> None:
    hits = searcher.search(f"Hvad var erfaringen med {subject}?", engine=engine).hits
    assert subject in hits[0].passage.text
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))


@pytest.mark.parametrize(
    "filters",
    [
        {"projekt": ["Projekt 1"]},
        {"år": ["2021"]},
        {"år": ["2020"], "projekt": ["Projekt 0", "Projekt 2"]},
        {"rolle": ["læring"]},
        {"rolle": ["formål"], "år": ["2021"]},
        {"temaer": ["data"]},
        {"læser": ["text"]},
        {"projekt": ["Findes ikke"]},
    ],
)
def test_filters_are_exact_and_lose_nothing(searcher: Searcher, filters: dict[str, list[str]]) -> None:
    expected = set()
    for stored in searcher.snapshot.store.all_passages():
        metadata = searcher.snapshot.records[stored.passage.document_id].record
        values = {
            "projekt": {metadata.metadata.projekt},
            "år": {str(metadata.metadata.år)},
            "temaer": set(metadata.metadata.temaer),
            "rolle": {stored.passage.role.value},
            "læser": {metadata.reader},
        }
        if all(values[name] & set(wanted) for name, wanted in filters.items()):
            expected.add(stored.passage.id)
    result = searcher.search("tid og planlægning", filters=filters, top=100)
    found = {hit.passage.id for hit in result.hits} | {id_ for hit in result.hits for id_ in hit.duplicates}
    assert found == expected
    assert result.total == len(expected)


def test_the_facets_count_documents_under_the_other_filters(searcher: Searcher) -> None:
    facets = searcher.search("tid", filters={"år": ["2020"]}).facets
    assert facets["år"] == {"2020": 3, "2021": 3}
    assert facets["projekt"] == {"Projekt 0": 1, "Projekt 1": 1, "Projekt 2": 1}


def test_the_counts_under_a_filter_are_worked_out_once(searcher: Searcher) -> None:
    snapshot = searcher.snapshot
    assert snapshot.facets({"år": ["2020"]}) is snapshot.facets({"år": ("2020",)})
    assert snapshot.facets({"år": ["2020"]}) is not snapshot.facets({"år": ["2021"]})


def test_quoted_words_must_stand_there(searcher: Searcher) -> None:
    hits = searcher.search('tid "erfaringen med skolebørn"').hits
    assert hits
    assert all("erfaringen med skolebørn" in hit.passage.text.lower() for hit in hits)
    assert searcher.search('"erfaringen med skolevand"').hits == ()


def test_a_misspelt_word_is_corrected_and_told(searcher: Searcher) -> None:
    result = searcher.search("faldresiko")
    assert "faldrisiko" in result.corrections["faldresiko"]
    assert "faldrisiko" in result.hits[0].passage.text


def test_pages_go_on_where_the_last_ended(searcher: Searcher) -> None:
    whole = searcher.search("erfaringen med tid", top=12)
    parts = [searcher.search("erfaringen med tid", top=4, offset=offset).hits for offset in (0, 4, 8)]
    assert [hit.passage.id for part in parts for hit in part] == [hit.passage.id for hit in whole.hits]
    assert [hit.rank for part in parts for hit in part] == list(range(1, 13))
    assert searcher.search("erfaringen med tid", top=4, offset=10_000).hits == ()


def test_the_same_question_gives_the_same_result(searcher: Searcher) -> None:
    anew = Searcher(searcher.snapshot, searcher.embedder, searcher.settings)
    assert searcher.search("drift og tid") == anew.search("  drift   og tid ")


def test_what_many_ask_is_worked_out_once(searcher: Searcher) -> None:
    found = searcher.search("drift og  data")
    assert searcher.search("drift og data") is found
    assert searcher.search("drift og data", top=3) is not found
    assert searcher.search("drift og data", filters={"år": ["2021"]}) is not found


def test_an_answer_and_its_searches_analyse_the_question_once(
    searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    analysed: list[str] = []

    def counting(analyser: Analyser, text: str) -> Question:
        analysed.append(text)
        return analyse(analyser, text)

    analyse = Analyser.question
    monkeypatch.setattr(Analyser, "question", counting)
    asked = "Hvad var svært ved faldrisiko i projekterne?"
    unread = Searcher(searcher.snapshot, searcher.embedder, searcher.settings.model_copy(update={"reading": False}))
    answer(unread, f"  {asked} ")
    unread.search(asked, top=3)
    unread.search(asked, top=3, offset=3)
    assert analysed.count(asked) == 1


def test_an_analysed_question_is_searched_with_as_it_was_asked(searcher: Searcher) -> None:
    analysed = searcher.analyse("  drift   og tid ")
    assert searcher.analyse(analysed) is analysed
    assert searcher.search(analysed, top=7) == searcher.search("drift og tid", top=7)


@pytest.mark.slow
def test_near_duplicates_are_folded_into_the_best(settings: Settings, embedder: HashEmbedder) -> None:
    text = "# Drift\n\nDriften skal aftales med leverandøren fra begyndelsen, og aftalen skal skrives ned samme dag.\n"
    write_corpus(settings.corpus, {"et.md": text, "to.md": text + "\n\n"})
    indexing.run(settings, embedder)
    hits = open_searcher(settings, embedder).search("aftaler om driften med leverandøren").hits
    folded = [hit for hit in hits if "leverandøren" in hit.passage.text]
    assert len(folded) == 1
    assert len(folded[0].duplicates) == 1


@pytest.mark.parametrize(
    "question", ["", "   ", "?!", "\x00drift", "drift\x1b[2J", "\ud800", "d" * 1001, "\u200b", '"', '""']
)
def test_what_is_no_question_is_refused(searcher: Searcher, question: str) -> None:
    with pytest.raises(QuestionError) as caught:
        searcher.search(question)
    assert caught.value.advice


@pytest.mark.parametrize(
    "question",
    ["<script>alert(1)</script>", "' OR 1=1 --", "data AND (", "a:b^2~", '"uafsluttet', "\U0001f600 drift", "%s"],
)
def test_markup_and_query_syntax_are_only_text(searcher: Searcher, question: str) -> None:
    assert searcher.search(question).question == question


def test_a_cpr_number_never_gets_further_than_the_door(searcher: Searcher) -> None:
    result = searcher.search("Hvad skete der med 010190-1234 i projektet?")
    assert "010190" not in result.question


def test_cleaning_collapses_white_space() -> None:
    assert clean_question(" hvad\n\tmed   data ", 100) == "hvad med data"


def test_an_unknown_filter_is_told_with_the_known(searcher: Searcher) -> None:
    with pytest.raises(FilterError, match="farve") as caught:
        searcher.search("drift", filters={"farve": ["blå"]})
    assert "projekt" in caught.value.advice


def test_another_models_index_is_refused_with_what_to_run(indexed: Settings) -> None:
    with pytest.raises(ModelMismatchError, match="trigram") as caught:
        open_searcher(indexed, HashEmbedder("anden"))
    assert "kb index" in caught.value.advice


def test_projects_gather_their_reports_newest_first(searcher: Searcher) -> None:
    *projects, own = searcher.snapshot.projects()
    assert (own.name, len(own.document_ids)) == ("Vejledning om databehandleraftaler", 1)
    assert [project.name for project in projects] == ["Projekt 0", "Projekt 1", "Projekt 2"]
    assert all(len(project.document_ids) == 2 for project in projects)
    newest = [searcher.snapshot.records[project.document_ids[0]].record.metadata.år for project in projects]
    assert newest == [2021, 2021, 2021]


def test_a_file_that_changed_since_is_not_opened(indexed: Settings) -> None:
    snapshot = open_snapshot(place_of(indexed))
    (asta,) = [id_ for id_, stored in snapshot.records.items() if stored.record.path == "asta.md"]
    assert snapshot.file_of(asta) == indexed.corpus.resolve() / "asta.md"
    (indexed.corpus / "asta.md").write_text("noget andet", encoding="utf-8")
    for document_id in (asta, "findes-ikke"):
        with pytest.raises(NotFoundError):
            snapshot.file_of(document_id)


@pytest.mark.slow
def test_markup_in_a_report_is_only_text(settings: Settings, embedder: HashEmbedder, tmp_path: Path) -> None:
    (settings.corpus / "m.txt").write_text("Om <script>alert(1)</script> og {{ 7*7 }} i drift.\n", encoding="utf-8")
    indexing.run(settings, embedder)
    hits = open_searcher(settings, embedder).search("alert script drift").hits
    assert any("<script>alert(1)</script>" in hit.passage.text for hit in hits)
