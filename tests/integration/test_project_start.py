"""Projektstart-tjek on the shipped reports, with the real model."""

from __future__ import annotations

from pathlib import Path

import docx
import pytest
from click.testing import CliRunner

from kb.cli.commands import main
from kb.core.settings import Settings
from kb.core.stages import Phase
from kb.project_start import Check, Plan, check
from kb.retrieval.searcher import Searcher

pytestmark = pytest.mark.slow
MAILS = (
    "Kommunens fællespostkasse modtager 400 mails om dagen, som to medarbejdere læser og sender videre. Vi vil have en "
    "algoritme til at læse hver mail og foreslå den rigtige afdeling. Forventet gevinst: hurtigere svar."
)
HARBOUR = "Havneudvidelse med ny mole og 60 bådpladser. Sand pumpes op, og klubhuset flyttes 30 meter mod vest."
ENGLISH = (
    "The municipality will use an algorithm to sort the incoming mails that it has from citizens and to route them to "
    "the right department. It is the first project of its kind, and the data are the mails of the last two years."
)


@pytest.fixture(scope="module")
def mails(searcher: Searcher) -> Check:
    return check(searcher, Plan.of(MAILS))


def test_the_project_that_did_the_same_stands_first_with_why_and_how_it_went(mails: Check) -> None:
    first = mails.similar[0]
    assert "norddjurs-mailsortering" in {id_ for similar in mails.similar for id_ in similar.project.document_ids}
    assert first.ask
    assert {reason.trait.value for reason in first.reasons} >= {"opgaven ligner", "samme slags data"}
    assert {similar.outcome.status for similar in mails.similar if similar.outcome} & {"i drift", "i gang"}


def test_what_the_plan_leaves_out_is_said_and_what_it_mentions_is_not(mails: Check) -> None:
    gaps = {challenge.kind for challenge in mails.gaps}
    assert "hjemmel" in gaps
    assert "gevinst" not in gaps
    phases = [challenge.phase for challenge in mails.challenges]
    assert phases == sorted(phases, key=list(Phase).index)


def test_everything_is_cited_word_for_word(mails: Check, searcher: Searcher) -> None:
    told = [met.challenge for challenge in mails.challenges for met in challenge.met]
    told += [reason.told for similar in mails.similar for reason in similar.reasons]
    told += [reusable.told for reusable in mails.reusable]
    assert told
    for one in told:
        citation = mails.citations[one.citation - 1]
        text = searcher.snapshot.document(citation.document_id).document.text
        assert text[citation.start : citation.end] == citation.quote
        assert " ".join(citation.quote.split()) == one.text


def test_open_source_is_ready_to_be_used_again(mails: Check) -> None:
    assert any("open source" in reusable.told.text and reusable.links for reusable in mails.reusable)


def test_a_plan_about_nothing_in_the_base_is_told_the_nearest_and_nothing_else(searcher: Searcher) -> None:
    found = check(searcher, Plan.of(HARBOUR))
    assert not found.similar
    assert found.nearest
    assert [*found.challenges, *found.stopped, *found.reusable, *found.citations] == []


def test_of_a_plan_in_english_nothing_is_said_to_be_missing(searcher: Searcher) -> None:
    found = check(searcher, Plan.of(ENGLISH))
    assert not found.gaps
    assert any("ikke på dansk" in notice for notice in found.notices)


def test_the_command_writes_a_word_file_whose_sources_open_at_the_public_address(
    shipped: Settings, searcher: Searcher, tmp_path: Path
) -> None:
    plan, word = tmp_path / "plan.txt", tmp_path / "tjek.docx"
    plan.write_text(MAILS, encoding="utf-8")
    places = {
        "KB_INDEX_DIR": str(shipped.index_dir),
        "KB_STATE_DIR": str(tmp_path / "state"),
        "KB_PUBLIC_URL": "https://kommune.dk/erfaringer",
    }
    done = CliRunner().invoke(main, ["projectstart", str(plan), "--docx", str(word)], env=places)
    assert done.exit_code == 0, done.output
    document = docx.Document(str(word))
    assert any(paragraph.text.startswith("Intelligent fordeling") for paragraph in document.paragraphs)
    links = [part.target_ref for part in document.part.rels.values() if part.is_external]
    assert links
    assert all(link.startswith("https://kommune.dk/erfaringer/dokumenter/") for link in links)
    nowhere = ["projectstart", str(plan), "--docx", str(tmp_path / "findes-ikke" / "tjek.docx")]
    refused = CliRunner().invoke(main, nowhere, env=places)
    assert refused.exit_code == 2
    assert "kan ikke skrives" in refused.output
