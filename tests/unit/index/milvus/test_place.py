"""Builds on a Milvus server are published, verified, rolled back and removed as local ones are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from kb import indexing
from kb.core.access import EVERYTHING, Access
from kb.core.errors import IndexDamagedError, IndexMissingError, NotFoundError, SettingsError
from kb.core.models import Role
from kb.core.settings import Settings
from kb.index import builds
from kb.index.milvus import writing
from kb.index.milvus.connection import Address, Connection, connection
from kb.index.milvus.place import MilvusPlace
from kb.index.milvus.writing import NewCollection
from kb.index.places import place_of
from kb.index.verification import everything, verify_build
from kb.indexing.chunk_reuse import Chunker, previous_chunks
from kb.indexing.chunking import ChunkSize
from kb.indexing.rollback import roll_back
from kb.operations.finished_builds import finished_builds
from kb.retrieval.permitted_snapshot import PermittedSnapshotHolder
from kb.retrieval.searcher import Engine, open_searcher
from kb.retrieval.snapshot_holder import SnapshotHolder
from tests.milvus import needs_milvus, on_milvus
from tests.support import HashEmbedder, make_settings, report_text, take_readings, write_corpus
from tests.timing import until

pytestmark = [needs_milvus, pytest.mark.slow]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One milvus-lite folder for all: each test has collections of a name of its own."""
    return tmp_path_factory.mktemp("milvus") / "milvus.db"


@pytest.fixture
def settings(tmp_path: Path, url: Path, read_once: Settings) -> Settings:
    made = make_settings(tmp_path, keep_builds=2)
    write_corpus(made.corpus)
    take_readings(read_once, made)
    return on_milvus(made, url, index_name=f"p{tmp_path.name.replace('-', '_').lower()}")


@pytest.fixture
def place(settings: Settings) -> MilvusPlace:
    place = place_of(settings)
    assert isinstance(place, MilvusPlace)
    return place


@pytest.fixture
def milvus(settings: Settings) -> Connection:
    return connection(Address.of(settings))


def publish(settings: Settings, *, without: str = "") -> str:
    """Index the corpus, without one of its files from now on."""
    if without:
        (settings.corpus / without).unlink()
    return indexing.run(settings, HashEmbedder()).build_id


def collections(settings: Settings, milvus: Connection) -> set[str]:
    mine = f"{settings.index_name}_"
    return {name.removeprefix(mine) for name in milvus.ask("list_collections") if name.startswith(mine)}


def of(*ids: str) -> set[str]:
    """The collections of some builds."""
    return {f"{id_}_{what}" for id_ in ids for what in ("passages", "sentences")}


def test_without_an_index_that_is_told(settings: Settings, place: MilvusPlace) -> None:
    with pytest.raises(IndexMissingError):
        place.current_id()
    with pytest.raises(IndexMissingError):
        everything(settings)
    assert finished_builds(place) == []


def test_a_run_publishes_and_one_without_changes_does_not(settings: Settings, place: MilvusPlace) -> None:
    first = indexing.run(settings, HashEmbedder())
    assert (first.published, place.current_id(), place.build_ids()) == (True, first.build_id, [first.build_id])
    assert verify_build(place, first.build_id) == []
    again = indexing.run(settings, HashEmbedder())
    assert (again.published, again.build_id) == (False, first.build_id)
    # What the server has is not in files too, and the alias alone says which build is in use.
    folder = place.builds_dir / first.build_id
    left = {path.name for path in folder.rglob("*") if path.is_file()}
    assert {"kb.sqlite", "manifest.json", "means.json", "terms.trie"} <= left
    assert not left & {builds.VECTORS_FILE, builds.SENTENCES_FILE, "passages.columns", "terms.lengths", "written.txt"}
    assert not list(settings.index_dir.rglob(builds.CURRENT_FILE))
    # Its passages are reused by the next build of the same kind.
    manifest = builds.read_manifest(folder)
    document = open_searcher(settings, HashEmbedder()).snapshot.document("asta").document
    for with_sentences in (True, False):
        chunker = Chunker(HashEmbedder(), ChunkSize(), with_sentences=with_sentences)
        same_key = replace(manifest, chunk_key=chunker.key)
        with previous_chunks(place.builds_dir, same_key, chunker) as reusable:
            assert (reusable.of(document) is not None) == with_sentences


