"""How an answer's sentences stand together: what holds a number first, and nothing said twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from kb import indexing
from kb.answer import answer
from kb.core.models import Answer
from kb.evaluation.answer_scores import wrong_quotes
from kb.retrieval.searcher import Searcher, open_searcher
from tests.support import HashEmbedder, make_settings, write_corpus

REPORT = """---
id: post
titel: Post i Vandby
projekt: Post
myndighed: Vandby Kommune
år: 2021
---
# Post i Vandby

## Resultater

Vandby ville have fordelt posten hurtigere, for posten skulle fordeles hurtigere end før.

I Vandby tager det nu 66 procent mindre tid, før posten er fordelt.

## Udfordringer

Vandbys leverandør af systemet til breve gik konkurs i foråret. Derfor blev systemet til breve i Vandby forsinket.

- Vandbys breve med håndskrift kunne systemet til breve ikke læse

## Læring

Vandby lærte tre ting om stemmer fra optagelser. Den vigtigste af dem var, at optagelser skal være korte.
"""


def searcher_of(folder: Path) -> Searcher:
    own = make_settings(folder)
    write_corpus(own.corpus, {"post.md": REPORT})
    embedder = HashEmbedder()
    indexing.run(own, embedder)
    return open_searcher(own, embedder)


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    return searcher_of(tmp_path_factory.mktemp("shown"))


def shown(found: Answer) -> list[str]:
    return [sentence.text for sentence in found.sentences]


def test_by_how_much_is_told_before_what_merely_resembles_the_question(searcher: Searcher) -> None:
    found = answer(searcher, "Hvor meget hurtigere blev posten fordelt i Vandby?")
    assert shown(found)[0] == "I Vandby tager det nu 66 procent mindre tid, før posten er fordelt."
    assert len(shown(found)) > 1


def test_a_sentence_and_the_one_that_points_back_at_it_are_shown_once(searcher: Searcher) -> None:
    found = answer(searcher, "Hvorfor blev systemet til breve i Vandby forsinket af leverandøren?")
    cause = "Vandbys leverandør af systemet til breve gik konkurs i foråret."
    assert f"{cause} Derfor blev systemet til breve i Vandby forsinket." in shown(found)
    assert sum(cause in text for text in shown(found)) == 1
    told = [finding.text for project in found.projects for finding in project.findings]
    assert sum(cause in text for text in told) == 1


def test_a_finding_that_points_back_is_shown_with_what_it_points_at(searcher: Searcher) -> None:
    found = answer(searcher, "Hvad var det vigtigste, Vandby lærte om optagelser?")
    told = [finding.text for project in found.projects for finding in project.findings]
    assert (
        "Vandby lærte tre ting om stemmer fra optagelser. Den vigtigste af dem var, at optagelser skal være korte."
        in told
    )
    texts = {id_: searcher.snapshot.document(id_).document.text for id_ in searcher.snapshot.records}
    assert wrong_quotes(found, texts) == []


def test_an_item_of_a_list_is_shown_without_its_mark(searcher: Searcher) -> None:
    found = answer(searcher, "Hvilke breve kunne systemet i Vandby ikke læse?")
    assert "Vandbys breve med håndskrift kunne systemet til breve ikke læse" in shown(found)


def test_what_differs_in_a_number_is_no_repetition_and_two_versions_disagree(tmp_path: Path) -> None:
    own = make_settings(tmp_path)
    told = "I Vandby kører serveren til post på Ubuntu {} efter aftale med leverandøren."
    newer, older = told.format("20.04"), told.format("16.04")
    rest = "Posten fordeles hver morgen, og der er {} ansatte i postrummet."
    files = {
        name: f"---\nid: {name}\ntitel: Post {name}\nprojekt: Post\n---\n# Drift\n\n{said}\n\n{rest.format(other)}\n"
        for name, said, other in (("a", newer, "tolv rare"), ("b", older, "mange flinke"))
    }
    write_corpus(own.corpus, {f"{name}.md": text for name, text in files.items()})
    embedder = HashEmbedder()
    indexing.run(own, embedder)
    found = answer(open_searcher(own, embedder), "Hvilken version af Ubuntu kører serveren til post i Vandby på?")
    assert {newer, older} <= set(shown(found))
    assert [one.about for one in found.disagreements] == ["Rapporterne har forskellige tal (ubuntu)."]
