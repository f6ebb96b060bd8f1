from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from kb import indexing
from kb.core.errors import CorpusMissingError, IndexingError, InputError, InstallationError, LockedError, NotFoundError
from kb.core.settings import Settings
from kb.index import builds
from kb.index.places import place_of
from kb.index.store import Store
from kb.index.verification import verify_build
from kb.indexing import prefetch
from kb.retrieval.opening import open_snapshot
from kb.retrieval.searcher import open_searcher
from tests.support import (
    CORPUS,
    ODD_READ,
    ODD_SKIPPED,
    HashEmbedder,
    broken_module,
    make_settings,
    report_text,
    write_corpus,
    write_odd_files,
)
from tests.timing import until


def _current(settings: Settings) -> Path:
    return builds.builds_dir(settings.index_dir) / builds.current_id(settings.index_dir)


def _paths(settings: Settings) -> list[str]:
    with closing(Store(_current(settings) / builds.DATABASE_FILE)) as store:
        return sorted(stored.record.path for stored in store.records())


def test_a_first_run_takes_everything(settings: Settings, embedder: HashEmbedder) -> None:
    report = indexing.run(settings, embedder, started_by="prøven")
    assert report.added == tuple(sorted(CORPUS))
    assert (report.changed, report.unchanged, report.removed, dict(report.failed)) == ((), (), (), {})
    assert (report.documents, report.published, report.started_by) == (len(CORPUS), True, "prøven")
    assert report.embedded == len(embedder.embedded) == len(set(embedder.embedded)) > report.passages
    assert max(embedder.batches) <= settings.batch_size
    assert {"læser", "skærer", "indlejrer", "bygger", "efterprøver", "offentliggør"} <= set(report.seconds)
    assert verify_build(place_of(settings), report.build_id) == []


def test_a_second_run_changes_nothing(indexed: Settings, embedder: HashEmbedder) -> None:
    before = builds.current_id(indexed.index_dir)
    report = indexing.run(indexed, embedder)
    assert not report.published
    assert report.unchanged == tuple(sorted(CORPUS))
    assert builds.build_ids(indexed.index_dir) == [before]
    assert embedder.embedded == []


def test_only_what_changed_is_read_and_embedded(indexed: Settings, embedder: HashEmbedder) -> None:
    text = CORPUS["asta.md"].replace("i god tid", "før sommerferien", 1)
    (indexed.corpus / "asta.md").write_text(text, encoding="utf-8")
    report = indexing.run(indexed, embedder)
    assert report.changed == ("asta.md",)
    assert len(report.unchanged) == len(CORPUS) - 1
    # One passage and its one changed sentence.
    assert report.embedded == len(embedder.embedded) == 2
    assert all("sommerferien" in text for text in embedder.embedded)


def test_a_removed_file_leaves_nothing(indexed: Settings, embedder: HashEmbedder) -> None:
    (indexed.corpus / "faldrisiko.md").unlink()
    report = indexing.run(indexed, embedder)
    assert report.removed == ("faldrisiko.md",)
    assert _paths(indexed) == sorted(set(CORPUS) - {"faldrisiko.md"})
    searcher = open_searcher(indexed, embedder)
    assert not [hit for hit in searcher.search("faldrisiko").hits if "faldrisiko" in hit.passage.text]
    assert "Falddetektion" not in searcher.snapshot.facets({})["projekt"]


@pytest.mark.slow
def test_a_shrunk_file_keeps_no_stale_tail(indexed: Settings, embedder: HashEmbedder) -> None:
    (indexed.corpus / "mail/sortering.md").write_text(report_text("mailfordeling", paragraphs=1), encoding="utf-8")
    indexing.run(indexed, embedder)
    snapshot = open_snapshot(place_of(indexed))
    (record,) = [stored.record for stored in snapshot.records.values() if stored.record.path == "mail/sortering.md"]
    texts = [passage.text for passage in snapshot.passages_of(record.id)]
    assert len(texts) == 2
    assert not [text for text in texts if "del 3" in text]


