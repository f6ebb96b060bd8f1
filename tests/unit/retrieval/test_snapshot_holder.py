from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import pytest

from kb import indexing
from kb.core.errors import IndexDamagedError, IndexMissingError, IndexVersionError, ModelMismatchError
from kb.core.settings import Settings
from kb.index import builds
from kb.retrieval.snapshot_holder import SnapshotHolder
from tests.support import HashEmbedder, make_settings, renumber_build, report_text, write_corpus
from tests.timing import until


def _publish(settings: Settings, subject: str) -> str:
    write_corpus(settings.corpus, {"ny.md": report_text(subject)})
    return indexing.run(settings, HashEmbedder()).build_id


def _damage(settings: Settings, build_id: str) -> None:
    path = builds.builds_dir(settings.index_dir) / build_id / builds.VECTORS_FILE
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def test_without_an_index_that_is_told_until_there_is_one(settings: Settings, embedder: HashEmbedder) -> None:
    holder = SnapshotHolder(settings, embedder)
    for _ in range(2):
        with pytest.raises(IndexMissingError):
            holder.searcher()
    build_id = indexing.run(settings, embedder).build_id
    assert holder.searcher().snapshot.build_id == build_id


def test_a_new_build_is_taken_up_and_the_old_can_be_finished_on(indexed: Settings, embedder: HashEmbedder) -> None:
    holder = SnapshotHolder(indexed, embedder)
    old = holder.searcher()
    assert holder.searcher() is old
    new_id = _publish(indexed, "nabohjælp")
    assert holder.searcher().snapshot.build_id == new_id
    assert holder.searcher().search("nabohjælp").hits[0].passage.text.count("nabohjælp")
    assert not [hit for hit in old.search("nabohjælp").hits if "nabohjælp" in hit.passage.text]


@pytest.mark.slow
def test_a_damaged_new_build_is_reported_and_the_old_kept(indexed: Settings, embedder: HashEmbedder) -> None:
    holder = SnapshotHolder(indexed, embedder)
    old = holder.searcher()
    _damage(indexed, _publish(indexed, "nabohjælp"))
    assert holder.searcher() is old
    assert isinstance(holder.problem, IndexDamagedError)
    mended = indexing.run(indexed, embedder).build_id
    assert holder.searcher().snapshot.build_id == mended
    assert holder.problem is None


@pytest.mark.slow
def test_at_start_a_damaged_build_gives_way_to_the_last_good(indexed: Settings, embedder: HashEmbedder) -> None:
    good = builds.current_id(indexed.index_dir)
    _damage(indexed, _publish(indexed, "nabohjælp"))
    _damage(indexed, _publish(indexed, "genoptræning"))
    holder = SnapshotHolder(indexed, embedder)
    assert holder.searcher().snapshot.build_id == good
    assert isinstance(holder.problem, IndexDamagedError)


@pytest.mark.slow
def test_when_no_build_is_whole_that_is_told(indexed: Settings, embedder: HashEmbedder) -> None:
    _damage(indexed, builds.current_id(indexed.index_dir))
    with pytest.raises(IndexDamagedError) as caught:
        SnapshotHolder(indexed, embedder).searcher()
    assert caught.value.advice


@pytest.mark.slow
@pytest.mark.parametrize("form", [builds.FORMAT - 1, builds.FORMAT + 1])
def test_an_index_of_another_version_is_told_and_made_anew(
    indexed: Settings, embedder: HashEmbedder, form: int
) -> None:
    renumber_build(indexed, builds.current_id(indexed.index_dir), form)
    holder = SnapshotHolder(indexed, embedder)
    with pytest.raises(IndexVersionError, match="version"):
        holder.searcher()
    assert indexing.run(indexed, embedder).embedded == 0
    assert holder.searcher().search("faldrisiko").hits


@pytest.mark.slow
def test_a_build_of_another_model_is_not_answered_from(indexed: Settings) -> None:
    with pytest.raises(ModelMismatchError):
        SnapshotHolder(indexed, HashEmbedder("anden")).searcher()


@pytest.mark.slow
def test_an_index_deleted_under_a_running_server_does_not_stop_it(indexed: Settings, embedder: HashEmbedder) -> None:
    holder = SnapshotHolder(indexed, embedder)
    holder.searcher()
    shutil.rmtree(indexed.index_dir)
    assert holder.searcher().search("faldrisiko").hits


def test_a_current_that_is_half_written_does_not_stop_the_server(indexed: Settings, embedder: HashEmbedder) -> None:
    holder = SnapshotHolder(indexed, embedder)
    old = holder.searcher()
    (indexed.index_dir / builds.CURRENT_FILE).write_text("", encoding="utf-8")
    assert holder.searcher() is old
    assert isinstance(holder.problem, IndexDamagedError)
    (indexed.index_dir / builds.CURRENT_FILE).write_text("findes-ikke\n", encoding="utf-8")
    assert holder.searcher() is old


@pytest.mark.slow
def test_a_rollback_is_taken_up(indexed: Settings, embedder: HashEmbedder) -> None:
    holder = SnapshotHolder(indexed, embedder)
    first = holder.searcher().snapshot.build_id
    second = _publish(indexed, "nabohjælp")
    assert holder.searcher().snapshot.build_id == second
    indexing.roll_back(indexed)
    assert holder.searcher().snapshot.build_id == first


@pytest.mark.slow
def test_searching_from_eight_threads_during_twenty_publications(tmp_path: Path, embedder: HashEmbedder) -> None:
    """Never an error, never an empty index, never a passage of a document whose deletion was published before."""
    settings = make_settings(tmp_path, keep_builds=1)
    write_corpus(settings.corpus, {"fast.md": report_text("faldrisiko"), "skift0.md": report_text("skift0")})
    indexing.run(settings, embedder)
    holder = SnapshotHolder(settings, embedder)
    gone: list[str] = []
    problems: list[str] = []
    asked = [0] * 8
    done = threading.Event()

    def ask(number: int) -> None:
        while not done.is_set():
            deleted = list(gone)  # before the question is asked
            try:
                hits = holder.searcher().search("faldrisiko skift", top=50).hits
            except Exception as error:
                problems.append(repr(error))
                return
            asked[number] += 1
            texts = " ".join(hit.passage.text for hit in hits)
            if "faldrisiko" not in texts:
                problems.append("et tomt indeks")
            time.sleep(0.005)
            problems.extend(f"{name} er slettet" for name in deleted if name in texts.split())

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    try:
        for number in range(1, 21):
            (settings.corpus / f"skift{number - 1}.md").unlink()
            write_corpus(settings.corpus, {f"skift{number}.md": report_text(f"skift{number}")})
            assert indexing.run(settings, embedder).published
            holder.searcher()
            gone.append(f"skift{number - 1}")
        until(lambda: bool(problems) or min(asked) >= 20)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert problems == []
