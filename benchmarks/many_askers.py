"""What a server of several processes is worth, what it keeps up under new builds, and what it survives.

    python -m benchmarks.many_askers            one process and two workers, 1 and 32 clients (some minutes)
    python -m benchmarks.many_askers --write    the same, put into docs/speed.md
    python -m benchmarks.many_askers --soak 10  ten minutes of questions with a build published every 30 seconds
    python -m benchmarks.many_askers --kill 20  so many kills of workers and of the model process under load

Both servers are up at once and asked in turn, on the index in use, so that what else the machine does falls on both;
the figures are ratios. The clients run here, on the same processors: what they take is counted with a question.
Every question is asked once only. Soak and kills work on a copy of reports and index.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import pages, speed
from kb.core.settings import load_settings
from kb.evaluation import judged_questions, metrics
from kb.index import builds
from tests import workers
from tests.timing import until

ROOT = Path(__file__).resolve().parent.parent
SECTION = pages.Section(
    ROOT / "docs" / "speed.md", "<!-- many: begin -->", "<!-- many: end -->", "## Many askers on one machine"
)
WORKERS = 2
CLIENTS = (1, 32)
PATHS = ("search", "answer")
ROUNDS = 3
ASKED = {1: 60, 32: 320}
WARMING = 20
# The soak: clients, seconds between builds, between two looks at the memory, and that a build may take to be in use.
SOAKING = 8
PUBLISHED_EVERY = 30.0
LOOKED_EVERY = 5.0
IN_USE_AFTER = 1.0
KILLING = 8
KILL_QUESTIONS = 12


@dataclass(frozen=True)
class Round:
    """What some clients got of a server: questions a second, p50 and p95 in ms, processor seconds a question."""

    rate: float
    p50: float
    p95: float
    cost: float


Rounds = dict[tuple[int, str, int], Round]


def seen_as(server: speed.Server, count: int) -> workers.Server:
    """A server as one that can be looked into."""
    return workers.Server(server.process.pid, server.port, count)


def processor_seconds(pids: Sequence[int]) -> float:
    """The processor time that processes have taken, and this one."""
    ticks = 0
    for pid in pids:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        ticks += int(told[11]) + int(told[12])
    return ticks / os.sysconf("SC_CLK_TCK") + time.process_time()


def one_round(server: speed.Server, count: int, path: str, clients: int, source: Iterator[str]) -> Round:
    """Ask with so many clients, each on a connection of its own."""
    texts = [next(source) for _ in range(ASKED[clients])]
    processes = seen_as(server, count).processes()
    spent, begun = processor_seconds(processes), time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        asked = pool.map(lambda text: speed.each(lambda one: server.ask(one, path), [text]), texts)
        times = [milliseconds for part in asked for milliseconds in part]
    seconds = time.perf_counter() - begun
    cost = (processor_seconds(processes) - spent) / len(texts)
    return Round(len(texts) / seconds, metrics.percentile(times, 0.5), metrics.percentile(times, 0.95), cost)


def middle(found: Sequence[Round]) -> Round:
    """The median of each figure."""
    return Round(*(statistics.median(getattr(one, name) for one in found) for name in ("rate", "p50", "p95", "cost")))


def measure(rounds: int) -> Rounds:
    """Each path with each number of clients on each server, in turn."""
    texts = [question.text for question in judged_questions.load(ROOT / "benchmarks" / "questions")]
    source = speed.fresh(texts)
    found: dict[tuple[int, str, int], list[Round]] = {}
    with ExitStack() as held:
        servers = {count: held.enter_context(speed.serving({"KB_WEB_WORKERS": str(count)})) for count in (1, WORKERS)}
        for server in servers.values():
            with ThreadPoolExecutor(WARMING) as pool:  # every worker, every thread
                for path in PATHS:
                    list(pool.map(lambda text: server.ask(text, path), [next(source) for _ in range(WARMING)]))  # noqa: B023
        for _ in range(rounds):
            for path in PATHS:
                for clients in CLIENTS:
                    for count, server in servers.items():
                        one = one_round(server, count, path, clients, source)
                        found.setdefault((count, path, clients), []).append(one)
    return {key: middle(values) for key, values in found.items()}


def table(found: Rounds) -> list[str]:
    """The lines of the page."""
    cores = len(os.sched_getaffinity(0))
    lines = [
        pages.made_on(pages.versions("gunicorn", "waitress", "onnxruntime"), "bench-many"),
        "",
        f"| | one process | {WORKERS} workers | ratio | aim |",
        "|---|---|---|---|---|",
    ]
    for path in PATHS:
        for clients in CLIENTS:
            one, many = found[1, path, clients], found[WORKERS, path, clients]
            shown = [f"{a.rate:.1f}/s, p50 {a.p50:.0f} ms, p95 {a.p95:.0f} ms" for a in (one, many)]
            lines.append(f"| {path}, {clients} clients | {shown[0]} | {shown[1]} | {many.rate / one.rate:.2f} | |")
        for what, aim, figure in (
            ("32 clients' rate against one's", "≥ 1.8", _rate),
            (f"of what {cores} cores allow by processor time a question", "≥ .9", _share),
            ("p95 of 32 clients against p50 of one", "≤ 12", _wait),
        ):
            one_figure, many_figure = (figure(found, count, path) for count in (1, WORKERS))
            lines.append(
                f"| {path}: {what} | {one_figure:.2f} | {many_figure:.2f} | {many_figure / one_figure:.2f} | {aim} |"
            )
    return lines


def _rate(found: Rounds, count: int, path: str) -> float:
    return found[count, path, CLIENTS[-1]].rate / found[count, path, CLIENTS[0]].rate


def _share(found: Rounds, count: int, path: str) -> float:
    many = found[count, path, CLIENTS[-1]]
    return many.rate * many.cost / len(os.sched_getaffinity(0))


def _wait(found: Rounds, count: int, path: str) -> float:
    return found[count, path, CLIENTS[-1]].p95 / found[count, path, CLIENTS[0]].p50


@contextmanager
def copied() -> Iterator[tuple[Path, Mapping[str, str]]]:
    """A copy of reports and index, with the environment of who works on it; the models are those in use."""
    settings = load_settings()
    with tempfile.TemporaryDirectory(prefix="kb-mange-") as folder:
        place = Path(folder)
        shutil.copytree(settings.corpus, place / "corpus")
        # An index of words has files of its own whose names begin with a full stop.
        shutil.copytree(settings.index_dir, place / "index", ignore=shutil.ignore_patterns("models", "evaluation"))
        (place / "index" / "models").symlink_to(settings.models_dir.resolve())
        yield (
            place,
            {
                "KB_CORPUS": str(place / "corpus"),
                "KB_INDEX_DIR": str(place / "index"),
                "KB_WEB_WORKERS": str(WORKERS),
            },
        )


@dataclass
class Soak:
    """What was seen: builds by the time they were published, questions, errors, answers of an old build, memory."""

    published: list[tuple[float, str]] = field(default_factory=list)
    questions: int = 0
    errors: list[str] = field(default_factory=list)
    late: int = 0
    memory: list[float] = field(default_factory=list)

    def note(self, begun: float, status: int, build_id: str) -> None:
        """A question's outcome; an old build must not answer when the new one had been in use for a while."""
        self.questions += 1
        if status != 200:
            self.errors.append(f"status {status}")
            return
        in_use = sum(at + IN_USE_AFTER < begun for at, _ in self.published)
        if build_id in [name for _, name in self.published[: max(0, in_use - 1)]]:
            self.late += 1


