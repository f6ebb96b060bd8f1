"""Danish questions to the shipped corpus with the real model: what a caseworker can rely on."""

from __future__ import annotations

import pytest

from kb.core.models import SearchResult
from kb.retrieval.searcher import Searcher

pytestmark = pytest.mark.model


def documents(result: SearchResult) -> list[str]:
    return list(dict.fromkeys(hit.document.id for hit in result.hits))


def test_the_question_of_the_mission_brings_passages_from_several_projects(searcher: Searcher) -> None:
    result = searcher.search("Hvordan håndterede projekterne GDPR?", top=20)
    assert len(result.hits) >= 5
    assert len({hit.document.metadata.projekt for hit in result.hits} - {""}) >= 3


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Hvor meget hurtigere blev post fordelt i Norddjurs?", "norddjurs-mailsortering"),
        ("mailsortering", "norddjurs-mailsortering"),
        ("underretninger om børn", "aarhus-underretninger"),
        ("oversvømmelse og våd jord", "jammerbugt-vaadindeks"),
        ("røntgenbilleder af knæ", "rait-knae"),
        ("aktindsigt", "soenderborg-ai-aktindsigt"),
        ("hvem kører i kommunens biler", "syddjurs-flaadestyring"),
    ],
)
def test_the_right_report_stands_first(searcher: Searcher, question: str, expected: str) -> None:
    assert documents(searcher.search(question, top=10))[0] == expected


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("databehandleraftaler", "databehandleraftalerne"),
        ("persondataforordningen", "databeskyttelsesforordningen"),
        ("underretning", "underretninger"),
    ],
)
def test_inflections_and_official_names_find_the_same_reports(searcher: Searcher, first: str, second: str) -> None:
    found = [set(documents(searcher.search(question, top=20))) for question in (first, second)]
    assert len(found[0] & found[1]) >= len(found[0]) / 2


def test_a_misspelt_word_is_searched_for_as_the_words_it_is_near_to(searcher: Searcher) -> None:
    result = searcher.search("mailsorteirng i komunen")
    assert "mailsorteirng" in result.corrections
    assert "norddjurs-mailsortering" in documents(result)[:3]


def test_every_hit_is_an_exact_place_in_its_report(searcher: Searcher) -> None:
    for hit in searcher.search("Hvordan håndterede projekterne GDPR?", top=20).hits:
        document = searcher.snapshot.document(hit.document.id).document
        assert document.text[hit.passage.start : hit.passage.end] == hit.passage.text


def test_no_passage_is_longer_than_the_model_reads(searcher: Searcher) -> None:
    assert all(stored.tokens <= searcher.embedder.max_tokens for stored in searcher.snapshot.store.all_passages())


def test_matched_words_are_marked_where_they_stand(searcher: Searcher) -> None:
    hit = searcher.search("databehandleraftale", top=1).hits[0]
    assert any("databehandleraftale" in hit.passage.text[m.start : m.end].lower() for m in hit.matches)


def test_a_filter_leaves_only_what_it_names(searcher: Searcher) -> None:
    result = searcher.search("GDPR", top=50, filters={"myndighed": ["Aalborg Kommune"]})
    assert result.hits
    assert {hit.document.metadata.myndighed for hit in result.hits} == {"Aalborg Kommune"}
    assert result.total == sum(1 for _ in searcher.snapshot.passages_of("aalborg-air"))
