"""Two documents that are versions of one another: one stands for both, but for what the other alone tells."""

from __future__ import annotations

import pytest

from kb import indexing
from kb.retrieval.searcher import Searcher
from kb.retrieval.snapshot_holder import SnapshotHolder
from tests.support import HashEmbedder, make_settings, report_text, write_corpus

OWN = "\n\n## Drift\n\nServeren i Viborg kører på Ubuntu, og sikkerhedskopien ligger på et bånd i kælderen.\n"


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    settings = make_settings(tmp_path_factory.mktemp("udgaver"))
    guide = report_text("vandløb", project="Vandløb", paragraphs=6)
    write_corpus(settings.corpus, {"guide.md": guide, "viborg.md": guide + OWN})
    indexing.run(settings, HashEmbedder())
    return SnapshotHolder(settings, HashEmbedder()).searcher()


def test_one_stands_for_both(searcher: Searcher) -> None:
    (shown,) = searcher.snapshot.passing()
    assert [other.id for other in searcher.snapshot.versions_of(shown.record.id)] != []
    hits = searcher.search("vandløb").hits
    assert {hit.document.id for hit in hits if "Viborg" not in hit.passage.text} == {shown.record.id}


def test_what_the_other_alone_tells_is_found_and_cited_from_it(searcher: Searcher) -> None:
    (shown,) = searcher.snapshot.passing()
    first = searcher.search("Ubuntu bånd kælderen").hits[0]
    assert "Viborg" in first.passage.text
    assert first.document.id != shown.record.id
    (stored,) = (one for one in searcher.snapshot.records.values() if one.copy_of)
    assert len(stored.own_passages) == 1


def test_filters_hold_for_it_too(searcher: Searcher) -> None:
    role = searcher.search("Ubuntu bånd kælderen").hits[0].passage.role
    found = searcher.search("Ubuntu bånd kælderen", filters={"rolle": [role.value]})
    others = searcher.search(
        "Ubuntu bånd kælderen",
        filters={"rolle": [one for one in searcher.snapshot.facets()["rolle"] if one != role.value]},
    )
    assert any("Viborg" in hit.passage.text for hit in found.hits)
    assert not any("Viborg" in hit.passage.text for hit in others.hits)
    assert not searcher.search("Ubuntu", filters={"projekt": ["Et andet"]}).hits


def test_all_of_it_is_found_when_the_one_shown_is_gone(searcher: Searcher) -> None:
    (shown,) = searcher.snapshot.passing()
    left = searcher.without(frozenset({shown.record.id})).snapshot
    (other,) = left.passing()
    allowed = left.allowed()
    assert allowed is not None
    assert sorted(allowed) == sorted(left.store.keys_of([other.record.id]))