@pytest.mark.slow
def test_a_renamed_file_is_not_embedded_again(indexed: Settings, embedder: HashEmbedder) -> None:
    (indexed.corpus / "asta.md").rename(indexed.corpus / "omdøbt.md")
    report = indexing.run(indexed, embedder)
    assert (report.added, report.removed) == (("omdøbt.md",), ("asta.md",))
    assert embedder.embedded == []


@pytest.mark.slow
def test_the_same_content_twice_is_one_document_with_two_paths(indexed: Settings, embedder: HashEmbedder) -> None:
    shutil.copy(indexed.corpus / "asta.md", indexed.corpus / "kopi.md")
    indexing.run(indexed, embedder)
    with closing(Store(_current(indexed) / builds.DATABASE_FILE)) as store:
        aliases = {stored.record.path: stored.aliases for stored in store.records()}
    assert aliases["asta.md"] == ("kopi.md",)
    assert "kopi.md" not in aliases


@pytest.mark.slow
def test_equal_sentences_in_two_reports_stay_two_passages(settings: Settings, embedder: HashEmbedder) -> None:
    same = "# Drift\n\nDriften skal aftales med leverandøren fra begyndelsen.\n"
    write_corpus(settings.corpus, {"et.md": same, "to.md": same + "\n"})
    report = indexing.run(settings, embedder)
    snapshot = open_snapshot(place_of(settings))
    alike = [p for p in snapshot.store.all_passages() if "fra begyndelsen" in p.passage.text]
    assert len({stored.passage.id for stored in alike}) == len(alike) == 2
    assert report.passages == len(snapshot.store)


@pytest.mark.slow
def test_full_reads_everything_and_embeds_nothing_again(indexed: Settings, embedder: HashEmbedder) -> None:
    before = builds.read_manifest(_current(indexed))
    report = indexing.run(indexed, embedder, full=True)
    assert report.published
    assert embedder.embedded == []
    assert builds.read_manifest(_current(indexed)).content == before.content


@pytest.mark.slow
def test_what_has_not_changed_is_not_cut_again(indexed: Settings) -> None:
    class Counting(HashEmbedder):
        counted = 0

        def count_tokens(self, text: str) -> int:
            self.counted += 1
            return super().count_tokens(text)

    embedder = Counting()
    (indexed.corpus / "ny.txt").write_text("En eneste sætning om nabohjælp i byen.\n", encoding="utf-8")
    indexing.run(indexed, embedder)
    few = embedder.counted
    indexing.run(indexed, embedder, full=True)
    assert 0 < few < 10 < embedder.counted - few


@pytest.mark.slow
def test_another_model_makes_its_own_vectors(indexed: Settings) -> None:
    other = HashEmbedder("anden", dimension=32)
    report = indexing.run(indexed, other)
    assert report.published
    assert builds.read_manifest(_current(indexed)).dimension == 32
    assert len(other.embedded) == report.embedded > 0


def test_one_bad_file_never_stops_a_run(settings: Settings, embedder: HashEmbedder) -> None:
    (settings.corpus / "brudt.pdf").write_bytes(b"%PDF-1.4 ikke mere")
    (settings.corpus / "tom.md").write_bytes(b"")
    (settings.corpus / "program.exe").write_bytes(b"MZ\x90\x00" + bytes(100))
    report = indexing.run(settings, embedder)
    assert report.documents == len(CORPUS)
    assert set(report.failed) == {"brudt.pdf", "tom.md", "program.exe"}
    assert all(failure["kode"] and failure["grund"] for failure in report.failed.values())
    assert not indexing.run(settings, embedder).published


@pytest.mark.slow
def test_odd_names_and_links_never_stop_a_run(settings: Settings, embedder: HashEmbedder) -> None:
    write_odd_files(settings.corpus)
    (settings.corpus / "0-link.md").symlink_to("asta.md")  # found before what it leads to
    report = indexing.run(settings, embedder)
    assert {path: failure["kode"] for path, failure in report.failed.items()} == ODD_SKIPPED
    assert set(ODD_READ) < set(report.added)
    assert report.documents == len(CORPUS) + len(ODD_READ)
    assert not indexing.run(settings, embedder).published


