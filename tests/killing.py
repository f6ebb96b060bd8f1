"""Kills indexing runs at random moments while a server answers, and checks after each kill that nothing is lost.

A helper process imports everything once and forks a child for each run, so that a run costs no start-up; the child is
what is killed. The server is a :class:`SnapshotHolder` searched without pause from a thread of the caller's process.
"""

from __future__ import annotations

import collections
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kb import indexing
from kb.core.settings import Settings
from kb.index import builds
from kb.index.places import place_of
from kb.index.verification import verify_build
from kb.retrieval.opening import open_snapshot
from kb.retrieval.snapshot_holder import SnapshotHolder
from kb.state.runs import RunStore, Status
from tests.support import HashEmbedder, make_settings, report_text, write_corpus

HOME = Path(__file__).parents[1]
BATCH_SECONDS = 0.06
STAGES = ("læser", "skærer", "indlejrer", "indlejrer sætninger", "bygger", "efterprøver", "offentliggør")


@dataclass
class Tally:
    """What was seen: kills by the stage they fell in, searches answered, and everything that was wrong."""

    kills: int = 0
    stages: collections.Counter[str] = field(default_factory=collections.Counter)
    completed: int = 0
    searches: int = 0
    embedded_again: int = 0
    most_again: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Moment:
    """So many seconds after a run began, or after it came to a stage."""

    seconds: float
    stage: str = ""

    @classmethod
    def draw(cls, draw: random.Random, usual: float) -> Moment:
        if draw.random() < 0.5:
            return cls(draw.uniform(0, usual))
        return cls(draw.uniform(0, 0.15), draw.choice(STAGES))

    def wait_for(self, pid: int, state: RunStore) -> None:
        while self.stage and not _has_ended(pid):
            newest = state.runs(1)[0]
            if newest.status is Status.RUNNING and newest.stage == self.stage:
                break
            time.sleep(0.003)
        time.sleep(self.seconds)


