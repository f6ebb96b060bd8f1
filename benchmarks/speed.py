"""How quick questions and passages are beside plain sentence-transformers: ``make bench`` (some minutes).

Everything is measured in one run on the index in use, and compared by ratios: a question over HTTP (search and answer)
against ``SentenceTransformer.encode`` of the same question; passages embedded per second against ``encode`` at the best
of several batch sizes; 8 and 32 clients against one; and how soon the server is ready and how much it keeps in memory.
Plain ``encode`` runs in a process of its own, with nothing else in it. It shares each step between the processors and
waits for the slower: where anything else keeps one of them busy, a question takes it up to forty times as long, so
measure on an idle machine. It is also measured with nothing between its questions, which is when it is quickest. Every
question is asked once only, so that none is found already answered; but for the last line, which asks as people do: the
same things. Writes a dated table into ``docs/speed.md``.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import NamedTuple

from benchmarks import pages
from kb.core.settings import load_settings
from kb.embedding.embedder import load_embedder
from kb.embedding.model_store import model_folder, read_card
from kb.evaluation import judged_questions, metrics
from kb.index.places import place_of
from kb.retrieval.opening import open_snapshot

ROOT = Path(__file__).resolve().parent.parent
SECTION = pages.Section(ROOT / "docs" / "speed.md", "<!-- speed: begin -->", "<!-- speed: end -->")
BATCHES = (1, 8, 32)
TIMED_QUESTIONS = 60
TIMED_PASSAGES = 64
CLIENTS = (1, 8, 32)
ASKED_A_ROUND = 160
PATIENCE = 60.0

STOP_WORDS = ("nu", "så", "lige", "jo", "da", "dog", "nok", "altså", "også", "her", "bare", "desuden", "dermed")
_variants = product(STOP_WORDS, repeat=4)


def fresh(texts: Sequence[str]) -> Iterator[str]:
    """The questions again and again, each time with other stop words behind it, so that no cache knows them.

    A number would be a word that no report has: twice as many windows are read for such a question.
    """
    while True:
        for text in texts:
            yield " ".join((text, *next(_variants)))


def each(work: Callable[[str], object], texts: Sequence[str]) -> list[float]:
    """The milliseconds of one call a text."""
    times = []
    for text in texts:
        begun = time.perf_counter()
        work(text)
        times.append((time.perf_counter() - begun) * 1000)
    return times


class Plain:
    """``SentenceTransformer.encode`` in a process of its own."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "benchmarks.speed", "--plain", str(folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)

    def encode(self, texts: Sequence[str], prompt: str, batch: int) -> float:
        """The seconds that the texts took."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([list(texts), prompt, batch]) + "\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=PATIENCE)


def serve_plain(folder: str) -> None:
    """What :class:`Plain` starts: one line of texts in, the seconds they took out."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(folder, device="cpu", local_files_only=True)
    for line in sys.stdin:
        texts, prompt, batch = json.loads(line)
        begun = time.perf_counter()
        model.encode(texts, prompt=prompt, batch_size=batch, normalize_embeddings=True, show_progress_bar=False)
        print(time.perf_counter() - begun, flush=True)


class Server:
    """A server of its own on the index in use, with its process and address."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, ready: float) -> None:
        self.process, self.port, self.ready = process, port, ready
        self._of_thread = threading.local()

    def ask(self, question: str, path: str = "search") -> None:
        """One question over HTTP, on a connection that each client keeps; raises where it is not answered."""
        if not hasattr(self._of_thread, "connection"):
            self._of_thread.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection: http.client.HTTPConnection = self._of_thread.connection
        connection.request("GET", f"/api/v1/{path}?{urllib.parse.urlencode({'q': question})}")
        response = connection.getresponse()
        content = response.read()
        if response.status != 200:
            raise RuntimeError(f"{response.status}: {content[:200]!r}")

    def resident_mb(self) -> float:
        """The memory that the server keeps, in MB (10**6)."""
        return pages.memory("VmRSS", self.process.pid) / 1e6


@contextmanager
def serving(settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Start ``kb serve`` on a free port with a state folder of its own, and wait until it is ready."""
    with tempfile.TemporaryDirectory() as state, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        environment = {**os.environ, "KB_STATE_DIR": state, "KB_RATE_LIMIT": "1000000", **(settings or {})}
        command = [str(Path(sys.executable).with_name("kb")), "serve", "--port", str(port)]
        begun = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        address = f"http://127.0.0.1:{port}"
        try:
            while not _is_ready(address) and time.perf_counter() - begun < PATIENCE:
                time.sleep(0.02)
            yield Server(process, port, time.perf_counter() - begun)
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/api/v1/health/ready", timeout=1) as response:  # noqa: S310
            return bool(response.status == 200)
    except OSError:
        return False


Rounds = dict[int, tuple[float, float, float]]


def repeating(texts: Sequence[str]) -> Iterator[str]:
    """The questions as people ask them: the n-th most frequent a n-th as often as the first (Zipf)."""
    chance = random.Random(7)  # noqa: S311 - questions, not secrets
    shares = [1 / rank for rank in range(1, len(texts) + 1)]
    while True:
        yield chance.choices(texts, shares)[0]


