from __future__ import annotations

import threading

import pytest

from kb import indexing
from kb.core.errors import CancelledError, IndexingError, NotFoundError
from kb.core.settings import Settings
from kb.core.state_place import StatePlace
from kb.state.runs import JobFile, RunStore, Status
from tests.support import CORPUS, HashEmbedder


def test_a_run_is_there_from_its_first_moment_to_its_report(place: StatePlace) -> None:
    with RunStore(place) as state:
        run_id = state.begin_run("prøven", job="j")
        state.begin_stage(run_id, "læser", 4)
        begun = state.run(run_id)
        assert (begun.status, begun.stage, begun.total, begun.seconds_left) == (Status.RUNNING, "læser", 4, None)
        state.advance(run_id, 1, "a.md")
        at_work = state.run(run_id)
        assert (at_work.done, at_work.note) == (1, "a.md")
        assert at_work.seconds_left is not None
        state.finish_run(run_id, Status.DONE, report={"added": ["a.md"]})
    with RunStore(place) as state:
        (done,) = state.runs()
        assert (done.status, dict(done.report), done.seconds_left) == (Status.DONE, {"added": ["a.md"]}, None)
        assert done.finished >= done.started
        assert state.run_of_job("j") == done
        assert state.run_of_job("andet") is None
        assert done.error == {}
        with pytest.raises(NotFoundError):
            state.run("findes ikke")


def test_a_run_that_was_killed_is_closed_by_the_next(place: StatePlace) -> None:
    with RunStore(place) as state:
        killed = state.begin_run("prøven")
        state.begin_run("prøven")
        assert state.run(killed).status is Status.INTERRUPTED
        assert state.run(killed).finished


@pytest.mark.slow
def test_every_run_leaves_its_report_or_its_error(settings: Settings, embedder: HashEmbedder) -> None:
    report = indexing.run(settings, embedder, started_by="prøven")
    for name in CORPUS:
        (settings.corpus / name).write_bytes(b"")
    with pytest.raises(IndexingError):
        indexing.run(settings, embedder)
    with RunStore(settings.state_dir) as state:
        failed, done = state.runs()
    assert done.id == report.run_id
    assert done.report["added"] == sorted(CORPUS)
    assert done.report["started_by"] == "prøven"
    assert (failed.status, failed.error["code"]) == (Status.FAILED, "indeksering-fejlede")


@pytest.mark.slow
def test_a_run_asked_to_stop_stops_at_its_next_stage(settings: Settings, embedder: HashEmbedder) -> None:
    class Asker:
        def stage(self, name: str, total: int) -> None:
            if name == "skærer":
                with RunStore(settings.state_dir) as state:
                    state.cancel_run(state.runs(1)[0].id)

        def step(self, count: int = 1, note: str = "") -> None:
            pass

    with pytest.raises(CancelledError, match="annulleret"):
        indexing.run(settings, embedder, progress=Asker())
    with RunStore(settings.state_dir) as state:
        assert state.runs(1)[0].status is Status.CANCELLED
    assert indexing.run(settings, embedder).published


def test_a_file_came_in_when_a_run_took_it_in_as_it_is(place: StatePlace) -> None:
    with RunStore(place) as state:

        def after(**report: list[str]) -> str:
            state.finish_run(state.begin_run("prøven"), Status.DONE, report=report)
            return state.arrival("a.md")

        first = after(added=["a.md", "b.md"])
        assert first
        assert after(unchanged=["a.md"]) == first
        assert after(added=["a.md"]) == first  # an index that was emptied takes all files in again
        assert after(changed=["a.md"]) > first
        assert after(removed=["a.md"]) == ""
        assert state.arrival("b.md") == first


def test_jobs_come_in_turn_and_like_ones_join(place: StatePlace) -> None:
    with RunStore(place) as state:
        first = state.add_job("a", files={"x.md": JobFile()})
        assert state.add_job("b", files={"y.md": JobFile()}).id == first.id
        assert set(state.job(first.id).files) == {"x.md", "y.md"}
        full = state.add_job("a", full=True)
        assert full.id > first.id
        claimed = state.claim_job(1)
        assert claimed is not None
        assert (claimed.id, claimed.status, claimed.owner) == (first.id, Status.RUNNING, 1)
        third = state.add_job("c")
        assert third.id not in {first.id, full.id}
        assert [job.id for job in state.jobs_at_work()] == [first.id]
        state.finish_job(first.id, Status.FAILED, "gik galt", "prøv igen")
        assert (state.job(first.id).error, state.job(first.id).advice) == ("gik galt", "prøv igen")
        assert state.cancel_job(full.id).status is Status.CANCELLED
        assert [job.id for job in state.jobs()] == [third.id, full.id, first.id]
        claimed = state.claim_job(1)
        assert claimed is not None
        assert claimed.id == third.id
        assert state.claim_job(1) is None
        assert not state.has_waiting_job()


def test_a_job_is_claimed_once_whoever_asks(place: StatePlace) -> None:
    with RunStore(place) as state:
        state.add_job("a")
    claimed = []

    def claim() -> None:
        with RunStore(place) as own:
            claimed.append(own.claim_job(1))

    threads = [threading.Thread(target=claim) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([job for job in claimed if job is not None]) == 1


def test_ids_sort_by_time_also_within_one_moment(place: StatePlace) -> None:
    with RunStore(place) as state:
        ids = [state.begin_run("prøven") for _ in range(30)]
        assert [run.id for run in state.runs(30)] == ids[::-1]