def test_a_folder_whose_name_is_not_utf8_is_told(settings: Settings, embedder: HashEmbedder) -> None:
    odd = settings.corpus.rename(settings.corpus.with_name("korpus-\udce6"))
    with pytest.raises(InputError, match="UTF-8"):
        indexing.run(settings, embedder, roots=[odd])
    with pytest.raises(CorpusMissingError):
        indexing.run(settings, embedder, roots=[Path("a" * 300)])


@pytest.mark.slow
def test_an_id_given_to_two_reports_is_refused_for_the_second(settings: Settings, embedder: HashEmbedder) -> None:
    for name in ("a.md", "b.md"):
        text = f"---\nid: et-og-samme\n---\n# {name}\n\nNoget om {name} og drift.\n"
        (settings.corpus / name).write_text(text, encoding="utf-8")
    report = indexing.run(settings, embedder)
    assert report.failed["b.md"]["kode"] == indexing.ID_TAKEN
    assert "a.md" in report.failed["b.md"]["grund"]


def test_a_corpus_that_does_not_exist_is_told(settings: Settings, embedder: HashEmbedder, tmp_path: Path) -> None:
    with pytest.raises(CorpusMissingError, match="findes ikke"):
        indexing.run(settings, embedder, roots=[tmp_path / "intet"])


@pytest.mark.slow
def test_when_nothing_can_be_read_any_more_the_old_index_stays(indexed: Settings, embedder: HashEmbedder) -> None:
    before = builds.current_id(indexed.index_dir)
    for name in CORPUS:
        (indexed.corpus / name).write_bytes(b"")
    with pytest.raises(IndexingError, match="uændret"):
        indexing.run(indexed, embedder)
    assert builds.current_id(indexed.index_dir) == before
    assert builds.build_ids(indexed.index_dir) == [before]


def test_a_first_run_that_reads_nothing_makes_no_index(settings: Settings, embedder: HashEmbedder) -> None:
    for number, name in enumerate(CORPUS):
        (settings.corpus / name).write_bytes(b" " * number)
    (settings.corpus / "brudt.pdf").write_bytes(b"%PDF-1.4 ikke mere")
    for _ in range(2):  # nor the second time, when all is known
        with pytest.raises(IndexingError, match="Der er ikke lavet noget indeks") as caught:
            indexing.run(settings, embedder)
        assert "asta.md og 3 til: Filen er tom." in str(caught.value)
        assert "brudt.pdf: " in str(caught.value)
        assert builds.build_ids(settings.index_dir) == []
        assert not (settings.index_dir / builds.CURRENT_FILE).exists()


@pytest.mark.slow
def test_an_empty_index_is_never_in_line_with_a_folder_of_files(settings: Settings, embedder: HashEmbedder) -> None:
    for name in CORPUS:
        (settings.corpus / name).unlink()
    indexing.run(settings, embedder)
    (settings.corpus / "tom.md").write_bytes(b"")
    for _ in range(2):
        with pytest.raises(IndexingError, match="uændret"):
            indexing.run(settings, embedder)


