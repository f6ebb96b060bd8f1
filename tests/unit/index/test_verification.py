"""Each kind of damage is planted alone, and found, with what to run."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import faiss
import numpy as np
import pytest

from kb import indexing
from kb.core.errors import IndexMissingError, IndexVersionError
from kb.core.settings import Settings
from kb.index import builds, lexical, vectors, verification
from kb.index.builds import DATABASE_FILE, LEXICAL_FOLDER, SENTENCES_FILE, VECTORS_FILE
from kb.index.places import place_of
from kb.index.store import CACHE_FORM
from kb.state.migrations import SCHEMA_VERSION
from kb.state.sqlite_repository import STATE_FILE
from tests.support import (
    CORPUS,
    HashEmbedder,
    make_settings,
    renumber_build,
    renumber_database,
    report_text,
    write_corpus,
)

OTHER_WORDS = [lexical.Entry("Andet", (), f"Noget helt andet om emne {number}.") for number in range(11)]


def _current(settings: Settings) -> Path:
    return builds.builds_dir(settings.index_dir) / builds.current_id(settings.index_dir)


def _seal(folder: Path) -> None:
    """Write the manifest anew, so that sizes and checksums agree with the damage."""
    builds.write_manifest(folder, builds.read_manifest(folder))


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)


def _sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def _overwrite_pages(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096)


def _rewrite_vectors(path: Path, rows: Callable[[int], list[int]]) -> None:
    """Keep the named rows of a FAISS file, in that order."""
    old = faiss.read_index(str(path))
    new = faiss.IndexScalarQuantizer(old.d, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    new.add(old.reconstruct_batch(np.array(rows(old.ntotal), dtype=np.int64)))
    faiss.write_index(new, str(path))


def _scale_vectors(path: Path) -> None:
    old = faiss.read_index(str(path))
    new = faiss.IndexScalarQuantizer(old.d, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    made = old.reconstruct_n(0, old.ntotal)
    made[3] *= 2
    new.add(made)
    faiss.write_index(new, str(path))


def _add_lists(folder: Path, *, left_out: int, told: int) -> None:
    """Lists of all but the first rows, of which the manifest is told that so many are looked through."""
    whole = vectors.VectorIndex(folder / VECTORS_FILE)
    found = np.concatenate(list(whole.batches()))
    centres, kind = faiss.IndexFlatIP(whole.dimension), faiss.METRIC_INNER_PRODUCT
    lists = faiss.IndexIVFRaBitQ(centres, whole.dimension, 2, kind, True, vectors.BITS)
    lists.cp.min_points_per_centroid = 1
    lists.train(found)
    lists.add(found[left_out:])
    lists.nprobe = 2
    faiss.write_index(lists, str(vectors.lists_file(folder / VECTORS_FILE)))
    manifest = builds.read_manifest(folder)
    builds.write_manifest(folder, replace(manifest, tuning={"probes": told}))


def _in_build(damage: Callable[[Path], object], *, sealed: bool) -> Callable[[Settings], None]:
    def plant(settings: Settings) -> None:
        folder = _current(settings)
        damage(folder)
        if sealed:
            _seal(folder)

    return plant


def _other_words(folder: Path) -> None:
    shutil.rmtree(folder / LEXICAL_FOLDER)
    lexical.build(folder / LEXICAL_FOLDER, OTHER_WORDS)


def _swapped(count: int) -> list[int]:
    return [1, 0, *range(2, count)]


def _damage_older(settings: Settings) -> None:
    (_current(settings).parent / builds.build_ids(settings.index_dir)[-1] / DATABASE_FILE).unlink()


MEND_BUILD = "kb rollback"
KINDS: dict[str, tuple[Callable[[Settings], object], str, str]] = {
    "en bit i vektorerne": (_in_build(lambda f: _flip(f / VECTORS_FILE), sealed=False), "kontrolsum", MEND_BUILD),
    "en bit i databasen": (_in_build(lambda f: _flip(f / DATABASE_FILE), sealed=False), "kontrolsum", MEND_BUILD),
    "en fil mangler": (_in_build(lambda f: (f / SENTENCES_FILE).unlink(), sealed=False), "mangler", MEND_BUILD),
    "en afkortet fil": (
        _in_build(lambda f: (f / SENTENCES_FILE).write_bytes(b"kort"), sealed=False),
        "størrelse",
        MEND_BUILD,
    ),
    "et ulæseligt manifest": (
        _in_build(lambda f: (f / builds.MANIFEST_FILE).write_text("{"), sealed=False),
        "manifest",
        MEND_BUILD,
    ),
    "sider i databasen": (
        _in_build(lambda f: _overwrite_pages(f / DATABASE_FILE), sealed=True),
        "Databasen er beskadiget",
        MEND_BUILD,
    ),
    "en tekst på et forkert sted": (
        _in_build(lambda f: _sql(f / DATABASE_FILE, "UPDATE passages SET text = 'Andet.' WHERE row = 2"), sealed=True),
        "ikke på sin plads",
        MEND_BUILD,
    ),
    "en tabt passage": (
        _in_build(lambda f: _sql(f / DATABASE_FILE, "DELETE FROM passages WHERE row = 4"), sealed=True),
        "passager",
        MEND_BUILD,
    ),
    "en forældreløs passage": (
        _in_build(lambda f: _sql(f / DATABASE_FILE, "UPDATE passages SET document_id = '' WHERE row = 4"), sealed=True),
        "ikke til nogen rapport",
        MEND_BUILD,
    ),
    "en vektor for lidt": (
        _in_build(lambda f: _rewrite_vectors(f / VECTORS_FILE, lambda n: list(range(n - 1))), sealed=True),
        "vektorer",
        MEND_BUILD,
    ),
    "to vektorer ombyttet": (
        _in_build(lambda f: _rewrite_vectors(f / VECTORS_FILE, _swapped), sealed=True),
        "ikke den, der hører til",
        MEND_BUILD,
    ),
    "to sætningsvektorer ombyttet": (
        _in_build(lambda f: _rewrite_vectors(f / SENTENCES_FILE, _swapped), sealed=True),
        "ikke den, der hører til",
        MEND_BUILD,
    ),
    "en vektor af forkert længde": (
        _in_build(lambda f: _scale_vectors(f / VECTORS_FILE), sealed=True),
        "længden",
        MEND_BUILD,
    ),
    "lister, som manifestet ikke kender": (
        _in_build(lambda f: _add_lists(f, left_out=0, told=0), sealed=True),
        "manifestet siger 0",
        MEND_BUILD,
    ),
    "en vektor mangler i listerne": (
        _in_build(lambda f: _add_lists(f, left_out=1, told=2), sealed=True),
        "vektorer i listerne",
        MEND_BUILD,
    ),
    "et andet indeks' ord": (_in_build(_other_words, sealed=True), "på ord", MEND_BUILD),
    "CURRENT er tom": (lambda s: (s.index_dir / builds.CURRENT_FILE).write_text(""), "tom", MEND_BUILD),
    "CURRENT peger forkert": (
        lambda s: (s.index_dir / builds.CURRENT_FILE).write_text("findes-ikke\n"),
        "findes ikke",
        MEND_BUILD,
    ),
    "et ældre indeks": (_damage_older, "mangler", "forsvinder"),
    "vektorlageret": (
        lambda s: _overwrite_pages(s.index_dir / verification.VECTORS_CACHE),
        "Vektorlageret",
        "kb index --full",
    ),
    "læselageret": (
        lambda s: (s.index_dir / verification.READINGS_CACHE).write_bytes(b"intet" * 5000),
        "Læselageret",
        "kb index --full",
    ),
    "tilstandsfilen": (lambda s: (s.state_dir / STATE_FILE).write_bytes(b"x" * 9000), "Tilstandsfilen", "kb restore"),
    "en ændret rapport": (lambda s: (s.corpus / "asta.md").write_text("Ny."), "asta.md", "kb index"),
    "en slettet rapport": (lambda s: (s.corpus / "asta.md").unlink(), "asta.md", "kb index"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An installation with two builds, in which nothing is wrong but that no model is prepared."""
    settings = make_settings(tmp_path_factory.mktemp("hel") / "anlæg")
    write_corpus(settings.corpus, {**CORPUS, "gammel.md": report_text("skolebørn")})
    indexing.run(settings, HashEmbedder())
    (settings.corpus / "gammel.md").unlink()
    indexing.run(settings, HashEmbedder())
    assert [found.part for found in verification.everything(settings)] == ["sprogmodel"]
    return settings