def soak(minutes: float) -> Soak:
    """Ask without pause while builds are published."""
    texts = [question.text for question in judged_questions.load(ROOT / "benchmarks" / "questions")]
    found, done = Soak(), threading.Event()
    with copied() as (place, environment), speed.serving(environment) as started:
        server = seen_as(started, WORKERS)
        sources = [speed.fresh(random.Random(seed).sample(texts, len(texts))) for seed in range(SOAKING)]  # noqa: S311

        def ask(source: Iterator[str]) -> None:
            while not done.is_set():
                path = random.choice(PATHS)  # noqa: S311
                begun = time.time()
                try:
                    status, body = server.ask(f"/api/v1/{path}", next(source))
                except workers.BROKEN as error:
                    found.errors.append(repr(error))
                    continue
                found.note(begun, status, body.get("build_id", ""))

        def look() -> None:
            while not done.wait(LOOKED_EVERY):
                found.memory.append(shared_memory(server.processes()) / 1e6)

        threads = [threading.Thread(target=ask, args=(source,)) for source in sources]
        threads.append(threading.Thread(target=look))
        for thread in threads:
            thread.start()
        try:
            found.published.append((0.0, builds.current_id(place / "index")))
            end = time.monotonic() + minutes * 60
            while (begun := time.monotonic()) < end:
                publish(place, environment, len(found.published))
                current = place / "index" / builds.CURRENT_FILE
                found.published.append((current.stat().st_mtime, builds.current_id(place / "index")))
                time.sleep(max(0.0, min(end, begun + PUBLISHED_EVERY) - time.monotonic()))
        finally:
            done.set()
            for thread in threads:
                thread.join()
    return found


