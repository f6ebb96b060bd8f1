"""Background runs: one at a time, asked for twice and run once more, cancellable, remembered across a restart."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from kb import indexing
from kb.core.errors import NotFoundError
from kb.core.settings import Settings
from kb.index import builds
from kb.operations.jobs import Job, Jobs, JobState
from kb.retrieval.snapshot_holder import SnapshotHolder
from kb.state.runs import JobFile, RunStore
from tests.support import ODD_SKIPPED, HashEmbedder, broken_module, report_text, write_odd_files
from tests.timing import until


def now(jobs: Jobs, job: Job) -> Job:
    found = jobs.get(job.id)
    assert found is not None
    return found


def ended(jobs: Jobs, job: Job) -> Job:
    until(lambda: now(jobs, job).is_over)
    return now(jobs, job)


def test_a_run_tells_what_became_of_each_file(settings: Settings) -> None:
    (settings.corpus / "i stykker.pdf").write_bytes(b"%PDF-1.7 og ikke mere")
    jobs = Jobs(settings, HashEmbedder())
    job = ended(jobs, jobs.start(by="prøven", files=["asta.md", "i stykker.pdf"]))
    assert job.state is JobState.DONE
    assert job.files["asta.md"] == JobFile("kan findes nu", over=True)
    assert "PDF" in job.files["i stykker.pdf"].state
    assert job.report["documents"] == 4
    with RunStore(settings.state_dir) as state:
        assert state.run(job.run_id).started_by == "prøven"


def test_why_a_file_cannot_be_read_is_told_before_the_run_is_over(settings: Settings) -> None:
    (settings.corpus / "i stykker.pdf").write_bytes(b"%PDF-1.7 og ikke mere")
    jobs = Jobs(settings, HashEmbedder(batch_seconds=0.3))
    refused = {"program.exe": "Filen er et program og kan ikke læses."}
    job = jobs.start(by="prøven", files=["asta.md", "i stykker.pdf"], refused=refused)
    until(lambda: now(jobs, job).stage.startswith("indlejrer"))
    found = now(jobs, job)
    assert not found.is_over
    assert (found.files["asta.md"].over, found.files["i stykker.pdf"].over) == (False, True)
    assert "PDF" in found.files["i stykker.pdf"].state
    told = ended(jobs, job).files
    assert told["i stykker.pdf"] == found.files["i stykker.pdf"]
    assert told["program.exe"] == JobFile(refused["program.exe"], over=True)


def test_a_file_that_is_gone_when_the_run_begins_is_told_of(settings: Settings) -> None:
    jobs = Jobs(settings, HashEmbedder())
    job = ended(jobs, jobs.start(by="prøven", files=["væk.md"]))
    assert job.files["væk.md"] == JobFile("ligger ikke længere i mappen med rapporter", over=True)


def test_what_is_asked_for_during_a_run_is_run_once_more(settings: Settings) -> None:
    jobs = Jobs(settings, HashEmbedder(batch_seconds=0.3))
    first = jobs.start(by="prøven")
    until(lambda: now(jobs, first).stage.startswith("indlejrer"))
    (settings.corpus / "sen.md").write_text(report_text("sneplove"), encoding="utf-8")
    second, third = jobs.start(by="prøven", files=["sen.md"]), jobs.start(by="prøven", files=["sen2.md"])
    assert first.id != second.id == third.id
    assert set(third.files) == {"sen.md", "sen2.md"}
    assert [job.state for job in jobs.newest()] == [JobState.WAITING, JobState.RUNNING]
    assert ended(jobs, second).report["documents"] == 5
    assert [job.state for job in jobs.newest()] == [JobState.DONE, JobState.DONE]


def test_progress_tells_stage_steps_and_time_left(settings: Settings) -> None:
    jobs = Jobs(settings, HashEmbedder(batch_seconds=0.3))
    job = jobs.start(by="prøven", files=["asta.md"])
    found = job

    def is_seen() -> bool:
        nonlocal found
        found = now(jobs, job)
        return found.seconds_left is not None and found.stage == "indlejrer sætninger"

    until(is_seen)
    assert 0 < found.done <= found.total
    assert found.files["asta.md"].state == "indlejrer sætninger …"
    assert ended(jobs, job).state is JobState.DONE


def test_a_run_waits_for_another_that_has_the_index(settings: Settings) -> None:
    settings.index_dir.mkdir(parents=True)
    jobs = Jobs(settings, HashEmbedder())
    with indexing.lock(settings.index_dir):
        job = jobs.start(by="prøven", files=["asta.md"])
        until(lambda: "anden indeksering" in now(jobs, job).files["asta.md"].state)
    assert ended(jobs, job).state is JobState.DONE


def test_a_run_that_cannot_be_made_says_why(settings: Settings) -> None:
    jobs = Jobs(settings.model_copy(update={"corpus": settings.corpus / "findes ikke"}), HashEmbedder())
    job = ended(jobs, jobs.start(by="prøven", files=["asta.md"]))
    assert job.state is JobState.FAILED
    assert job.files == {"asta.md": JobFile("kom ikke med", over=True)}
    assert "findes ikke" in job.error
    assert job.advice


def test_odd_names_and_links_are_told_of_and_the_rest_can_be_found(settings: Settings) -> None:
    write_odd_files(settings.corpus)
    jobs = Jobs(settings, HashEmbedder())
    job = ended(jobs, jobs.start(by="prøven", files=["asta.md"]))
    assert (job.state, job.error) == (JobState.DONE, "")
    assert set(job.report["failed"]) == set(ODD_SKIPPED)
    assert job.files == {"asta.md": JobFile("kan findes nu", over=True)}


def test_a_run_in_which_no_file_can_be_read_fails_and_makes_no_index(settings: Settings) -> None:
    for file in settings.corpus.rglob("*.*"):
        file.write_bytes(b"")
    jobs = Jobs(settings, HashEmbedder())
    job = ended(jobs, jobs.start(by="prøven", files=["asta.md"]))
    assert job.state is JobState.FAILED
    assert "Ingen af filerne kunne læses" in job.error
    assert job.files == {"asta.md": JobFile("Filen er tom.", over=True)}
    assert builds.build_ids(settings.index_dir) == []


@pytest.mark.parametrize("module", ["selectolax", "tantivy"])
def test_a_run_in_half_an_installation_says_so(
    indexed: Settings, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reading process lacks the one, the run's own process the other."""
    before = builds.current_id(indexed.index_dir)
    (indexed.corpus / "ny.md").write_text(report_text("sneplove"), encoding="utf-8")
    jobs = Jobs(indexed, HashEmbedder())
    monkeypatch.syspath_prepend(str(broken_module(tmp_path / "halv", module)))
    job = ended(jobs, jobs.start(by="prøven", files=["ny.md"]))
    assert (job.state, "beskadiget" in job.error) == (JobState.FAILED, False)
    assert "Installér pakkerne igen" in job.advice
    assert job.files == {"ny.md": JobFile("kom ikke med", over=True)}
    assert builds.current_id(indexed.index_dir) == before