@pytest.fixture
def whole(made: Settings, tmp_path: Path) -> Iterator[Settings]:
    """The installation in its own place, as it was made, for one test to damage."""
    home = made.corpus.parent
    shutil.copytree(home, tmp_path / "hel")
    yield made
    shutil.rmtree(home)
    shutil.copytree(tmp_path / "hel", home)


@pytest.mark.parametrize("kind", KINDS)
def test_planted_damage_is_found_with_what_to_run(whole: Settings, kind: str) -> None:
    plant, said, advice = KINDS[kind]
    plant(whole)
    found = [finding for finding in verification.everything(whole) if finding.part != "sprogmodel"]
    assert [finding for finding in found if said in finding.problem and advice in finding.advice], found


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["vektorlageret", "læselageret"])
def test_what_verify_says_to_run_mends_a_cache(whole: Settings, embedder: HashEmbedder, kind: str) -> None:
    KINDS[kind][0](whole)
    indexing.run(whole, embedder, full=True)
    assert [finding.part for finding in verification.everything(whole)] == ["sprogmodel"]


def test_parts_of_a_newer_version_are_told_with_what_to_do(whole: Settings) -> None:
    renumber_database(whole.state_dir / STATE_FILE, SCHEMA_VERSION + 1)
    renumber_database(whole.index_dir / verification.VECTORS_CACHE, CACHE_FORM + 1)
    renumber_build(whole, builds.current_id(whole.index_dir), builds.FORMAT + 1)
    found = {finding.part: (finding.problem, finding.advice) for finding in verification.everything(whole)}
    assert "nyere version" in found[STATE_FILE][0]
    assert "Opdatér" in found[STATE_FILE][1]
    assert "anden version" in found[verification.VECTORS_CACHE][0]
    assert "nyere version" in found[f"indeks {builds.current_id(whole.index_dir)}"][0]


@pytest.mark.slow
def test_a_cache_of_another_version_is_made_anew_by_a_full_run(whole: Settings, embedder: HashEmbedder) -> None:
    renumber_database(whole.index_dir / verification.VECTORS_CACHE, CACHE_FORM + 1)
    with pytest.raises(IndexVersionError):
        indexing.run(whole, embedder)
    indexing.run(whole, embedder, full=True)
    assert [finding.part for finding in verification.everything(whole)] == ["sprogmodel"]


def test_without_an_index_that_is_told(settings: Settings) -> None:
    with pytest.raises(IndexMissingError):
        verification.everything(settings)


@pytest.mark.slow
def test_a_damaged_vector_in_the_cache_is_made_again(whole: Settings, embedder: HashEmbedder) -> None:
    _sql(whole.index_dir / verification.VECTORS_CACHE, "UPDATE vectors SET vector = zeroblob(256)")
    embedder.embedded.clear()
    report = indexing.run(whole, embedder, full=True)
    assert report.embedded == len(embedder.embedded) > 0
    assert verification.verify_build(place_of(whole), report.build_id) == []