def publish(place: Path, environment: Mapping[str, str], number: int) -> None:
    """A report changes and is indexed, as at night."""
    report = sorted((place / "corpus").rglob("*.md"))[0]
    with report.open("a", encoding="utf-8") as text:
        text.write(f"\n\nProjektet blev forlænget med {number + 1} uger, fordi leverancen kom for sent.\n")
    command = [str(Path(sys.executable).with_name("kb")), "index"]
    with tempfile.TemporaryDirectory() as state:
        quiet = {**os.environ, **environment, "KB_STATE_DIR": state}
        subprocess.run(command, env=quiet, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def shared_memory(pids: Sequence[int]) -> int:
    """The bytes that processes keep together: what several of them map is counted once."""
    kilobytes = 0
    for pid in pids:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        kilobytes += next(int(line.split()[1]) for line in told.splitlines() if line.startswith("Pss:"))
    return kilobytes * 1024


def told_of_soak(found: Soak) -> list[str]:
    """What a soak showed."""
    part = max(1, len(found.memory) // 4)
    first, last = (statistics.median(some) for some in (found.memory[:part], found.memory[-part:]))
    return [
        f"{found.questions} questions over {len(found.published)} builds, the first included",
        f"errors: {len(found.errors)} {found.errors[:3]}",
        f"answered from an old build more than {IN_USE_AFTER:.0f} s after the new one: {found.late}",
        f"memory: {first:.0f} MB in the first quarter, {last:.0f} MB in the last, ratio {last / first:.2f}",
    ]


def kills(count: int) -> list[str]:
    """Kill a worker and the model process by turns while clients ask and jobs are sent."""
    texts = [question.text for question in judged_questions.load(ROOT / "benchmarks" / "questions")]
    chance = random.Random(1)  # noqa: S311
    asked = [(f"/api/v1/{path}", text) for path in PATHS for text in chance.sample(texts, KILL_QUESTIONS)]
    jobs: list[str] = []
    with copied() as (_, environment), speed.serving(environment) as started:
        server = seen_as(started, WORKERS)
        with workers.asking(server, asked, clients=KILLING) as seen:
            for number in range(count):
                _, job = server.ask("/api/v1/jobs", post=True)
                jobs.append(job["id"])
                time.sleep(chance.uniform(0, 1))
                workers.kill(server, server.model() if number % 2 else chance.choice(server.workers()), seen)
        until(lambda: all(server.get(f"/api/v1/jobs/{job}")["is_over"] for job in set(jobs)), seconds=600)
        states = [server.get(f"/api/v1/jobs/{job}")["state"] for job in sorted(set(jobs))]
    return [
        f"{count} kills, {seen.answered} answers, {seen.broken} connections broken with their workers",
        f"wrong answers: {len(seen.wrong)} {seen.wrong[:1]}",
        f"jobs: {len(states)}, of them not done: {sum(state != 'færdig' for state in states)}",
    ]


def main() -> None:
    """Do what the command line says."""
    options = argparse.ArgumentParser(description="Many askers on one machine.")
    options.add_argument("--write", action="store_true", help="put the table into docs/speed.md")
    options.add_argument("--rounds", type=int, default=ROUNDS)
    options.add_argument("--soak", type=float, metavar="MINUTES")
    options.add_argument("--kill", type=int, metavar="KILLS")
    chosen = options.parse_args()
    if chosen.soak:
        lines = told_of_soak(soak(chosen.soak))
    elif chosen.kill:
        lines = kills(chosen.kill)
    else:
        lines = table(measure(chosen.rounds))
        if chosen.write:
            SECTION.write("\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
