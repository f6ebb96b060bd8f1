"""Kills a PostgreSQL server under load, and looks at what is in the state afterwards.

Several threads write events, pairs of rows and counts without pause, as servers would; a job is carried on meanwhile.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from kb.core.errors import StateUnavailableError
from kb.core.state_place import StateUrl
from kb.state.audit import Audit, Event
from kb.state.lessons import LessonStore
from kb.state.postgresql_repository import PostgresqlRepository, close_pools
from kb.state.runs import RunStore, Status
from kb.state.upload_names import UploadNames
from tests.postgresql import Cluster

WRITERS = 3
# What is written between two kills at the least, and how long that may take.
BETWEEN_KILLS = 10
PATIENCE = 60.0


@dataclass
class DatabaseTally:
    """What was seen: kills, what was said to be written, what was refused meanwhile, and everything that was wrong."""

    kills: int = 0
    written: int = 0
    refused: int = 0
    jobs_done: int = 0
    problems: list[str] = field(default_factory=list)


class _Load:
    """Writes until it is over."""

    def __init__(self, url: StateUrl, tally: DatabaseTally) -> None:
        self.over = threading.Event()
        self._url = url
        self._tally = tally
        self._lock = threading.Lock()
        work = [*(lambda writer=writer: self._write(writer) for writer in range(WRITERS)), self._carry_out_jobs]
        self._threads = [threading.Thread(target=one) for one in work]

    def begin(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self.over.set()
        for thread in self._threads:
            thread.join()

    def wait_for_writes(self) -> None:
        wanted, until = self._tally.written + BETWEEN_KILLS, time.monotonic() + PATIENCE
        while self._tally.written < wanted:
            if time.monotonic() > until:
                self._tally.problems.append("der blev ikke skrevet igen")
                return
            time.sleep(0.01)

    def _write(self, writer: int) -> None:
        number = 0
        while not self.over.is_set():
            number += 1
            try:
                Audit(self._url).write(Event("rapport slettet", who=f"skriver {writer}", target=str(number)))
                with PostgresqlRepository(self._url).transaction() as database:
                    for half in ("a", "b"):
                        database.execute("INSERT INTO uploads VALUES (?,?)", (f"{writer}-{number}-{half}", half))
                LessonStore(self._url).count_question(refused=False)
            except StateUnavailableError:
                with self._lock:
                    self._tally.refused += 1
                time.sleep(0.05)
            else:
                with self._lock:
                    self._tally.written += 1

    def _carry_out_jobs(self) -> None:
        with RunStore(self._url, patience=PATIENCE) as state:
            while not self.over.is_set():
                try:
                    asked = state.add_job("prøven")
                except StateUnavailableError:
                    continue
                while (job := state.claim_job(1)) is None:  # its taking was lost on the way: it is put back
                    for lost in state.jobs_at_work():
                        state.requeue_job(lost)
                state.finish_job(job.id, Status.DONE)
                if state.job(asked.id).status.over:
                    self._tally.jobs_done += 1


def torment(server: Cluster, kills: int) -> DatabaseTally:
    """Kill the server so many times while much is written, and check what is there at the end."""
    url, tally = server.new_state(), DatabaseTally()
    PostgresqlRepository(url).bring_up_to_date()
    load = _Load(url, tally)
    load.begin()
    try:
        while tally.kills < kills and not tally.problems:
            load.wait_for_writes()
            server.kill()
            tally.kills += 1
            server.start()
        load.wait_for_writes()
    finally:
        load.end()
    _check(url, tally)
    close_pools()
    return tally


def _check(url: StateUrl, tally: DatabaseTally) -> None:
    """What was said to be written is there; of what was under way, all or nothing."""
    if broken := Audit(url).broken():
        tally.problems.append(f"hændelsesloggen er brudt ved {broken}")
    pairs = Counter(path.rpartition("-")[0] for path in UploadNames(url).all())
    tally.problems.extend(f"{pair} er halvt skrevet" for pair, rows in pairs.items() if rows != 2)
    there = {
        "hændelser": len(Audit(url).entries()),
        "par": len(pairs),
        "optællinger": LessonStore(url).question_counts().asked,
    }
    fewer = {name: count for name, count in there.items() if count < tally.written}
    tally.problems.extend(f"{name}: {count} af {tally.written}" for name, count in fewer.items())
    with RunStore(url) as state:
        if left := [job.id for job in state.jobs(1000) if not job.status.over]:
            tally.problems.append(f"job blev ikke gjort: {left}")
