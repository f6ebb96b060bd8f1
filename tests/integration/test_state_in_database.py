"""A server whose state is in PostgreSQL: jobs that outlive the database's death, and what is said while it is away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from kb.core.identity import AccessRole
from kb.core.settings import Settings
from kb.http.server import make_app
from kb.http.shared import Shared, server_secret
from kb.operations.jobs import LOOKS_UNTIL_LOST, RECOVERY_INTERVAL, Jobs, JobState, OtherMachines
from kb.state.keys import KeyStore
from kb.state.postgresql_repository import close_pools
from kb.state.runs import RunStore, Status, StoredJob
from tests.postgresql import PASSWORD, Cluster, in_database
from tests.support import HashEmbedder
from tests.timing import until

pytestmark = pytest.mark.slow


@pytest.fixture
def database(indexed: Settings, mortal: Cluster) -> Iterator[Settings]:
    """The small corpus, indexed, with its state in a database that may be killed."""
    yield in_database(indexed, mortal.new_state())
    close_pools()


def test_a_job_outlives_the_death_of_the_database(database: Settings, mortal: Cluster) -> None:
    jobs = Jobs(database, HashEmbedder(batch_seconds=0.5))
    job = jobs.start(by="prøven", full=True)

    def stage() -> str:
        found = jobs.get(job.id)
        assert found is not None
        return found.stage

    until(lambda: stage() not in {"", "finder"})
    mortal.kill()
    mortal.start()
    with RunStore(database.state, patience=120) as state:
        until(lambda: state.job(job.id).status.over, seconds=120)
        assert state.job(job.id).status is Status.DONE
        assert [one.id for one in state.jobs()] == [job.id]


def test_a_machine_that_shows_no_life_is_given_up_after_so_many_looks(database: Settings) -> None:
    with RunStore(database.state) as state:
        state.add_job("prøven")
        seen = state.claim_job(1)
        assert seen is not None
        gone, elsewhere = replace(seen, host="en anden maskine"), OtherMachines()
        moments = [look * RECOVERY_INTERVAL for look in range(LOOKS_UNTIL_LOST + 1)]
        assert [elsewhere.is_lost(gone, moment) for moment in moments] == [False] * LOOKS_UNTIL_LOST + [True]
        # A sign of life begins the count anew, however long nobody could look.
        assert not elsewhere.is_lost(replace(gone, beats=gone.beats + 1), moments[-1] + 9999)


def test_a_job_of_another_machine_is_left_to_it_and_done_here_when_that_is_gone(database: Settings) -> None:
    with RunStore(database.state) as state:
        job = state.add_job("prøven")
        state.claim_job(1)
        with_other_host(database, "en anden maskine")
        jobs = Jobs(database, HashEmbedder())
        jobs.recover()
        assert state.job(job.id).status is Status.RUNNING
        lost = OtherMachinesGone()
        jobs._elsewhere = lost
        jobs.recover()
        until(lambda: state.job(job.id).status is JobState.DONE)


class OtherMachinesGone(OtherMachines):
    """No other machine shows life."""

    def is_lost(self, job: StoredJob, now: float) -> bool:
        return True


def with_other_host(settings: Settings, name: str) -> None:
    from kb.state.repository import repository_of

    with repository_of(settings.state).transaction() as held:
        held.execute("UPDATE jobs SET host = ?", (name,))


def test_servers_of_one_state_sign_alike_and_those_of_a_file_each_for_itself(
    database: Settings, settings: Settings
) -> None:
    assert server_secret(database) == server_secret(database)
    assert Shared.alone(database).secret == server_secret(database)
    filed = database.model_copy(update={"state_url": settings.state_url})
    assert server_secret(filed) != server_secret(filed)


def client_of(settings: Settings) -> FlaskClient:
    return make_app(settings, HashEmbedder()).test_client()


def test_a_server_says_that_the_database_is_away_and_answers_when_it_is_back(
    database: Settings, mortal: Cluster
) -> None:
    closed = database.model_copy(update={"access": "closed"})
    _key, secret = KeyStore(closed.state).create("læser", AccessRole.READER)
    named = {"Authorization": f"Bearer {secret}"}
    client = client_of(closed)
    assert client.get("/api/v1/themes", headers=named).status_code == 200
    mortal.kill()
    api = client.get("/api/v1/themes", headers=named)
    assert (api.status_code, api.get_json()["type"].rpartition("#")[2]) == (503, "tilstand-utilgaengelig")
    assert "Retry-After" in api.headers
    assert client.get("/api/v1/health/live").status_code == 200
    page = client.get("/", headers={**named, "Accept": "text/html"})
    assert page.status_code == 503
    assert "Databasen med tilstanden svarer ikke" in page.get_data(as_text=True)
    for said in (api, page):
        assert PASSWORD not in said.get_data(as_text=True)
        assert str(mortal.folder) not in said.get_data(as_text=True)
    mortal.start()
    until(lambda: client.get("/api/v1/themes", headers=named).status_code == 200)
