"""Syncing a folder: after it the copies equal the source, and nothing else in the corpus is touched."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from kb.core.errors import SourceError, SourceFileError, SourceShrunkError, StorageError
from kb.core.settings import Settings
from kb.operations import syncing
from kb.operations.source_jobs import is_due
from kb.operations.syncing import SyncReport, preview, preview_of, sync
from kb.sources.configuration import FolderSource
from kb.sources.copying import Copies
from kb.sources.folder import FolderConnector
from kb.sources.listing import RemoteFile
from kb.state.audit import Audit
from kb.state.sources import SourceState, SourceStore
from tests.support import make_settings

BY_HAND = "lagt ind i hånden"
EVERYTHING = 1000


class House:
    """A share, the corpus beside it, and the source between them."""

    def __init__(self, folder: Path, **more: object) -> None:
        self.share = folder / "drev"
        self.share.mkdir(parents=True)
        self.settings: Settings = make_settings(folder)
        self.settings.corpus.mkdir()
        values = {"name": "hr", "kind": "folder", "path": self.share, "settle_seconds": 0, "max_loss": 1.0, **more}
        self.source = FolderSource.model_validate(values)
        self.copies = Copies(self.settings.corpus, "hr")

    def write(self, name: str, text: str) -> None:
        path = self.share / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def sync(self, connector: FolderConnector | None = None, *, confirmed: int = 0) -> SyncReport:
        return sync(self.settings, self.source, by="prøve", confirmed=confirmed, connector=connector)

    def held(self) -> list[str]:
        """The contents of the copies, in order."""
        return sorted(self.copies.file(one).read_text("utf-8") for one in self.copies.names() if one.endswith(".md"))

    def wanted(self) -> list[str]:
        return sorted(path.read_text("utf-8") for path in self.share.rglob("*.md") if path.is_file())


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


NAMES = st.sampled_from(["a.md", "A.md", "mappe/a.md", "mappe/b.md", "a.md/c.md", "mappe/" + "ø" * 120 + ".md"])
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["skriv", "slet", "omdøb", "omdøb mappe", "synk", "ingen plads", "slet kopi"]), NAMES, NAMES
    ),
    min_size=3,
    max_size=9,
)


class FullDisk(FolderConnector):
    """Fails in the middle of a sync, as where the process is killed."""

    def fetch(self, file: RemoteFile, target: Path) -> None:
        super().fetch(file, target)
        raise OSError(errno.ENOSPC, "No space left on device")


def happen(house: House, event: str, one: str, other: str, number: int) -> None:
    """Do something to the share, or sync; what cannot be done to it as it is is left."""
    path, target = house.share / one, house.share / other
    try:
        if event == "skriv":
            house.write(one, f"indhold {number}")
        elif event == "slet":
            path.unlink()
        elif event == "omdøb" and path.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
        elif event == "omdøb mappe":
            (house.share / "mappe").rename(house.share / f"mappe {number}")
        elif event == "slet kopi":
            copies = (file for file in house.copies.root.rglob("*.md") if file.is_file())
            next(file for file in copies if file.read_text("utf-8") != BY_HAND).unlink()
        elif event == "ingen plads":
            house.sync(FullDisk(house.source), confirmed=EVERYTHING)
        elif event == "synk":
            house.sync(confirmed=EVERYTHING)
    except (OSError, StopIteration, StorageError):
        return


@pytest.mark.slow
@examples(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS)
def test_whatever_happens_the_copies_equal_the_source_after_a_sync(
    events: list[tuple[str, str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    house = House(tmp_path_factory.mktemp("hus"))
    by_hand = [house.settings.corpus / "indlagt" / "hånd.md", house.copies.root / "mappe" / "a.md"]
    for path in by_hand:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(BY_HAND, encoding="utf-8")
    for number, (event, one, other) in enumerate(events):
        happen(house, event, one, other, number)
    house.sync(confirmed=EVERYTHING)
    assert house.held() == sorted([*house.wanted(), BY_HAND])
    assert all(path.read_text("utf-8") == BY_HAND for path in by_hand)
    assert not house.sync(confirmed=EVERYTHING).changes
    assert not list(house.copies.root.glob(".*"))


def test_metadata_and_id_follow_a_renamed_tree(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.write("2023/a.md", "en")
    house.sync()
    sidecar = house.copies.root / "2023" / "a.md.meta.yaml"
    sidecar.write_text("titel: Rettet af redaktionen\n", encoding="utf-8")
    monkeypatch.setattr(syncing, "ids_by_path", lambda _: {"kilder/hr/2023/a.md": "kilder-hr-2023-a"})
    (house.share / "2023").rename(house.share / "arkiv")
    assert house.sync().renamed == {"2023/a.md": "arkiv/a.md"}
    moved = yaml.safe_load((house.copies.root / "arkiv" / "a.md.meta.yaml").read_text("utf-8"))
    assert moved == {"titel": "Rettet af redaktionen", "id": "kilder-hr-2023-a"}
    assert not (house.copies.root / "2023").exists()
    house.write("2023/a.md", "en helt anden")  # it must not come to want the id of the first
    assert "kilder/hr/2023/a.md" not in house.sync().paths
    assert house.held() == ["en", "en helt anden"]


def test_metadata_stay_when_the_content_changes_and_go_with_the_file(house: House) -> None:
    house.write("b.md", "bliver")
    house.write("a.md", "en")
    house.sync()
    sidecar = house.copies.root / "a.md.meta.yaml"
    sidecar.write_text("titel: Rettet\n", encoding="utf-8")
    house.write("a.md", "to og mere")
    assert house.sync().changed == ["a.md"]
    assert (house.held(), sidecar.is_file()) == (["bliver", "to og mere"], True)
    (house.share / "a.md").unlink()
    assert house.sync().deleted == ["a.md"]
    assert not sidecar.exists()


def test_two_files_that_only_look_the_same_are_no_rename(house: House) -> None:
    house.write("a.md", "en")
    house.sync()
    at = (house.share / "a.md").stat()
    (house.share / "a.md").unlink()
    house.write("b.md", "to")
    os.utime(house.share / "b.md", ns=(at.st_atime_ns, at.st_mtime_ns))
    report = house.sync()
    assert (report.renamed, report.new, report.deleted, house.held()) == ({}, ["b.md"], ["a.md"], ["to"])


def test_a_copy_that_was_replaced_here_is_the_houses_own(house: House) -> None:
    house.write("a.md", "en")
    house.sync()
    house.copies.file("a.md").write_text("erstattet af redaktionen", encoding="utf-8")
    house.write("a.md", "en ny udgave")
    report = house.sync()
    assert "ændret her" in report.failed["a.md"]
    (house.share / "a.md").unlink()
    house.sync()
    assert house.held() == ["erstattet af redaktionen"]
    assert SourceStore(house.settings.state_dir).files("hr") == []


def test_an_unmounted_or_empty_share_empties_nothing(tmp_path: Path) -> None:
    house = House(tmp_path, max_loss=0.25)
    for name in ("a.md", "b.md", "c.md"):
        house.write(name, name)
    house.sync()
    house.share.rename(tmp_path / "væk")
    with pytest.raises(SourceError, match="ikke tilsluttet"):
        house.sync()
    house.share.mkdir()
    with pytest.raises(SourceShrunkError, match="tom"):
        house.sync()
    assert "tom" in SourceStore(house.settings.state_dir).state("hr").error
    house.write("a.md", "a.md")
    with pytest.raises(SourceShrunkError, match="2 af 3"):
        house.sync(confirmed=1)
    assert house.held() == ["a.md", "b.md", "c.md"]
    house.sync(confirmed=2)
    assert house.held() == ["a.md"]
    assert [entry.event.action for entry in Audit(house.settings.state_dir).entries()] == [
        "kilde synkroniseret", *["kilde synkroniseret mislykkedes"] * 3, "kilde synkroniseret"
    ]  # fmt: skip


def test_a_preview_says_what_would_be_done_and_does_nothing(house: House) -> None:
    house.write("a.md", "en")
    house.write("film.mp4", "x")
    shown = preview(house.settings, house.source)
    assert (shown.summary, list(shown.new), shown.passed_over) == ("1 ny", ["a.md"], 1)
    assert preview_of(SourceStore(house.settings.state_dir).state("hr")) == shown
    assert not house.copies.root.exists()


def failing(error: Exception, path: str) -> Callable[[Settings, House], FolderConnector]:
    class Failing(FolderConnector):
        def fetch(self, file: RemoteFile, target: Path) -> None:
            if file.path == path:
                raise error
            super().fetch(file, target)

    return lambda _, house: Failing(house.source)


def test_a_file_that_cannot_be_had_is_told_of_by_name_and_stops_no_other(house: House) -> None:
    for name in ("a.md", "b.md"):
        house.write(name, name)
    report = house.sync(failing(SourceFileError("Den er låst."), "a.md")(house.settings, house))
    assert (report.failed, report.new) == ({"a.md": "Den er låst."}, ["b.md"])
    states = {one.path: one.reason for one in SourceStore(house.settings.state_dir).files("hr")}
    assert states == {"a.md": "Den er låst.", "b.md": ""}
    assert house.sync().new == ["a.md"]


def test_a_source_that_stops_answering_keeps_what_was_done(house: House) -> None:
    for name in ("a.md", "b.md"):
        house.write(name, name)
    report = house.sync(failing(SourceError("Serveren er væk."), "b.md")(house.settings, house))
    assert (report.stopped, report.paths) == ("Serveren er væk.", ["kilder/hr/a.md"])
    assert SourceStore(house.settings.state_dir).state("hr").error == "Serveren er væk."
    house.sync()
    assert house.held() == house.wanted()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every folder")
def test_a_folder_that_is_closed_loses_nothing(house: House) -> None:
    house.write("lukket/a.md", "en")
    house.sync()
    (house.share / "lukket").chmod(0)
    try:
        report = house.sync()
    finally:
        (house.share / "lukket").chmod(0o755)
    assert "åbnes" in report.failed["lukket"]
    assert house.held() == ["en"]


def test_links_out_of_the_folder_and_odd_names_are_not_taken(house: House, tmp_path: Path) -> None:
    (tmp_path / "hemmelig.md").write_text("hemmelig", encoding="utf-8")
    (house.share / "link.md").symlink_to(tmp_path / "hemmelig.md")
    (house.share / "to\nlinjer.md").write_text("x", encoding="utf-8")
    (house.share / os.fsdecode(b"\xe6.md")).write_text("x", encoding="utf-8")
    report = house.sync()
    assert house.held() == []
    assert sorted(report.failed) == ["\\xe6.md", "to\\nlinjer.md"]


def test_a_source_is_due_when_its_time_has_passed() -> None:
    now = datetime.now(UTC)
    source = FolderSource(name="hr", kind="folder", path=Path("/x"), every_minutes=60)
    tried = SourceState("hr", tried=(now - timedelta(minutes=59)).isoformat(timespec="seconds"))
    assert is_due(source, None, now)
    assert not is_due(source, tried, now)
    assert is_due(source, tried, now + timedelta(minutes=2))
    assert not is_due(source.model_copy(update={"every_minutes": 0}), None, now)
