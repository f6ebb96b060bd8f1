"""Any sequence of incremental runs gives what one full run gives."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb import indexing
from kb.core.settings import Settings
from kb.index import builds
from kb.index.store import Store
from kb.index.vectors import VectorIndex
from kb.retrieval.searcher import Searcher, open_searcher
from tests.support import HashEmbedder, make_settings, report_text, write_corpus

NAMES = ["a.md", "b.md", "c.txt", "mappe/a.md", "mappe/d.md"]
SUBJECTS = ["faldrisiko", "vandløb", "mailfordeling", "skolebørn"]
QUESTIONS = ["erfaringen med faldrisiko", "skolebørn", '"mere tid end planlagt"', "begynde i god tid"]

ADD = st.tuples(st.just("skriv"), st.sampled_from(NAMES), st.sampled_from(SUBJECTS), st.integers(0, 3))
REMOVE = st.tuples(st.just("slet"), st.sampled_from(NAMES))
RENAME = st.tuples(st.just("omdøb"), st.sampled_from(NAMES), st.sampled_from(NAMES))
COPY = st.tuples(st.just("kopiér"), st.sampled_from(NAMES), st.sampled_from(NAMES))
SIDECAR = st.tuples(st.just("metadata"), st.sampled_from(NAMES), st.sampled_from(SUBJECTS))
BREAK = st.tuples(st.just("ødelæg"), st.sampled_from(NAMES))
STEPS = st.lists(
    st.lists(ADD | ADD | ADD | REMOVE | RENAME | COPY | SIDECAR | BREAK, min_size=1, max_size=4), min_size=2, max_size=4
)


def change(corpus: Path, kind: str, name: str, *more: object) -> None:
    path = corpus / name
    if kind == "skriv":
        write_corpus(corpus, {name: report_text(str(more[0]), project=str(more[0]), paragraphs=int(str(more[1])))})
    elif kind == "slet":
        path.unlink(missing_ok=True)
    elif kind in {"omdøb", "kopiér"} and path.is_file() and path != corpus / str(more[0]):
        target = corpus / str(more[0])
        target.parent.mkdir(parents=True, exist_ok=True)
        if kind == "omdøb":
            path.replace(target)
        else:
            shutil.copy(path, target)
    elif kind == "metadata" and path.is_file():
        path.with_name(f"{path.name}.meta.yaml").write_text(f"myndighed: {more[0]}\n", encoding="utf-8")
    elif kind == "ødelæg" and path.is_file():
        path.write_bytes(b"")


def _found(searcher: Searcher) -> list[object]:
    results = [searcher.search(question, top=50) for question in QUESTIONS]
    return [(result.hits, result.total, result.facets, result.corrections) for result in results]


def _build(settings: Settings) -> Path:
    return builds.builds_dir(settings.index_dir) / builds.current_id(settings.index_dir)


def _manifest(settings: Settings) -> builds.Manifest:
    return builds.read_manifest(_build(settings))


def _store(settings: Settings) -> Store:
    return Store(_build(settings) / builds.DATABASE_FILE)


def _vectors(settings: Settings) -> VectorIndex:
    return VectorIndex(_build(settings) / builds.VECTORS_FILE)


def _same(one: Settings, other: Settings, embedder: HashEmbedder) -> None:
    mine, theirs = _manifest(one), _manifest(other)
    assert (mine.content, mine.sources) == (theirs.content, theirs.sources)
    with closing(_store(one)) as my_store, closing(_store(other)) as their_store:
        passages = list(my_store.all_passages())
        assert passages == list(their_store.all_passages())
        assert list(my_store.sentence_keys()) == list(their_store.sentence_keys())
        ids = [stored.passage.id for stored in passages]
        assert my_store.sentences_of_passages(ids) == their_store.sentences_of_passages(ids)
    for batch, again in zip(_vectors(one).batches(), _vectors(other).batches(), strict=True):
        np.testing.assert_array_equal(batch, again)
    if passages:
        first, second = open_searcher(one, embedder), open_searcher(other, embedder)
        assert _found(first) == _found(second)


@pytest.mark.timeout(600)
@pytest.mark.slow
@given(STEPS)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
def test_incremental_runs_equal_one_full_run(steps: list[list[tuple[str, ...]]]) -> None:
    embedder = HashEmbedder()
    with tempfile.TemporaryDirectory() as folder:
        grown = make_settings(Path(folder))
        write_corpus(grown.corpus, {"fast.md": report_text("borgerservice"), "a.md": report_text("faldrisiko")})
        indexing.run(grown, embedder)
        for step in steps:
            for kind, name, *more in step:
                change(grown.corpus, kind, name, *more)
            indexing.run(grown, embedder)
        fresh = grown.model_copy(update={"index_dir": Path(folder) / "ny", "state_dir": Path(folder) / "nystate"})
        indexing.run(fresh, embedder)
        _same(grown, fresh, embedder)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_one_changed_report_of_many_costs_only_itself(tmp_path: Path) -> None:
    """Counted in texts embedded; how long it takes is measured with the real model in benchmarks."""
    embedder = HashEmbedder()
    settings = make_settings(tmp_path)
    write_corpus(settings.corpus, {f"r{n}.md": report_text(f"emne{n}", paragraphs=3) for n in range(55)})
    full = indexing.run(settings, embedder)
    embedder.embedded.clear()
    text = report_text("emne7", paragraphs=3).replace("i god tid", "før sommerferien")
    write_corpus(settings.corpus, {"r7.md": text})
    report = indexing.run(settings, embedder)
    assert (report.changed, len(report.unchanged)) == (("r7.md",), 54)
    # Three passages and one sentence in each have changed; the passage under Formål has not.
    assert report.embedded == len(embedder.embedded) == 6
    assert full.embedded > 55 * 6
