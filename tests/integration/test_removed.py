"""A deleted report is gone at once: in every process, from search, answers, pages and the API, before any run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kb import indexing
from kb.core.errors import NotFoundError
from kb.core.settings import Settings
from kb.http.server import make_app
from kb.index import builds
from kb.operations import editing
from kb.retrieval.searcher import Searcher
from kb.retrieval.snapshot import Snapshot
from kb.retrieval.snapshot_holder import SnapshotHolder
from kb.retrieval.visible_snapshot import VisibleSnapshotHolder
from tests.support import HashEmbedder, make_settings, report_text, write_corpus

# Addresses whose answer names the report ``asta`` while it is there.
SHOWING = (
    "/sporg?q=journalnotater", "/dokumenter", "/projekter", "/temaer/data", "/dokumenter/noter?passage=noter.1",
    "/sporg.csv?q=journalnotater", "/sporg.atom?q=journalnotater", "/api/v1/search?q=journalnotater",
    "/api/v1/answer?q=Hvad+gjorde+journalnotater", "/api/v1/documents", "/api/v1/projects",
    "/api/v1/suggestions?q=Rapport+om",
)  # fmt: skip


def holder(settings: Settings) -> VisibleSnapshotHolder:
    return VisibleSnapshotHolder(SnapshotHolder(settings, HashEmbedder()), settings)


def documents_found(searcher: Searcher, question: str = "journalnotater") -> set[str]:
    return {hit.passage.document_id for hit in searcher.search(question, top=50).hits}


def delete(settings: Settings, document_id: str) -> None:
    editing.remove(settings, holder(settings).searcher().snapshot.records[document_id])


def test_a_deleted_report_is_gone_before_any_run(indexed: Settings) -> None:
    one, other = holder(indexed), holder(indexed)  # as two processes have them
    assert "asta" in documents_found(one.searcher())
    before = one.searcher().snapshot
    delete(indexed, "asta")
    for held in (one, other):
        searcher = held.searcher()
        assert searcher is held.searcher()
        assert documents_found(searcher) == set(before.records) - {"asta"}
        result = searcher.search("journalnotater")
        assert result.facets["projekt"] == {"Falddetektion": 1, "Mailsortering": 1, "Møde om vandløb": 1}
        assert result.total == before.manifest.passages - len(before.passages_of("asta"))
        slugs = ["falddetektion", "mailsortering", "moede-om-vandloeb"]
        assert [project.slug for project in searcher.snapshot.projects()] == slugs
        assert not searcher.search("journalnotater", filters={"projekt": ["ASTA"]}).hits
        assert searcher.snapshot.passages_of("asta") == []
        for ask in (searcher.snapshot.document, searcher.snapshot.file_of):
            with pytest.raises(NotFoundError):
                ask("asta")
        with pytest.raises(NotFoundError):
            searcher.snapshot.passage("asta.1")
        counted = searcher.snapshot.manifest
        assert (counted.documents, counted.projects, counted.passages) == (len(before.records) - 1, 3, result.total)
    indexing.run(indexed, HashEmbedder())
    assert one.searcher().snapshot.build_id != before.build_id
    assert "asta" not in documents_found(one.searcher())


def test_a_version_of_what_is_not_in_the_index_has_no_others(indexed: Settings) -> None:
    snapshot = holder(indexed).searcher().snapshot
    alone = replace(snapshot.records["asta"], copy_of="findes-ikke")
    kept = Snapshot(snapshot.manifest, replace(snapshot.parts, records={**snapshot.parts.records, "asta": alone}))
    assert kept.versions_of("asta") == []


def test_no_page_and_no_answer_of_the_api_has_it(indexed: Settings) -> None:
    client = make_app(indexed, HashEmbedder()).test_client()
    held = {path: client.get(path).headers.get("ETag", "") for path in SHOWING}
    for path in SHOWING:
        assert "asta" in client.get(path).text, path
    delete(indexed, "asta")
    for path in SHOWING:
        response = client.get(path, headers={"If-None-Match": held[path]})
        assert (response.status_code, "asta" in response.text) == (200, False), path
    for path in ("/dokumenter/asta", "/dokumenter/asta/original", "/projekter/asta", "/api/v1/passages/asta.1"):
        assert client.get(path).status_code == 404, path
    for path in ("/dokumenter/asta", "/api/v1/documents/asta", "/api/v1/documents/asta/passages"):
        assert "Rapporten asta er slettet." in client.get(path).text, path


def test_a_run_that_had_read_the_file_does_not_bring_it_back(indexed: Settings) -> None:
    held = holder(indexed)

    class Deletes:
        def stage(self, name: str, total: int) -> None:
            if name == "skærer":
                delete(indexed, "asta")

        def step(self, count: int = 1, note: str = "") -> None:
            pass

    (indexed.corpus / "ny.md").write_text(report_text("sneplove"), encoding="utf-8")
    report = indexing.run(indexed, HashEmbedder(), progress=Deletes())
    assert "asta.md" in report.unchanged
    assert documents_found(held.searcher(), "sneplove") == {"ny", "faldrisiko", "mail-sortering", "noter"}


def test_what_is_put_back_is_there_again_and_another_text_in_its_place_is_not_taken_for_it(indexed: Settings) -> None:
    held, file = holder(indexed), indexed.corpus / "asta.md"
    text = file.read_text(encoding="utf-8")
    delete(indexed, "asta")
    file.write_text("# Noget helt andet\n", encoding="utf-8")
    assert "asta" not in documents_found(held.searcher())
    file.write_text(text, encoding="utf-8")
    assert "asta" in documents_found(held.searcher())
    assert not indexing.run(indexed, HashEmbedder()).published


def test_an_older_index_put_in_use_has_what_it_had(indexed: Settings) -> None:
    held, before = holder(indexed), builds.current_id(indexed.index_dir)
    delete(indexed, "asta")
    indexing.run(indexed, HashEmbedder())
    editing.use_build(indexed, before)
    assert "asta" in documents_found(held.searcher())


def test_another_version_of_a_deleted_report_is_found_in_its_place(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = make_settings(tmp_path_factory.mktemp("versioner"))
    text = report_text("journalnotater", project="ASTA", paragraphs=12)
    write_corpus(settings.corpus, {"a.md": text, "b.md": text.replace("tre kommuner", "fire kommuner")})
    indexing.run(settings, HashEmbedder())
    held = holder(settings)
    (first,) = documents_found(held.searcher())
    delete(settings, first)
    (left,) = {"a", "b"} - {first}
    assert documents_found(held.searcher()) == {left}
    assert held.searcher().snapshot.versions_of(left) == []
    assert make_app(settings, HashEmbedder()).test_client().get("/projekter/asta").status_code == 200