@pytest.mark.slow
def test_a_fault_of_the_installation_is_laid_on_no_file(
    indexed: Settings, embedder: HashEmbedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = builds.current_id(indexed.index_dir)
    (indexed.corpus / "asta.md").write_text(report_text("nabohjælp"), encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(broken_module(tmp_path / "halv", "selectolax")))
    with pytest.raises(InstallationError, match="No module named 'selectolax'"):
        indexing.run(indexed, embedder)
    assert builds.build_ids(indexed.index_dir) == [before]
    monkeypatch.delenv("PYTHONPATH")
    report = indexing.run(indexed, embedder)
    assert (report.changed, dict(report.failed)) == (("asta.md",), {})


def test_emptying_the_folder_empties_the_index(indexed: Settings, embedder: HashEmbedder) -> None:
    for name in CORPUS:
        (indexed.corpus / name).unlink()
    report = indexing.run(indexed, embedder)
    assert (report.documents, report.passages) == (0, 0)
    assert open_searcher(indexed, embedder).search("drift").hits == ()


@pytest.mark.slow
def test_two_folders_with_files_of_the_same_name(settings: Settings, embedder: HashEmbedder, tmp_path: Path) -> None:
    one = write_corpus(tmp_path / "et", {"r.md": report_text("vandløb")})
    two = write_corpus(tmp_path / "to", {"r.md": report_text("skolebørn")})
    assert indexing.run(settings, embedder, roots=[one, two]).documents == 2
    assert not indexing.run(settings, embedder, roots=[one, two]).published
    (one / "r.md").write_text(report_text("vandmiljø"), encoding="utf-8")
    assert indexing.run(settings, embedder, roots=[one, two]).published
    assert indexing.run(settings, embedder, roots=[two]).documents == 1


@pytest.mark.slow
def test_the_same_files_in_another_folder_are_a_new_index(settings: Settings, embedder: HashEmbedder) -> None:
    indexing.run(settings, embedder)
    moved = settings.corpus.rename(settings.corpus.with_name("flyttet"))
    assert indexing.run(settings, embedder, roots=[moved]).published
    snapshot = open_snapshot(place_of(settings))
    assert all(snapshot.file_of(id_).is_relative_to(moved) for id_ in snapshot.records)


@pytest.mark.slow
@pytest.mark.parametrize("file", [builds.VECTORS_FILE, builds.DATABASE_FILE, builds.MANIFEST_FILE])
def test_a_run_mends_a_damaged_build(indexed: Settings, embedder: HashEmbedder, file: str) -> None:
    path = _current(indexed) / file
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    assert indexing.run(indexed, embedder).published
    assert verify_build(place_of(indexed), builds.current_id(indexed.index_dir)) == []
    assert embedder.embedded == []


class Stop(Exception):
    pass


class StopAt:
    """Progress that cancels the run at a stage, or at the first step of one."""

    def __init__(self, stage: str, *, at_step: bool = False) -> None:
        self.wanted = stage
        self.at_step = at_step
        self.now = ""

    def stage(self, name: str, total: int) -> None:
        self.now = name
        if name == self.wanted and not self.at_step:
            raise Stop

    def step(self, count: int = 1, note: str = "") -> None:
        if self.now == self.wanted and self.at_step:
            raise Stop


STAGES_WITH_STEPS = ["læser", "skærer", "indlejrer", "indlejrer sætninger", "bygger"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "at_step"),
    [("efterprøver", False), *((stage, at_step) for stage in STAGES_WITH_STEPS for at_step in (False, True))],
)
def test_a_cancelled_run_leaves_the_old_build_and_loses_one_batch_at_most(
    indexed: Settings, embedder: HashEmbedder, monkeypatch: pytest.MonkeyPatch, stage: str, at_step: bool
) -> None:
    monkeypatch.setattr(prefetch, "MAX_HELD_PASSAGES", 0)  # every stage is to have steps of its own
    before = builds.current_id(indexed.index_dir)
    (indexed.corpus / "ny.md").write_text(report_text("nabohjælp", paragraphs=6), encoding="utf-8")
    with pytest.raises(Stop):
        indexing.run(indexed, embedder, progress=StopAt(stage, at_step=at_step))
    assert builds.current_id(indexed.index_dir) == before
    assert [path.name for path in builds.builds_dir(indexed.index_dir).iterdir()] == [before]
    report = indexing.run(indexed, embedder)
    assert report.added == ("ny.md",)
    assert len(embedder.embedded) - len(set(embedder.embedded)) <= indexed.batch_size


@pytest.mark.slow
@pytest.mark.parametrize(("stage", "at_step"), [("læser", True), ("skærer", False)])
def test_what_was_embedded_while_reading_is_kept_when_the_run_is_cancelled(
    settings: Settings, embedder: HashEmbedder, stage: str, at_step: bool
) -> None:
    write_corpus(settings.corpus, {f"{n}.md": report_text(f"emne{n}", paragraphs=6) for n in range(6)})
    with pytest.raises(Stop):
        indexing.run(settings, embedder, progress=StopAt(stage, at_step=at_step))
    early = list(embedder.embedded)
    indexing.run(settings, embedder)
    assert len(embedder.embedded) - len(set(embedder.embedded)) == 0
    assert not early or len(early) % settings.batch_size == 0


