"""What someone may see of a build: a view that the other reports are not in, with every part of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kb import indexing
from kb.core.access import EVERYTHING, Access
from kb.core.errors import NotFoundError
from kb.facts import FactKind
from kb.index import builds, vectors
from kb.index.vectors import VectorIndex
from kb.retrieval.permitted_parts import PermittedVectors
from kb.retrieval.permitted_snapshot import PermittedSnapshotHolder
from kb.retrieval.searcher import Searcher
from kb.retrieval.snapshot import Snapshot
from kb.retrieval.snapshot_holder import SnapshotHolder
from kb.state.removals import Removals
from kb.state.restricted import RestrictedReports
from tests.support import HashEmbedder, make_settings, report_text, write_corpus

HR = Access(frozenset({"HR", "Intranet"}))


@pytest.fixture(scope="module")
def holder(tmp_path_factory: pytest.TempPathFactory) -> PermittedSnapshotHolder:
    settings = make_settings(tmp_path_factory.mktemp("adgang"), access_groups=True)
    twice = report_text("vandløb", project="Vandløb")
    files = {
        "vandløb.md": twice,
        "faldrisiko.md": report_text("faldrisiko", project="Fald"),
        "hr/vandløb.md": twice,
        "hr/sag.md": report_text("tjenestesag", project="Fald", year=2033),
        "hr/.adgang.yaml": "adgang: HR\n",
        "egen.md": report_text("lønsum").replace("titel:", "adgang: [HR, Ledelse]\ntitel:", 1),
    }
    write_corpus(settings.corpus, files)
    indexing.run(settings, HashEmbedder())
    return PermittedSnapshotHolder(SnapshotHolder(settings, HashEmbedder()), settings)


@pytest.fixture
def stranger(holder: PermittedSnapshotHolder) -> Searcher:
    return holder.searcher(Access(frozenset({"Kantine"})))


def test_everyone_has_one_view_and_those_in_a_group_another(holder: PermittedSnapshotHolder) -> None:
    assert sorted(holder.searcher(Access()).snapshot.records) == ["faldrisiko", "vandloeb"]
    assert sorted(holder.searcher(HR).snapshot.records) == sorted(holder.searcher(EVERYTHING).snapshot.records)
    assert holder.searcher(Access(frozenset({"Kantine"}))) is holder.searcher(Access())


def test_the_counts_are_of_the_view(stranger: Searcher) -> None:
    held = stranger.snapshot
    assert (held.manifest.documents, held.manifest.projects) == (2, 2)
    assert held.manifest.passages == len(held.store) == len(held.dense) == stranger.search("tid").total
    assert "2033" not in held.facets()["år"]
    assert sum(held.facets()["rolle"].values()) == len(held.store)
    assert not held.failures()


def test_the_words_are_of_the_view(holder: PermittedSnapshotHolder, stranger: Searcher) -> None:
    assert holder.searcher(HR).search("tjenesteseg").corrections
    assert not stranger.search("tjenesteseg").corrections
    assert not stranger.snapshot.analyser.vocabulary.knows("tjenestesag")
    assert not stranger.search('"erfaringen med tjenestesag"').hits


def test_a_report_for_others_is_no_version_and_no_copy_of_an_open_one(stranger: Searcher) -> None:
    stored = stranger.snapshot.record("vandloeb")
    assert (stored.aliases, stored.copy_of, stored.record.metadata.titel) == ((), "", "Rapport om vandløb")
    assert stranger.snapshot.versions_of("vandloeb") == []


@pytest.mark.parametrize(
    "look",
    [
        lambda held, id_: held.record(id_),
        lambda held, id_: held.document(id_),
        lambda held, id_: held.pages_of(id_),
        lambda held, id_: held.passage(f"{id_}.1"),
        lambda held, id_: held.file_of(id_),
        lambda held, id_: held.neighbours(f"{id_}.1", 3),
        lambda held, id_: held.store.stored_document(id_),
        lambda held, id_: held.store.pages_of(id_),
        lambda held, id_: held.store.passage(f"{id_}.1"),
    ],
)
def test_a_hidden_report_is_told_of_as_one_that_never_was(
    stranger: Searcher, look: Callable[[Snapshot, str], object]
) -> None:
    told = {}
    for id_ in ("hr-sag", "hr-xyz"):
        with pytest.raises(NotFoundError) as caught:
            look(stranger.snapshot, id_)
        told[id_] = str(caught.value).replace(id_, "?")
    assert told["hr-sag"] == told["hr-xyz"]


def test_no_part_gives_what_is_hidden(holder: PermittedSnapshotHolder, stranger: Searcher) -> None:
    whole, held = holder.searcher(EVERYTHING).snapshot, stranger.snapshot
    keys = np.asarray(whole.store.keys_of(["hr-sag"]))
    assert not held.store.passages(keys.tolist())
    assert not list(held.store.passages_of("hr-sag"))
    assert not len(held.store.keys_of(["hr-sag"]))
    assert {one.passage.document_id for one in held.store.all_passages()} == set(held.records)
    assert {id_ for id_, _ in held.store.facts(list(FactKind))} <= set(held.records)
    assert not held.store.sentences_of_passages(["hr-sag.1"])["hr-sag.1"]
    for read in (held.dense.vectors, lambda asked: held.dense.scores(held.dense.sample(1)[0], asked)):
        with pytest.raises(IndexError):
            read(keys)


def test_a_hidden_report_that_is_deleted_is_still_one_that_never_was(
    holder: PermittedSnapshotHolder, stranger: Searcher
) -> None:
    settings = stranger.settings
    aside = (settings.corpus / "hr" / "sag.md").rename(settings.corpus / "hr" / ".sag")
    Removals(settings.state_dir).mark("hr-sag")
    try:
        with pytest.raises(NotFoundError, match="Der er ingen rapport"):
            holder.searcher(Access()).snapshot.record("hr-sag")
        with pytest.raises(NotFoundError, match="er slettet"):
            holder.searcher(HR).snapshot.record("hr-sag")
    finally:
        aside.rename(settings.corpus / "hr" / "sag.md")
        Removals(settings.state_dir).forget()


def test_the_only_report_that_is_for_some_and_is_deleted_is_one_that_never_was(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, access_groups=True)
    write_corpus(settings.corpus, {"fald.md": report_text("faldrisiko"), "vand.md": report_text("vandløb")})
    indexing.run(settings, HashEmbedder())
    held = PermittedSnapshotHolder(SnapshotHolder(settings, HashEmbedder()), settings)
    RestrictedReports(settings.state_dir).remember({"fald": ("Ledelse",)})
    (settings.corpus / "fald.md").unlink()
    Removals(settings.state_dir).mark("fald")
    with pytest.raises(NotFoundError, match="Der er ingen rapport"):
        held.searcher(Access()).snapshot.record("fald")
    with pytest.raises(NotFoundError, match="er slettet"):
        held.searcher(Access(frozenset({"Ledelse"}))).snapshot.record("fald")


def test_where_no_report_names_a_group_everyone_has_the_builds_own(
    holder: PermittedSnapshotHolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = holder.searcher(EVERYTHING)
    monkeypatch.setattr(whole.snapshot, "restricted", {})
    RestrictedReports(whole.settings.state_dir).forget(whole.snapshot.records)
    assert holder.searcher(Access()) is whole


def test_a_report_is_hidden_from_when_it_is_said_and_not_from_the_next_build(holder: PermittedSnapshotHolder) -> None:
    restricted = RestrictedReports(holder.searcher(EVERYTHING).settings.state_dir)
    restricted.remember({"faldrisiko": ("Ledelse",)})
    try:
        assert "faldrisiko" not in holder.searcher(Access()).snapshot.records
        assert "faldrisiko" in holder.searcher(Access(frozenset({"Ledelse"}))).snapshot.records
    finally:
        restricted.forget(["faldrisiko"])


def test_inverted_lists_are_searched_among_what_is_permitted(tmp_path: Path) -> None:
    chance = np.random.default_rng(1)
    rows = chance.normal(size=(600, 16)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    path = tmp_path / builds.VECTORS_FILE
    vectors.build(path, [rows], 16)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(vectors, "RECALL", 0.0)
        assert vectors.add_lists(path, lambda held_out: rows[held_out], exact_rows=100).kind == "lists"
    keys = np.flatnonzero(chance.random(600) < 0.8)
    view = PermittedVectors(VectorIndex(path), keys)
    for query in rows[:20]:
        found = [key for key, _ in view.search(query, 30)]
        assert len(found) == 30
        assert set(found) <= set(keys.tolist())
    assert len(view.sample(10)) >= 10