def test_builds_are_swapped_rolled_back_and_removed(settings: Settings, place: MilvusPlace, milvus: Connection) -> None:
    # One is kept; the one that was in use last is kept beside it, for those who are still answered from it.
    sparing = settings.model_copy(update={"keep_builds": 1})
    first = publish(sparing)
    holder = SnapshotHolder(sparing, HashEmbedder())
    old = holder.searcher()
    assert holder.searcher() is old
    second = publish(sparing, without="asta.md")
    until(lambda: holder.searcher().snapshot.build_id == second)
    assert not [hit for hit in holder.searcher().search("journalnotater").hits if hit.document.id == "asta"]
    assert old.search("journalnotater").hits[0].document.id == "asta"
    assert place.build_ids() == [second, first]
    assert roll_back(sparing) == first
    until(lambda: holder.searcher().snapshot.build_id == first)
    assert [one.in_use for one in finished_builds(place_of(sparing))] == [False, True]
    with pytest.raises(NotFoundError):
        roll_back(sparing, "20200101T000000000000Z")
    assert roll_back(sparing, second) == second
    third = publish(sparing, without="faldrisiko.md")
    assert place.build_ids() == [third, second]
    assert collections(sparing, milvus) == of(second, third)
    assert {path.name for path in place.builds_dir.iterdir()} == {second, third}


def test_what_was_not_finished_is_removed(
    settings: Settings, place: MilvusPlace, milvus: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = builds.new_id(datetime.now(UTC))
    (place.builds_dir / f"{builds.STAGING_PREFIX}{killed}").mkdir(parents=True)
    NewCollection(milvus, f"{settings.index_name}_{killed}_sentences", 8, 0).with_sentences([])
    other = f"2_{killed}_sentences"  # of an installation whose name begins alike
    NewCollection(milvus, f"{settings.index_name}_{other}", 8, 0).with_sentences([])
    first = publish(settings)
    assert collections(settings, milvus) == {*of(first), other}

    def fails(*_: object) -> None:
        raise IndexDamagedError("Prøvet.")

    monkeypatch.setattr(MilvusPlace, "publish", fails)
    with pytest.raises(IndexDamagedError):
        publish(settings, without="asta.md")
    assert place.current_id() == first
    assert collections(settings, milvus) == {*of(first), other}
    assert [path.name for path in place.builds_dir.iterdir()] == [first]


def test_a_large_base_is_searched_by_a_graph(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "EXACT_ROWS", 3)
    build_id = publish(settings)
    searcher = open_searcher(settings, HashEmbedder())
    assert searcher.snapshot.manifest.tuning["kind"] == writing.GRAPH
    assert verify_build(place_of(settings), build_id) == []
    result = searcher.search("Hvad var erfaringen med vandløb?", filters={"rolle": ["læring"]}, engine=Engine.DENSE)
    assert result.hits
    assert {hit.passage.role for hit in result.hits} == {Role.LESSON}


def test_damage_on_the_server_is_found(settings: Settings, place: MilvusPlace, milvus: Connection) -> None:
    first = publish(settings)
    name = f"{settings.index_name}_{first}_passages"
    (row,) = milvus.ask("query", name, filter="row in [2]", output_fields=["*"])
    milvus.tell("delete", name, filter="row in [2]")
    assert any("passager" in problem for problem in verify_build(place, first))
    vector = np.roll(np.array(row["vector"], dtype=np.float32), 5)
    milvus.tell("insert", name, [{**row, "vector": vector}])
    assert any("hører til teksten" in problem for problem in verify_build(place, first))
    milvus.tell("delete", name, filter="row in [2]")
    milvus.tell("insert", name, [row])
    assert verify_build(place, first) == []
    milvus.tell("drop_alias", f"{settings.index_name}_current")
    milvus.tell("drop_collection", name)
    assert place.build_ids() == []
    with pytest.raises(NotFoundError):
        place.point_at(first)
    with pytest.raises(IndexDamagedError, match=first):
        place.open(place.builds_dir / first, first)


def test_a_report_for_a_group_is_found_by_the_group_alone_and_a_local_index_is_left_alone(settings: Settings) -> None:
    local = settings.model_copy(update={"index_url": ""})
    kept = publish(local)
    restricted = settings.model_copy(update={"access_groups": True})
    write_corpus(restricted.corpus, {"ny.md": report_text("nabohjælp").replace("titel:", "adgang: [HR]\ntitel:", 1)})
    publish(restricted)
    holder = PermittedSnapshotHolder(SnapshotHolder(restricted, HashEmbedder()), restricted)

    def found(access: Access) -> set[str]:
        result = holder.searcher(access).search("Hvad var erfaringen med nabohjælp?", top=50)
        return {hit.document.path for hit in result.hits}

    assert "ny.md" in found(EVERYTHING)
    assert "ny.md" in found(Access(frozenset({"HR"})))
    assert found(Access()) == found(EVERYTHING) - {"ny.md"}
    assert place_of(local).build_ids() == [kept]
    assert verify_build(place_of(local), kept) == []


@pytest.mark.parametrize("name", ["", "Æble", "1a", "a-b", "A"])
def test_a_name_that_milvus_does_not_take_is_refused(settings: Settings, name: str) -> None:
    with pytest.raises(SettingsError, match="KB_INDEX_NAME"):
        place_of(settings.model_copy(update={"index_name": name}))