class WaitsForEmbedding(indexing.Silent):
    """Holds reading up after the last file until something is embedded."""

    def __init__(self, embedder: HashEmbedder) -> None:
        self._embedder = embedder
        self._reading = False
        self.embedded_while_reading = 0

    def stage(self, name: str, total: int) -> None:
        self._reading = name == "læser"

    def step(self, count: int = 1, note: str = "") -> None:
        if self._reading:
            until(lambda: bool(self._embedder.embedded))
            self.embedded_while_reading = len(self._embedder.embedded)


@pytest.mark.slow
def test_reports_are_embedded_while_others_are_read(settings: Settings, embedder: HashEmbedder) -> None:
    write_corpus(settings.corpus, {"asta.md": report_text("borgerservice", paragraphs=6)})
    progress = WaitsForEmbedding(embedder)
    report = indexing.run(settings, embedder, progress=progress)
    assert progress.embedded_while_reading > 0
    assert report.embedded == len(embedder.embedded) == len(set(embedder.embedded))


@pytest.mark.slow
def test_a_run_is_the_same_without_embedding_ahead(
    settings: Settings, embedder: HashEmbedder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_corpus(settings.corpus, {f"{n}.md": report_text(f"emne{n}", paragraphs=3) for n in range(3)})
    indexing.run(settings, embedder)
    monkeypatch.setattr(prefetch, "MAX_HELD_PASSAGES", 0)
    fresh = settings.model_copy(update={"index_dir": tmp_path / "forfra"})
    indexing.run(fresh, embedder)
    contents = [
        builds.read_manifest(builds.builds_dir(one.index_dir) / builds.current_id(one.index_dir)).content
        for one in (settings, fresh)
    ]
    assert contents[0] == contents[1]


def test_a_held_lock_is_told_with_its_holder(indexed: Settings, embedder: HashEmbedder) -> None:
    with indexing.lock(indexed.index_dir), pytest.raises(LockedError, match=r"proces \d+"):
        indexing.run(indexed, embedder)
    indexing.run(indexed, embedder)


@pytest.mark.slow
def test_a_lock_left_by_a_dead_process_does_not_hold(indexed: Settings, embedder: HashEmbedder) -> None:
    (indexed.index_dir / indexing.LOCK_FILE).write_text("proces 999999, begyndt i går\n", encoding="utf-8")
    (indexed.corpus / "ny.md").write_text(report_text("nabohjælp"), encoding="utf-8")
    assert indexing.run(indexed, embedder).published


@pytest.mark.slow
def test_rolling_back_and_forth(indexed: Settings, embedder: HashEmbedder) -> None:
    first = builds.current_id(indexed.index_dir)
    (indexed.corpus / "ny.md").write_text(report_text("nabohjælp"), encoding="utf-8")
    second = indexing.run(indexed, embedder).build_id
    assert indexing.roll_back(indexed) == first == builds.current_id(indexed.index_dir)
    assert indexing.roll_back(indexed, second) == second == builds.current_id(indexed.index_dir)
    with pytest.raises(NotFoundError):
        indexing.roll_back(indexed, "findes-ikke")
    with pytest.raises(NotFoundError, match="ældre"):
        indexing.roll_back(indexed, first) and indexing.roll_back(indexed)


@pytest.mark.slow
@pytest.mark.parametrize("named", ["", "findes-ikke"])
def test_rolling_back_mends_a_damaged_current(indexed: Settings, named: str) -> None:
    whole = builds.current_id(indexed.index_dir)
    (indexed.index_dir / builds.CURRENT_FILE).write_text(named, encoding="utf-8")
    assert indexing.roll_back(indexed) == whole == builds.current_id(indexed.index_dir)


@pytest.mark.slow
def test_a_set_number_of_builds_is_kept(tmp_path: Path, embedder: HashEmbedder) -> None:
    settings = make_settings(tmp_path, keep_builds=2)
    for number in range(4):
        write_corpus(settings.corpus, {"a.md": report_text(f"emne{number}")})
        indexing.run(settings, embedder)
    assert len(builds.build_ids(settings.index_dir)) == 2


@pytest.mark.slow
def test_documents_that_are_already_read_are_indexed_alike(settings: Settings, embedder: HashEmbedder) -> None:
    indexing.run(settings, embedder)
    snapshot = open_snapshot(place_of(settings))
    documents = [snapshot.document(id_).document for id_ in snapshot.records]
    own = settings.model_copy(update={"index_dir": settings.index_dir / "andet"})
    indexing.run_documents(own, embedder, documents)
    again = open_snapshot(place_of(own))
    assert list(again.store.all_passages()) == list(snapshot.store.all_passages())


@pytest.mark.slow
def test_indexing_works_from_a_script_without_a_main_guard(settings: Settings) -> None:
    script = f"""
from pathlib import Path
from kb import indexing
from tests.support import HashEmbedder, make_settings
report = indexing.run(make_settings(Path({str(settings.corpus.parent)!r})), HashEmbedder())
print(report.documents, len(report.failed))
"""
    home = Path(__file__).parents[3]
    done = subprocess.run([sys.executable], input=script, text=True, capture_output=True, cwd=home, check=True)
    assert done.stdout.split() == [str(len(CORPUS)), "0"]


class ChangeAt:
    """Progress that does something when a stage begins, a number of times."""

    def __init__(self, stage: str, change: Callable[[], object], times: int = 1) -> None:
        self.wanted = stage
        self.change = change
        self.times = times

    def stage(self, name: str, total: int) -> None:
        if name == self.wanted and self.times:
            self.times -= 1
            self.change()

    def step(self, count: int = 1, note: str = "") -> None:
        pass


@pytest.mark.slow
def test_a_file_that_changes_while_it_is_read_is_read_as_it_became(settings: Settings, embedder: HashEmbedder) -> None:
    """The reading must never be kept under the key of what the file was before."""
    target = settings.corpus / "asta.md"
    progress = ChangeAt("læser", lambda: target.write_text(report_text("ændringer"), encoding="utf-8"))
    report = indexing.run(settings, embedder, progress=progress)
    assert dict(report.failed) == {}
    texts = [stored.passage.text for stored in open_snapshot(place_of(settings)).store.all_passages()]
    assert any("ændringer" in text for text in texts)
    assert not [text for text in texts if "journalnotater" in text]
    assert not indexing.run(settings, embedder).published


@pytest.mark.slow
def test_a_file_that_is_removed_while_files_are_read_is_left_out(settings: Settings, embedder: HashEmbedder) -> None:
    progress = ChangeAt("læser", (settings.corpus / "asta.md").unlink)
    report = indexing.run(settings, embedder, progress=progress)
    assert report.documents == len(CORPUS) - 1
    assert dict(report.failed) == {}


@pytest.mark.slow
def test_a_file_that_never_comes_to_rest_is_told_and_tried_again_next_time(
    settings: Settings, embedder: HashEmbedder
) -> None:
    target = settings.corpus / "asta.md"

    def append() -> None:
        with target.open("a", encoding="utf-8") as file:
            file.write("\nEn linje mere om drift.\n")

    report = indexing.run(settings, embedder, progress=ChangeAt("læser", append, times=10))
    assert report.failed["asta.md"]["kode"] == indexing.CHANGED_MEANWHILE
    report = indexing.run(settings, embedder)
    assert dict(report.failed) == {}
    assert "asta.md" in report.added


@pytest.mark.slow
def test_page_images_of_removed_documents_go_with_them(indexed: Settings, embedder: HashEmbedder) -> None:
    snapshot = open_snapshot(place_of(indexed))
    shas = {stored.record.path: stored.record.sha256 for stored in snapshot.records.values()}
    images = indexed.index_dir / indexing.PAGE_IMAGES
    images.mkdir(parents=True)
    for path in ("asta.md", "noter.txt"):
        (images / f"{shas[path]}-1-0123456789abcdef.png").write_bytes(b"png")
    (indexed.corpus / "asta.md").unlink()
    indexing.run(indexed, embedder)
    assert [image.name.partition("-")[0] for image in images.iterdir()] == [shas["noter.txt"]]