def rounds(server: Server, source: Iterator[str]) -> Rounds:
    """For each number of clients: questions a second, p50 and p95 in milliseconds."""
    found = {}
    for clients in CLIENTS:
        asked = [next(source) for _ in range(ASKED_A_ROUND)]
        begun = time.perf_counter()
        with ThreadPoolExecutor(clients) as pool:
            times = [spent for part in pool.map(lambda text: each(server.ask, [text]), asked) for spent in part]
        rate = len(asked) / (time.perf_counter() - begun)
        found[clients] = (rate, metrics.percentile(times, 0.5), metrics.percentile(times, 0.95))
    return found


def measure() -> list[str]:
    """Measure everything and give the table's lines."""
    settings = load_settings()
    folder = model_folder(settings)
    card = read_card(folder)
    reference = Plain(folder)
    embedder = load_embedder(settings)
    texts = [question.text for question in judged_questions.load(ROOT / "benchmarks" / "questions")]
    source = fresh(texts)
    snapshot = open_snapshot(place_of(settings))
    stored = snapshot.store.passages(range(min(TIMED_PASSAGES, len(snapshot.store))))
    passages = [one.passage.text for one in stored.values()]

    def encoded(text: str) -> float:
        return 1000 * reference.encode([text], card.query_prefix, 1)

    with serving() as server:
        for warm in range(10):
            server.ask(f"{next(source)} {warm}")
            server.ask(f"{next(source)} {warm}", "answer")
            encoded(next(source))
        plain: list[float] = []
        searched: list[float] = []
        answered: list[float] = []
        for _ in range(TIMED_QUESTIONS):  # in turn, so that what else the machine does falls on all alike
            plain.append(encoded(next(source)))
            searched += each(server.ask, [next(source)])
            answered += each(lambda text: server.ask(text, "answer"), [next(source)])
        in_a_row = [encoded(next(source)) for _ in range(TIMED_QUESTIONS)]
        load, repeated = rounds(server, fresh(texts)), rounds(server, repeating(texts))
        memory, ready = server.resident_mb(), server.ready
    ours = [len(passages) / (each(lambda _: embedder.embed_passages(passages), [""])[0] / 1000) for _ in range(3)]
    theirs = {size: len(passages) / reference.encode(passages, card.passage_prefix, size) for size in BATCHES}
    reference.close()
    asked = Asked(*(metrics.percentile(times, 0.5) for times in (plain, in_a_row, searched, answered)))
    return table(asked, load, repeated, (statistics.median(ours), theirs), (ready, memory))


class Asked(NamedTuple):
    """The medians of one question at a time, in milliseconds: ``plain`` in turn with ours, ``in_a_row`` by itself."""

    plain: float
    in_a_row: float
    searched: float
    answered: float


def table(
    asked: Asked,
    load: Rounds,
    repeated: Rounds,
    rates: tuple[float, dict[int, float]],
    start: tuple[float, float],
) -> list[str]:
    """The lines of the page; times in milliseconds, rates a second, ``start`` in seconds and MB."""
    ours, theirs = rates
    best = max(theirs, key=lambda size: theirs[size])
    one, many = load[CLIENTS[0]], load[CLIENTS[-1]]
    return [
        pages.made_on(pages.versions("onnxruntime", "torch", "sentence-transformers"), "bench"),
        "",
        "| | measured | ratio | aim |",
        "|---|---|---|---|",
        f"| a question over HTTP (`/api/v1/search`), p50, in turn with plain encode | {asked.searched:.1f} ms; plain"
        f" encode {asked.plain:.1f} ms | {asked.searched / asked.plain:.2f} | ≤ 0.6 |",
        f"| the same against plain encode with nothing between its questions | {asked.in_a_row:.1f} ms |"
        f" {asked.searched / asked.in_a_row:.2f} | |",
        f"| an answer over HTTP (`/api/v1/answer`), p50 | {asked.answered:.1f} ms |"
        f" {asked.answered / asked.searched:.2f} of a search | < 3 |",
        f"| passages embedded | {ours:.1f}/s; plain encode {theirs[best]:.1f}/s at its best batch of {best} |"
        f" {ours / theirs[best]:.2f} | ≥ 1.8 |",
        *_lines(load, "with new questions", one[0], "≥ 2.5"),
        *_lines(repeated, "asking some questions often", one[0], ""),
        f"| p95 of {CLIENTS[-1]} clients against p50 of one | | {many[2] / one[1]:.1f} | < 10 |",
        f"| the server is ready after | {start[0]:.1f} s | | < 3 s |",
        f"| resident after all of it | {start[1]:.0f} MB | | < 600 MB |",
    ]


def _lines(found: Rounds, what: str, one: float, aim: str) -> Iterator[str]:
    """A line for each number of clients; ``one`` is the rate of one client's new questions."""
    for clients, (rate, p50, p95) in found.items():
        times = f"{rate:.1f} questions/s, p50 {p50:.0f} ms, p95 {p95:.0f} ms"
        yield f"| clients {what}: {clients} | {times} | {rate / one:.2f} | {aim * (clients == CLIENTS[-1])} |"


def main() -> None:
    """Measure, print and write."""
    lines = measure()
    print("\n".join(lines))
    SECTION.write("\n".join(lines))


if __name__ == "__main__":
    serve_plain(sys.argv[2]) if sys.argv[1:2] == ["--plain"] else main()
