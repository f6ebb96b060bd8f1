from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kb.core.errors import IndexDamagedError, IndexVersionError, NotFoundError
from kb.core.models import Certainty, Document, Heading, Metadata, Page, Passage, ReadWarning, Role, Source
from kb.facts import Fact, FactKind
from kb.index.store import (
    CACHE_FORM,
    Failure,
    ReadCache,
    Reading,
    Store,
    StoredDocument,
    StoredPassage,
    StoredSentence,
    StoreWriter,
    VectorCache,
    check_cache,
    check_database,
    document_from_dict,
    document_to_dict,
)
from kb.proposals.proposal import Proposal
from tests.support import renumber_database

TEXT = "Formål\n\nDet første. Det andet.\n\nDet tredje."
DOCUMENT = Document(
    path="mappe/å.pdf",
    sha256="ab" * 32,
    media_type="application/pdf",
    reader="pdf",
    metadata=Metadata(
        id="å",
        titel="Å",
        år=2021,
        temaer=("jura", "data"),
        kilder=(Source("https://x", "X"),),
        inferred=frozenset({"titel"}),
    ),
    text=TEXT,
    headings=(Heading(1, "Formål", 0, 6),),
    pages=(Page(1, 0, 30, "i"), Page(2, 30, len(TEXT), ocr=True)),
    warnings=(ReadWarning("kræver-ocr", "Side 2."),),
    masked={"cpr": 1},
)


def _passage(ordinal: int, start: int, end: int, document_id: str = "å") -> Passage:
    return Passage(
        id=f"{document_id}.{ordinal + 1}",
        document_id=document_id,
        ordinal=ordinal,
        text=TEXT[start:end],
        start=start,
        end=end,
        heading_path=("Formål",),
        page_first=1,
        page_last=2,
        role=Role.PURPOSE,
        inferred=True,
        ocr=True,
    )


PASSAGES = [
    StoredPassage(0, _passage(0, 8, 30), 9, "k1"),
    StoredPassage(1, _passage(1, 31, len(TEXT)), 4, "k2"),
    StoredPassage(2, _passage(0, 8, 30, "b"), 9, "k1"),
]
SENTENCES = [
    StoredSentence(0, 0, 8, 19, 3, "s1"),
    StoredSentence(1, 0, 20, 30, 2, "s2"),
    StoredSentence(2, 1, 31, 42, 1, "s1"),
]