def test_a_job_at_work_and_one_that_waits_can_be_cancelled(indexed: Settings) -> None:
    before = builds.current_id(indexed.index_dir)
    (indexed.corpus / "ny.md").write_text(report_text("sneplove", paragraphs=8), encoding="utf-8")
    jobs = Jobs(indexed, HashEmbedder(batch_seconds=0.3))
    first = jobs.start(by="prøven")
    until(lambda: now(jobs, first).stage.startswith("indlejrer"))
    second = jobs.start(by="prøven", files=["asta.md"])
    assert jobs.cancel(second.id).state is JobState.CANCELLED
    assert now(jobs, second).files == {"asta.md": JobFile("annulleret", over=True)}
    assert jobs.cancel(first.id).stopping
    assert ended(jobs, first).state is JobState.CANCELLED
    assert builds.current_id(indexed.index_dir) == before
    with RunStore(indexed.state_dir) as state:
        assert state.runs(1)[0].status is JobState.CANCELLED
    with pytest.raises(NotFoundError):
        jobs.cancel("findes ikke")


def test_a_process_that_crashes_fails_its_job_and_not_the_server(indexed: Settings) -> None:
    holder = SnapshotHolder(indexed, HashEmbedder())
    (indexed.corpus / "ny.md").write_text(report_text("sneplove", paragraphs=8), encoding="utf-8")
    jobs = Jobs(indexed, HashEmbedder(batch_seconds=0.3))
    job = jobs.start(by="prøven")
    until(lambda: now(jobs, job).stage.startswith("indlejrer"))
    with RunStore(indexed.state_dir) as state:
        os.kill(state.job(job.id).owner, signal.SIGKILL)
    found = ended(jobs, job)
    assert (found.state, "gik ned" in found.error) == (JobState.FAILED, True)
    assert holder.searcher().search("faldrisiko").hits
    again = ended(jobs, jobs.start(by="prøven"))
    assert again.state is JobState.DONE
    with RunStore(indexed.state_dir) as state:
        assert state.run(found.run_id).status is JobState.INTERRUPTED


def test_a_job_that_died_is_taken_up_also_where_the_machine_has_another_name_now(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RunStore(settings.state_dir) as state, monkeypatch.context() as before:
        before.setattr("kb.state.runs.this_host", lambda: "containeren før")
        died = state.add_job("prøven")
        state.own_job(died.id, 2**22 + 1)
    jobs = Jobs(settings, HashEmbedder())
    until(lambda: now(jobs, jobs.newest()[0]).is_over)
    assert now(jobs, jobs.newest()[0]).state is JobState.DONE


def test_jobs_are_remembered_and_those_that_died_with_the_server_are_taken_up(settings: Settings) -> None:
    jobs = Jobs(settings, HashEmbedder())
    done = ended(jobs, jobs.start(by="prøven"))
    with RunStore(settings.state_dir) as state:
        died = state.add_job("prøven", files={"asta.md": JobFile()})
        state.own_job(died.id, 2**22 + 1)  # no process has so high a number
    again = Jobs(settings, HashEmbedder())
    assert again.get(done.id) == done
    until(lambda: (again.get(died.id) or done).is_over)
    found = again.get(died.id)
    assert found is not None
    assert (found.state, found.files) == (JobState.DONE, {"asta.md": JobFile("kan findes nu", over=True)})


@pytest.mark.parametrize("name", ["nøgle", "job"])
def test_there_is_no_job_of_another_id(settings: Settings, name: str) -> None:
    assert Jobs(settings, HashEmbedder()).get(name) is None
