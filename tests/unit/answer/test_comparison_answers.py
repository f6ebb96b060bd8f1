"""Comparisons asked of a small base: laid out as any other answer, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from kb import indexing
from kb.answer import answer
from kb.core.models import Answer
from kb.core.settings import Settings
from kb.evaluation.answer_scores import wrong_quotes
from kb.http.api.response_models import AnswerBody
from kb.retrieval.searcher import Searcher, open_searcher
from tests.support import HashEmbedder, make_settings

REPORTS = {
    "vaad.md": """---
id: vaad
titel: Vådindeks i Jammerbugt
projekt: Vådindeks
myndighed: Jammerbugt Kommune
---
# Vådindeks i Jammerbugt

## Status

Vådindeks var i testdrift ifølge en kilde fra maj 2023.

## Resultater

Jammerbugt Kommune fik 5 mio. kr. i støtte til Vådindeks.
""",
    "mail.md": """---
id: mail
titel: Mailsortering i Norddjurs
projekt: Mailsortering
myndighed: Norddjurs Kommune
---
# Mailsortering i Norddjurs

## Status

Mailsorteringen var i drift ifølge en kilde fra februar 2023.

## Resultater

Norddjurs Kommune fik 1,9 mio. kr. i støtte til mailsorteringen.
""",
    "knae.md": """---
id: knae
titel: Knærøntgen
projekt: Knærøntgen
myndighed: Region Nord
---
# Knærøntgen

## Formål

Regionen ville finde slidgigt hurtigere på billeder af knæ.
""",
}


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    return _open(_written(tmp_path_factory.mktemp("base")))


def _written(folder: Path) -> Settings:
    settings = make_settings(folder)
    settings.corpus.mkdir(parents=True)
    for name, text in REPORTS.items():
        (settings.corpus / name).write_text(text, encoding="utf-8")
    return settings


def _open(settings: Settings) -> Searcher:
    embedder = HashEmbedder()
    indexing.run(settings, embedder)
    return open_searcher(settings, embedder)


def _ask(searcher: Searcher, question: str) -> Answer:
    found = answer(searcher, question)
    texts = {id_: searcher.snapshot.document(id_).document.text for id_ in searcher.snapshot.records}
    assert wrong_quotes(found, texts) == []
    return found


def test_yes_or_no_stands_before_the_cited_sentence(searcher: Searcher) -> None:
    found = _ask(searcher, "Er Vådindeks sat i drift?")
    assert found.lead == "Nej – status: i test (maj 2023)."
    assert [one.text for one in found.sentences] == ["Vådindeks var i testdrift ifølge en kilde fra maj 2023."]


def test_a_list_has_the_value_beside_each_project_and_counts_the_silent(searcher: Searcher) -> None:
    found = _ask(searcher, "Hvilke projekter fik mest støtte?")
    assert [(one.name, one.reasons) for one in found.projects] == [
        ("Vådindeks", ("støtte: 5 mio. kr.",)),
        ("Mailsortering", ("støtte: 1,9 mio. kr.",)),
    ]
    assert [ref.name for ref in found.coverage.silent] == ["Knærøntgen"]
    assert found.lead.endswith("1 projekt siger det ikke.")


def test_the_answer_is_the_same_as_json(searcher: Searcher) -> None:
    body = AnswerBody.from_domain(_ask(searcher, "Hvilke projekter er i drift?"))
    assert body.lead.startswith("1 projekt er i drift.")
    assert body.refused is False


def test_a_filter_narrows_what_is_compared(searcher: Searcher) -> None:
    found = answer(searcher, "Hvilke projekter fik mest støtte?", {"myndighed": ("Norddjurs Kommune",)})
    assert [one.name for one in found.projects] == ["Mailsortering"]


@pytest.mark.slow
def test_facts_of_an_unchanged_report_are_kept_and_those_of_a_changed_one_read_anew(tmp_path: Path) -> None:
    settings = _written(tmp_path)
    _open(settings)
    report = settings.corpus / "vaad.md"
    report.write_text(REPORTS["vaad.md"].replace("i testdrift", "i drift"), encoding="utf-8")
    again = _open(settings)
    assert _ask(again, "Er Vådindeks sat i drift?").lead == "Ja – status: i drift (maj 2023)."
    assert _ask(again, "Er mailsorteringen i drift?").lead == "Ja – status: i drift (februar 2023)."
