"""Background runs: one at a time, asked for twice and run once more, remembered across a restart."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable

import pytest

from kb import indexing
from kb.jobs import FILE, Job, Jobs, JobState
from kb.settings import Settings
from tests.support import HashEmbedder, report_text


def wait(found: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ended(jobs: Jobs, job: Job) -> Job:
    def over() -> bool:
        now = jobs.get(job.id)
        return now is not None and now.is_over

    wait(over)
    found = jobs.get(job.id)
    assert found is not None
    return found


def test_a_run_tells_what_became_of_each_file(settings: Settings) -> None:
    (settings.corpus / "i stykker.pdf").write_bytes(b"%PDF-1.7 og ikke mere")
    jobs = Jobs(settings, HashEmbedder())
    job = ended(jobs, jobs.start(by="prøven", files=["asta.md", "i stykker.pdf"]))
    assert job.state is JobState.DONE
    assert job.files["asta.md"] == "kan findes nu"
    assert "PDF" in job.files["i stykker.pdf"]
    assert job.report["documents"] == 4


def test_what_is_asked_for_during_a_run_is_run_once_more(settings: Settings) -> None:
    jobs = Jobs(settings, HashEmbedder(batch_seconds=0.2))
    first = jobs.start(by="prøven")
    wait(lambda: (jobs.get(first.id) or first).stage == "indlejrer")
    (settings.corpus / "sen.md").write_text(report_text("sneplove"), encoding="utf-8")
    second, third = jobs.start(by="prøven", files=["sen.md"]), jobs.start(by="prøven", files=["sen2.md"])
    assert first.id != second.id == third.id
    assert set(third.files) == {"sen.md", "sen2.md"}
    assert ended(jobs, second).report["documents"] == 5
    assert [job.state for job in jobs.newest()] == [JobState.DONE, JobState.DONE]


def test_a_run_that_cannot_start_says_why(settings: Settings) -> None:
    settings.index_dir.mkdir(parents=True)
    jobs = Jobs(settings, HashEmbedder())
    with indexing.lock(settings.index_dir):
        job = ended(jobs, jobs.start(by="prøven"))
    assert job.state is JobState.FAILED
    assert "anden indeksering" in job.error
    assert ended(jobs, jobs.start(by="prøven")).state is JobState.DONE


def test_jobs_are_remembered_and_broken_ones_known_as_such(settings: Settings) -> None:
    jobs = Jobs(settings, HashEmbedder())
    done = ended(jobs, jobs.start(by="prøven"))
    with sqlite3.connect(settings.state_dir / FILE) as connection:
        died = {**done.as_dict(), "id": "død", "state": "i gang"}
        connection.execute("INSERT INTO jobs VALUES ('død', ?)", (json.dumps(died),))
    connection.close()
    again = Jobs(settings, HashEmbedder())
    assert again.get(done.id) == done
    broken = again.get("død")
    assert broken is not None
    assert broken.state is JobState.INTERRUPTED


@pytest.mark.parametrize("name", ["nøgle", "job"])
def test_there_is_no_job_of_another_id(settings: Settings, name: str) -> None:
    assert Jobs(settings, HashEmbedder()).get(name) is None