def _has_ended(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"


class Runs:
    """A helper process: a module that gives :func:`fork_for_lines` what each of its forks is to do."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._helper = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=HOME,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )

    def run(self, kill: Moment | None = None, state: RunStore | None = None) -> int:
        """One run; killed at the moment given, if it has not ended before. Returns its wait status."""
        pid = self.begin()
        if kill and state:
            kill.wait_for(pid, state)
            os.kill(pid, signal.SIGKILL)  # the helper reaps it only afterwards, so the number is still its own
        return self.end()

    def begin(self) -> int:
        """Begin a run; its process id is its own until :meth:`end`."""
        return self._ask("run")

    def end(self) -> int:
        """Wait for the run to end, and return its wait status."""
        return self._ask("wait")

    def _ask(self, line: str) -> int:
        assert self._helper.stdin is not None
        assert self._helper.stdout is not None
        self._helper.stdin.write(f"{line}\n")
        self._helper.stdin.flush()
        return int(self._helper.stdout.readline())

    def close(self) -> None:
        assert self._helper.stdin is not None
        assert self._helper.stdout is not None
        self._helper.stdin.close()
        self._helper.wait(20)
        self._helper.stdout.close()


@contextmanager
def _server(settings: Settings, tally: Tally) -> Iterator[None]:
    done = threading.Event()
    holder = SnapshotHolder(settings, HashEmbedder())

    def ask() -> None:
        while not done.is_set():
            try:
                result = holder.searcher().search("borgerservice og tid", top=5)
            except Exception as error:
                tally.problems.append(f"serveren svarede ikke: {error!r}")
                return
            if not result.hits:
                tally.problems.append("serveren fandt intet")
            tally.searches += 1
            time.sleep(0.02)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _change(corpus: Path, number: int, draw: random.Random) -> None:
    """Add, edit, rename and delete; every text is new, so that any text embedded twice was embedded again."""
    name = f"rapport{draw.randrange(6)}.md"
    write_corpus(corpus, {name: report_text(f"emne{number}", paragraphs=draw.randrange(3, 9))})
    existing = sorted(path for path in corpus.glob("rapport*.md") if path.name != name)
    if existing and draw.random() < 0.4:
        draw.choice(existing).unlink()
    elif existing and draw.random() < 0.4:
        draw.choice(existing).rename(corpus / f"rapport{10 + number}.md")


def _check_whole(settings: Settings, tally: Tally) -> None:
    """The published build verifies, and holds every file's passages once."""
    build_id = builds.current_id(settings.index_dir)
    tally.problems.extend(verify_build(place_of(settings), build_id))


def _check_complete(settings: Settings, tally: Tally) -> None:
    _check_whole(settings, tally)
    snapshot = open_snapshot(place_of(settings))
    indexed = sorted(stored.record.path for stored in snapshot.records.values())
    there = sorted(path.relative_to(settings.corpus).as_posix() for path in settings.corpus.rglob("*.md"))
    if indexed != there:
        tally.problems.append(f"indekset har {indexed}, mappen {there}")
    places = [(s.passage.document_id, s.passage.start) for s in snapshot.store.all_passages()]
    if len(places) != len(set(places)):
        tally.problems.append("en passage er der to gange")
    left = [path.name for path in builds.builds_dir(settings.index_dir).iterdir() if path.name.startswith(".")]
    tally.problems.extend(f"rester efter en dræbt kørsel: {name}" for name in left)
    with RunStore(settings.state_dir) as state:
        if [run for run in state.runs(5) if run.status is Status.RUNNING]:
            tally.problems.append("en dræbt kørsel står stadig som i gang")


def _stage_of_last(state: RunStore) -> str:
    (newest,) = state.runs(1)
    return (newest.stage or "begyndelsen") if newest.status is Status.RUNNING else "før eller efter kørslen"


def torment(folder: Path, *, kills: int, kills_each: int, seed: int) -> Tally:
    """Change the corpus, kill up to ``kills_each`` runs over the change, let one finish; until there are ``kills``."""
    draw = random.Random(seed)  # noqa: S311  (moments, not secrets)
    settings = make_settings(folder)
    log = folder / "indlejret.log"
    tally = Tally()
    write_corpus(settings.corpus, {"fast.md": report_text("borgerservice", paragraphs=4)})
    runs = Runs("tests.killing", str(folder), str(log))
    try:
        runs.run()
        begun = time.monotonic()
        _change(settings.corpus, 0, draw)
        runs.run()
        usual = time.monotonic() - begun
        with _server(settings, tally):
            while tally.kills < kills and not tally.problems:
                log.write_text("", encoding="utf-8")
                _change(settings.corpus, tally.completed + 1, draw)
                with RunStore(settings.state_dir) as state:
                    for _ in range(kills_each):
                        if not os.WIFSIGNALED(runs.run(Moment.draw(draw, usual), state)):
                            break  # it had ended before
                        tally.kills += 1
                        tally.stages[_stage_of_last(state)] += 1
                        _check_whole(settings, tally)
                if runs.run() != 0:
                    tally.problems.append("kørslen efter drabene fejlede")
                tally.completed += 1
                _check_complete(settings, tally)
                _count_again(log, kills_each * settings.batch_size, tally)
        _check_against_a_full_run(settings, tally)
    finally:
        runs.close()
    return tally


def _count_again(log: Path, allowed: int, tally: Tally) -> None:
    texts = [line.split()[1] for line in log.read_text(encoding="utf-8").splitlines()]
    again = len(texts) - len(set(texts))
    tally.embedded_again += again
    tally.most_again = max(tally.most_again, again)
    if again > allowed:
        tally.problems.append(f"{again} tekster blev indlejret igen")


def _check_against_a_full_run(settings: Settings, tally: Tally) -> None:
    fresh = settings.model_copy(update={"index_dir": settings.index_dir.with_name("forfra")})
    indexing.run(fresh, HashEmbedder())
    contents = [
        builds.read_manifest(builds.builds_dir(one.index_dir) / builds.current_id(one.index_dir)).content
        for one in (settings, fresh)
    ]
    if contents[0] != contents[1]:
        tally.problems.append("indekset er et andet end det, en fuld kørsel giver")


def fork_for_lines(work: Callable[[], object]) -> None:
    """Fork to do the work for every ``run`` line and tell the process id; at ``wait`` reap it and tell its status."""
    for line in sys.stdin:
        if line.strip() == "run":
            pid = os.fork()
            if pid == 0:
                os._exit(_exit_code(work))
            print(pid, flush=True)
        else:
            print(os.waitpid(-1, 0)[1], flush=True)


def _exit_code(work: Callable[[], object]) -> int:
    try:
        work()
    except Exception as error:
        print(json.dumps(repr(error)), file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    base, embedded = make_settings(Path(sys.argv[1])), Path(sys.argv[2])
    fork_for_lines(lambda: indexing.run(base, HashEmbedder(batch_seconds=BATCH_SECONDS, log=embedded)))