PROPOSALS = (Proposal("år", 2022, Certainty.SURE, "Rapporten er dateret her.", "14. 2. 2022", 3, 14, 1),)
FACTS = [
    Fact(FactKind.STATUS, "i drift", "å.1", 8, 19, "2023-02", Certainty.SURE),
    Fact(FactKind.SUPPORT, "4100000", "å.2", 31, 42, "", Certainty.UNSURE, shared=True),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "kb.sqlite"
    other = replace(DOCUMENT, path="b.md", metadata=Metadata(id="b", titel="B"))
    with StoreWriter(path) as writer:
        writer.add_document(StoredDocument(DOCUMENT, "/korpus", "k", "delvist", ("andet.pdf",), "", PROPOSALS))
        writer.add_document(StoredDocument(other, "/korpus", "k2", copy_of="å", own_passages=(0, 2)))
        writer.add_passages(PASSAGES)
        writer.add_sentences(SENTENCES)
        writer.add_facts("å", FACTS)
        writer.add_failure(Failure("/korpus", "z.pdf", "k3", "adgangskode", "Filen er låst."))
    return path


def test_documents_and_passages_come_back_as_they_went_in(path: Path) -> None:
    with closing(Store(path)) as store:
        stored = StoredDocument(DOCUMENT, "/korpus", "k", "delvist", ("andet.pdf",), "", PROPOSALS)
        assert store.stored_document("å") == stored
        assert store.pages_of("å") == DOCUMENT.pages
        assert [stored.document.id for stored in store.stored_documents()] == ["b", "å"]
        assert list(store.all_passages()) == PASSAGES
        assert store.passages_of("å") == PASSAGES[:2]
        assert store.passage("å.2") == PASSAGES[1]
        assert store.passages([2, 0]) == {0: PASSAGES[0], 2: PASSAGES[2]}
        assert store.failures() == [Failure("/korpus", "z.pdf", "k3", "adgangskode", "Filen er låst.")]
        assert len(store) == 3


def test_facts_come_back_by_kind_and_by_report(path: Path) -> None:
    with closing(Store(path)) as store:
        assert store.facts_of("å") == FACTS
        assert store.facts_of("b") == []
        assert store.facts([FactKind.SUPPORT]) == [("å", FACTS[1])]
        assert store.facts(list(FactKind)) == [("å", fact) for fact in FACTS]


def test_a_fact_outside_its_passage_is_counted(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE facts SET start = 0 WHERE kind = ?", (FactKind.STATUS,))
    with closing(Store(path)) as store:
        assert store.misplaced_facts() == 1


def test_a_record_is_the_document_without_its_text(path: Path) -> None:
    with closing(Store(path)) as store:
        other, stored = store.records()
    assert (stored.record.id, stored.record.pages, stored.record.passages) == ("å", 2, 2)
    assert stored.record.characters == len(TEXT)
    assert stored.record.metadata == DOCUMENT.metadata
    assert (stored.partial, stored.aliases, stored.headings) == ("delvist", ("andet.pdf",), DOCUMENT.headings)
    assert stored.proposals == PROPOSALS
    assert (other.record.id, other.copy_of, other.own_passages, other.proposals) == ("b", "å", (0, 2), ())


def test_cache_keys_come_by_row_or_shortest_first(path: Path) -> None:
    with closing(Store(path)) as store:
        assert list(store.vector_keys()) == ["k1", "k2", "k1"]
        assert list(store.vector_keys(distinct=True)) == ["k2", "k1"]
        assert {stored.vector_key for stored in store.by_vector_keys(["k1", "k2"])} == {"k1", "k2"}


def test_sentences_by_row_and_by_passage(path: Path) -> None:
    with closing(Store(path)) as store:
        assert store.sentence_count() == 3
        assert list(store.sentence_keys()) == [(0, "s1"), (1, "s2"), (2, "s1")]
        assert [key for _, key in store.sentence_keys(distinct=True)] == ["s1", "s2"]
        assert store.sentences_of_passages(["å.1", "b.1"]) == {"å.1": SENTENCES[:2], "b.1": []}
        assert [sentence.row for sentence, _ in store.sentences_with_passages([2, 0])] == [2, 0]


def test_what_does_not_exist_is_told(path: Path) -> None:
    with closing(Store(path)) as store:
        with pytest.raises(NotFoundError, match="rapport"):
            store.stored_document("findes-ikke")
        with pytest.raises(NotFoundError, match="passage"):
            store.passage("findes-ikke.1")


def test_an_id_or_a_place_can_be_used_once(path: Path) -> None:
    with StoreWriter(path.with_name("ny.sqlite")) as writer:
        writer.add_document(StoredDocument(DOCUMENT, "/korpus", "k"))
        with pytest.raises(sqlite3.IntegrityError):
            writer.add_document(StoredDocument(replace(DOCUMENT, path="b"), "/korpus", "k"))


def test_several_threads_read_at_once(path: Path) -> None:
    seen: list[str] = []
    with closing(Store(path)) as store:
        threads = [threading.Thread(target=lambda: seen.append(store.passage("å.1").passage.text)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert seen == [PASSAGES[0].passage.text] * 8


def test_a_new_thread_can_still_read_after_the_file_is_removed(path: Path) -> None:
    """Whoever began on an old build finishes on it, also when the build is cleaned away meanwhile."""
    seen: list[str] = []
    with closing(Store(path)) as store:
        path.unlink()
        thread = threading.Thread(target=lambda: seen.append(store.passage("å.1").passage.text))
        thread.start()
        thread.join()
    assert seen == [PASSAGES[0].passage.text]


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "kb.sqlite").write_bytes(b"ikke en database" * 100)
    with pytest.raises(IndexDamagedError):
        Store(tmp_path / "kb.sqlite")
    assert check_database(tmp_path / "kb.sqlite") != ""


def test_a_whole_database_passes_the_check(path: Path) -> None:
    assert check_database(path) == ""


def test_a_document_survives_json() -> None:
    assert document_from_dict(document_to_dict(DOCUMENT)) == DOCUMENT


def _vectors(*values: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    made = np.zeros((len(values), 4), dtype=np.float32)
    made[:, 0] = np.cos(values)
    made[:, 1] = np.sin(values)
    return made


@pytest.mark.parametrize("cache", [VectorCache, ReadCache])
def test_a_cache_of_another_version_is_recognised_before_it_is_read(
    tmp_path: Path, cache: type[VectorCache] | type[ReadCache]
) -> None:
    path = tmp_path / "lager.sqlite"
    cache(path)
    assert check_cache(path) == ""
    renumber_database(path, CACHE_FORM + 1)
    with pytest.raises(IndexVersionError, match="anden version") as caught:
        cache(path)
    assert "--full" in caught.value.advice
    assert "version" in check_cache(path)


def test_a_cache_from_before_they_were_numbered_is_used(tmp_path: Path) -> None:
    with VectorCache(tmp_path / "v.sqlite") as cache:
        cache.put("m", ["a"], _vectors(0.1))
    renumber_database(tmp_path / "v.sqlite", 0)
    with VectorCache(tmp_path / "v.sqlite") as cache:
        assert list(cache.missing("m", ["a"])) == []


def test_vectors_are_kept_by_model_and_key_across_openings(tmp_path: Path) -> None:
    with VectorCache(tmp_path / "v.sqlite") as cache:
        cache.put("m", ["a", "b"], _vectors(0.1, 0.2))
    with VectorCache(tmp_path / "v.sqlite") as cache:
        np.testing.assert_array_equal(cache.get("m", ["b", "a", "b"]), _vectors(0.2, 0.1, 0.2))
        assert list(cache.missing("m", ["c", "a", "d"])) == ["c", "d"]
        assert list(cache.missing("anden", ["a"])) == ["a"]
        with pytest.raises(KeyError):
            cache.get("m", ["c"])


def test_pruning_drops_one_models_unused_vectors(tmp_path: Path) -> None:
    with VectorCache(tmp_path / "v.sqlite") as cache:
        cache.put("m", ["a", "b"], _vectors(0.1, 0.2))
        cache.put("anden", ["a"], _vectors(0.1))
        assert cache.prune("m", ["b", "x"]) == 1
        assert list(cache.missing("m", ["a", "b"])) == ["a"]
        assert list(cache.missing("anden", ["a"])) == []


def test_a_reading_counts_for_exactly_its_content_and_rules(tmp_path: Path) -> None:
    whole = Reading("/r", "a.pdf", "k", "1", document=DOCUMENT)
    failed = Reading("/r", "b.pdf", "k", "1", "adgangskode", "Filen er låst.")
    with ReadCache(tmp_path / "r.sqlite") as cache:
        cache.put(whole)
        cache.put(failed)
    with ReadCache(tmp_path / "r.sqlite") as cache:
        assert cache.get("/r", "a.pdf", "k", "1") == whole
        assert cache.get("/r", "b.pdf", "k", "1") == failed
        assert cache.get("/r", "a.pdf", "ny", "1") is None
        assert cache.get("/r", "a.pdf", "k", "2") is None
        assert cache.prune({("/r", "a.pdf"): "k"}) == 1
        assert cache.get("/r", "b.pdf", "k", "1") is None
