"""Measures the reader model: near misses told from answers, about whom, size and milliseconds a window.

    python -m benchmarks.reader_quality                                    # the project's dev questions
    python -m benchmarks.reader_quality --questions FILE --split all       # other judged questions
    python -m benchmarks.reader_quality --about FILE                       # further labelled sentences
    python -m benchmarks.reader_quality --reader FOLDER                    # another reader than the one in use

*Near*: the area under the curve of the best window's logit, near misses against answerable questions; *first*: the
sentence the reader scores best is one of the key's. The windows are those that an answer reads. *About*: the share of
hand-labelled sentences whose label the reader gives, or the second one where the label's hand gave two.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]

from kb.answer.classifiers import models
from kb.answer.features import gather
from kb.answer.reading import read_by
from kb.core.settings import load_settings
from kb.embedding.embedder import load_embedder
from kb.embedding.reader.choice import load_reader
from kb.embedding.reader.model import ReaderModel, Window
from kb.evaluation.answer_scores import holds_quote
from kb.evaluation.judged_questions import JudgedQuestion, load
from kb.retrieval.searcher import Searcher, open_searcher

HERE = Path(__file__).resolve().parent
KINDS = "pamn"
TIMED = 60


def near(questions: Sequence[JudgedQuestion], searcher: Searcher, reader: ReaderModel) -> Iterator[str]:
    """The figures of judged questions, one line each."""
    labels, windows, cheap, first = [], [], [], []
    for question in questions:
        if question.kind != "near" and not question.answerable:
            continue
        read = read_by(reader, gather(searcher, question.text, {}), models())
        if not read:
            continue
        labels.append(question.answerable)
        windows.append(max(one.window for one in read))
        cheap.append(max(one.logit for one in read))
        if question.answerable and question.evidence:
            quotes = [quote for _, quote in question.evidence]
            first.append(holds_quote(max(read, key=lambda one: one.reads).candidate.sentence.text, quotes))
    yield f"near misses, area under the curve: {roc_auc_score(labels, windows):.3f} ({len(labels)} questions)"
    yield f"the same by the cheap signals: {roc_auc_score(labels, cheap):.3f}"
    yield f"first sentence right: {statistics.mean(first):.3f} ({len(first)} questions)"


def about(rows: Sequence[Mapping[str, Any]], reader: ReaderModel) -> Iterator[str]:
    """How often the reader names about whom a sentence speaks as a hand did, and how often two hands agree.

    A hand gives one letter, or two that are equally fair: the first hand's are in ``about`` and ``or``, those of the
    second, who had not seen them, in ``second``.
    """
    first: dict[str, list[bool]] = {kind: [] for kind in KINDS}
    second: list[bool] = []
    either: list[bool] = []
    agreed: list[bool] = []
    for row in rows:
        (reading,) = reader.read("Hvad fortæller rapporten?", [Window(str(row["context"]), tuple(row["sentences"]))])
        seconds = row.get("second", [""] * len(row["about"]))
        for logits, label, other, again in zip(reading.about, row["about"], row["or"], seconds, strict=False):
            given = KINDS[logits.index(max(logits))]
            first[label].append(given in (label, other))
            if again:
                second.append(given in again)
                either.append(given in (label, other, *again))
                agreed.append(again[0] in (label, other))
    everything = [one for several in first.values() for one in several]
    parts = ", ".join(f"{kind} {statistics.mean(ones):.3f} of {len(ones)}" for kind, ones in first.items() if ones)
    yield f"about whom: {statistics.mean(everything):.3f} of {len(everything)} sentences ({parts})"
    if second:
        yield f"about whom by a second hand: {statistics.mean(second):.3f}, by either: {statistics.mean(either):.3f}"
        yield f"the second hand's first letter is one of the first hand's: {statistics.mean(agreed):.3f}"


def speed(rows: Sequence[dict[str, list[str]]], reader: ReaderModel) -> Iterator[str]:
    """Size on disk and milliseconds a window, twelve at a time."""
    windows = [Window(str(row["context"]), tuple(row["sentences"])) for row in rows[:TIMED]]
    reader.read("Hvem ejer løsningen?", windows[:4])
    times = []
    for start in range(0, len(windows) - 11, 12):
        begun = time.perf_counter()
        reader.read("Hvem ejer løsningen?", windows[start : start + 12])
        times.append((time.perf_counter() - begun) * 1000)
    size = sum(path.stat().st_size for path in reader.folder.iterdir()) / 1e6
    yield f"{size:.1f} MB; twelve windows {statistics.median(times):.0f} ms (median)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=Path, default=HERE / "questions")
    parser.add_argument("--split", choices=("dev", "test", "all"), default="dev")
    parser.add_argument("--about", type=Path, action="append", default=[])
    parser.add_argument("--reader", type=Path, help="the folder of a reader; the one in use otherwise")
    options = parser.parse_args()
    settings = load_settings()
    reader = ReaderModel(options.reader) if options.reader else load_reader(settings)
    rows = [json.loads(line) for line in (HERE / "about" / "corpus.jsonl").read_text(encoding="utf-8").splitlines()]
    for line in (*speed(rows, reader), *about(rows, reader)):
        print(line)
    for file in options.about:
        for line in about(json.loads(file.read_text(encoding="utf-8")), reader):
            print(f"{file.name}: {line}")
    questions = [one for one in load(options.questions) if options.split in ("all", one.split)]
    for line in near(questions, open_searcher(settings, load_embedder(settings)), reader):
        print(line)


if __name__ == "__main__":
    main()
