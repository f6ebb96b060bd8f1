"""How quick questions and passages are beside plain sentence-transformers: ``make bench`` (some minutes).

Everything is measured in one run on the index in use, and compared by ratios: a question over HTTP (search and answer)
against ``SentenceTransformer.encode`` of the same question; passages embedded per second against ``encode`` at the best
of several batch sizes; 8 and 32 clients against one; and how soon the server is ready and how much it keeps in memory.
Plain ``encode`` runs in a process of its own: beside FAISS in one process PyTorch's threads get in each other's way and
a question takes forty times as long. Every question is asked once only, so that none is found already embedded. Writes
a dated table into ``docs/speed.md``.
"""

from __future__ import annotations

import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import count
from pathlib import Path

from kb.embed import load_embedder
from kb.evaluation import metrics, questions
from kb.model_store import model_folder, read_card
from kb.search import Snapshot
from kb.settings import load_settings

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "speed.md"
BEGIN, END = "<!-- speed: begin -->", "<!-- speed: end -->"
BATCHES = (1, 8, 32)
TIMED_QUESTIONS = 60
TIMED_PASSAGES = 64
CLIENTS = (1, 8, 32)
ASKED_A_ROUND = 160
PATIENCE = 60.0

_variants = count()


def fresh(texts: Sequence[str]) -> Iterator[str]:
    """The questions again and again, each time with a number of its own, so that no cache knows them."""
    while True:
        for text in texts:
            yield f"{text} {next(_variants)}"


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

    def __init__(self, process: subprocess.Popen[bytes], address: str, ready: float) -> None:
        self.process, self.address, self.ready = process, address, ready

    def ask(self, question: str, path: str = "search") -> None:
        """One question over HTTP; raises where it is not answered."""
        query = urllib.parse.urlencode({"q": question})
        with urllib.request.urlopen(f"{self.address}/api/v1/{path}?{query}", timeout=PATIENCE) as response:  # noqa: S310
            json.load(response)

    def resident_mb(self) -> float:
        """The memory that the server keeps, in MB (10**6)."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) * 1024 / 1e6


@contextmanager
def serving() -> Iterator[Server]:
    """Start ``kb serve`` on a free port with a state folder of its own, and wait until it is ready."""
    with tempfile.TemporaryDirectory() as state, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        environment = {**os.environ, "KB_STATE_DIR": state, "KB_RATE_LIMIT": "1000000"}
        command = [str(Path(sys.executable).with_name("kb")), "serve", "--port", str(port)]
        begun = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        address = f"http://127.0.0.1:{port}"
        try:
            while not _is_ready(address) and time.perf_counter() - begun < PATIENCE:
                time.sleep(0.02)
            yield Server(process, address, time.perf_counter() - begun)
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/api/v1/health/ready", timeout=1) as response:  # noqa: S310
            return bool(response.status == 200)
    except OSError:
        return False


def rounds(server: Server, texts: Sequence[str]) -> dict[int, tuple[float, float, float]]:
    """For each number of clients: questions a second, p50 and p95 in milliseconds."""
    source, lock = fresh(texts), threading.Lock()
    found = {}
    for clients in CLIENTS:
        with lock:
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
    texts = [question.text for question in questions.load(ROOT / "benchmarks" / "questions")]
    source = fresh(texts)
    snapshot = Snapshot.open(settings.index_dir)
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
        load = rounds(server, texts)
        memory, ready = server.resident_mb(), server.ready
    ours = [len(passages) / (each(lambda _: embedder.embed_passages(passages), [""])[0] / 1000) for _ in range(3)]
    theirs = {size: len(passages) / reference.encode(passages, card.passage_prefix, size) for size in BATCHES}
    reference.close()
    return table(plain, searched, answered, load, (statistics.median(ours), theirs), (ready, memory))


def table(
    plain: Sequence[float],
    searched: Sequence[float],
    answered: Sequence[float],
    load: dict[int, tuple[float, float, float]],
    rates: tuple[float, dict[int, float]],
    start: tuple[float, float],
) -> list[str]:
    """The lines of the page; times in milliseconds, rates a second, ``start`` in seconds and MB."""
    encode, search, answer = (metrics.percentile(list(times), 0.5) for times in (plain, searched, answered))
    ours, theirs = rates
    best = max(theirs, key=lambda size: theirs[size])
    one, many = load[CLIENTS[0]], load[CLIENTS[-1]]
    packages = ", ".join(f"{name} {version(name)}" for name in ("onnxruntime", "torch", "sentence-transformers"))
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, {packages}"
    return [
        f"{datetime.now(UTC):%Y-%m-%d}, {machine}; load average {os.getloadavg()[0]:.1f} at the end."
        " `make bench` makes it anew.",
        "",
        "| | measured | ratio | aim |",
        "|---|---|---|---|",
        f"| a question over HTTP (`/api/v1/search`), p50 | {search:.1f} ms; plain encode {encode:.1f} ms |"
        f" {search / encode:.2f} | ≤ 0.6 |",
        f"| an answer over HTTP (`/api/v1/answer`), p50 | {answer:.1f} ms | {answer / search:.2f} of a search | < 3 |",
        f"| passages embedded | {ours:.1f}/s; plain encode {theirs[best]:.1f}/s at its best batch of {best} |"
        f" {ours / theirs[best]:.2f} | ≥ 1.8 |",
        *(
            f"| {clients} clients | {rate:.1f} questions/s, p50 {p50:.0f} ms, p95 {p95:.0f} ms | {rate / one[0]:.2f} | "
            + ("≥ 2.5 |" if clients == CLIENTS[-1] else "|")
            for clients, (rate, p50, p95) in load.items()
        ),
        f"| p95 of {CLIENTS[-1]} clients against p50 of one | | {many[2] / one[1]:.1f} | < 10 |",
        f"| the server is ready after | {start[0]:.1f} s | | < 3 s |",
        f"| resident after all of it | {start[1]:.0f} MB | | < 600 MB |",
    ]


def main() -> None:
    """Measure, print and write."""
    lines = measure()
    print("\n".join(lines))
    text = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else "# Speed\n"
    if BEGIN not in text:
        text = f"{text.rstrip()}\n\n{BEGIN}\n{END}\n"
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    serve_plain(sys.argv[2]) if sys.argv[1:2] == ["--plain"] else main()
