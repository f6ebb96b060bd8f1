from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kb import indexing
from kb.core.errors import KbError
from kb.core.settings import Settings
from kb.index import builds
from kb.indexing import RunReport
from kb.indexing.watching import Listener, Pace, folder_state, watch
from tests.support import CORPUS, ODD_SKIPPED, HashEmbedder, broken_module, report_text, write_corpus, write_odd_files
from tests.timing import until

PACE = Pace(interval=0.05, settle=0.4)


@dataclass
class Watched:
    settings: Settings
    reports: list[RunReport] = field(default_factory=list)
    errors: list[KbError] = field(default_factory=list)


@pytest.fixture
def watched(settings: Settings) -> Iterator[Watched]:
    """A folder being watched from another thread, after its first run."""
    seen = Watched(settings)
    stop = threading.Event()
    listener = Listener(seen.reports.append, seen.errors.append)
    thread = threading.Thread(
        target=watch, args=(settings, HashEmbedder(), listener, stop), kwargs={"pace": PACE}, daemon=True
    )
    thread.start()
    try:
        until(lambda: len(seen.reports) == 1)
        yield seen
    finally:
        stop.set()
        thread.join(30)
    assert not thread.is_alive()


@pytest.mark.slow
def test_files_are_taken_in_as_they_come_change_and_go(watched: Watched) -> None:
    corpus = watched.settings.corpus
    assert watched.reports[0].added == tuple(sorted(CORPUS))
    write_corpus(corpus, {"ny.md": report_text("nabohjælp")})
    until(lambda: len(watched.reports) == 2)
    assert watched.reports[1].added == ("ny.md",)
    (corpus / "ny.md.meta.yaml").write_text("myndighed: Odense Kommune\n", encoding="utf-8")
    until(lambda: len(watched.reports) == 3)
    assert watched.reports[2].changed == ("ny.md",)
    (corpus / "ny.md").unlink()
    until(lambda: len(watched.reports) == 4)
    assert watched.reports[3].removed == ("ny.md",)
    assert watched.reports[3].started_by == "kb index --watch"


class Copying(threading.Event):
    """What ends the watching, and grows a file by a piece at each poll once ``begun``."""

    def __init__(self, target: Path, versions: Sequence[str]) -> None:
        super().__init__()
        self._target = target
        self.begun = False
        self.left = list(versions)

    def wait(self, timeout: float | None = None) -> bool:
        if self.begun and self.left:
            self._target.write_text(self.left.pop(0), encoding="utf-8")
        return super().wait(timeout)


@pytest.mark.slow
def test_a_file_still_being_copied_is_waited_for(settings: Settings) -> None:
    text = report_text("nabohjælp", paragraphs=8)
    versions = [text[:end] for end in range(200, len(text), 200)]
    copying = Copying(settings.corpus / "langsom.md", [*versions, text])
    reports: list[tuple[RunReport, int]] = []

    def indexed(report: RunReport) -> None:
        reports.append((report, len(copying.left)))
        copying.begun = True
        if len(reports) == 2:
            copying.set()

    watch(settings, HashEmbedder(), Listener(indexed, lambda error: pytest.fail(str(error))), copying, pace=PACE)
    report, left = reports[1]
    assert (report.added, left) == (("langsom.md",), 0)


@pytest.mark.slow
def test_nothing_is_done_while_nothing_changes(watched: Watched) -> None:
    build_id = builds.current_id(watched.settings.index_dir)
    time.sleep(1.5)
    assert len(watched.reports) == 1
    assert builds.current_id(watched.settings.index_dir) == build_id


@pytest.mark.slow
def test_a_run_that_is_shut_out_is_tried_again(watched: Watched) -> None:
    with indexing.lock(watched.settings.index_dir):
        write_corpus(watched.settings.corpus, {"ny.md": report_text("nabohjælp")})
        until(lambda: bool(watched.errors))
    until(lambda: len(watched.reports) == 2)
    assert {error.code for error in watched.errors} == {"indeksering-i-gang"}


@pytest.mark.slow
def test_odd_names_and_links_are_told_of_and_the_rest_goes_on(watched: Watched) -> None:
    write_odd_files(watched.settings.corpus)
    until(lambda: len(watched.reports) == 2)
    assert set(watched.reports[1].failed) == set(ODD_SKIPPED)
    write_corpus(watched.settings.corpus, {"ny.md": report_text("nabohjælp")})
    until(lambda: len(watched.reports) == 3)
    assert watched.reports[2].added == ("ny.md",)
    (watched.settings.corpus / "rundt.md").unlink()
    until(lambda: len(watched.reports) == 4)
    assert set(watched.reports[3].failed) == set(ODD_SKIPPED) - {"rundt.md"}
    assert watched.errors == []


@pytest.mark.slow
def test_a_run_in_half_an_installation_is_tried_again(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(broken_module(tmp_path / "halv", "selectolax")))
    write_corpus(watched.settings.corpus, {"ny.md": report_text("nabohjælp")})
    until(lambda: bool(watched.errors))
    monkeypatch.delenv("PYTHONPATH")
    until(lambda: len(watched.reports) == 2)
    assert {error.code for error in watched.errors} == {"installation-mangelfuld"}
    assert watched.reports[1].added == ("ny.md",)


@pytest.mark.slow
def test_a_folder_that_goes_away_is_told_and_taken_in_when_it_is_back(watched: Watched) -> None:
    corpus = watched.settings.corpus
    corpus.rename(corpus.with_name("væk"))
    until(lambda: bool(watched.errors))
    assert watched.errors[0].code == "korpus-mangler"
    write_corpus(corpus.with_name("væk"), {"ny.md": report_text("nabohjælp")})
    shutil.move(corpus.with_name("væk"), corpus)
    until(lambda: len(watched.reports) == 2)
    assert watched.reports[1].added == ("ny.md",)


def test_the_state_is_of_what_indexing_would_read(settings: Settings) -> None:
    before = folder_state([settings.corpus])
    (settings.corpus / ".skjult.md").write_text("x", encoding="utf-8")
    (settings.corpus / "~$asta.docx").write_text("x", encoding="utf-8")
    assert folder_state([settings.corpus]) == before
    (settings.corpus / "asta.md").write_text("Ny tekst.", encoding="utf-8")
    assert folder_state([settings.corpus]) != before
    assert folder_state([settings.corpus / "findes ikke"]) == {}


def test_polling_takes_at_most_a_tenth_of_the_time() -> None:
    pace = Pace(interval=2.0, settle=5.0)
    assert pace.wait_after(0.01) == 2.0
    slow = 3.0
    assert slow / (slow + pace.wait_after(slow)) == pytest.approx(0.1)
