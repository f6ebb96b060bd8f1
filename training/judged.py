"""Makes training examples of judged development questions: the windows that an answer reads, with what the key says.

    python -m training.judged OUT.jsonl [--also benchmarks/development]
    KB_INDEX_DIR=index/evaluation/real-… python -m training.judged OUT.jsonl --only benchmarks/development_real

The reports of an index differ from the written items in length, manner and in what is near to a question: here the
wrong windows are those that the cheap signals put first. A marked sentence answers; a window of a document that the key
does not name does not; what the key leaves open (an unmarked window of a document that it names) is left out. Of the
judged questions only the development half is taken. Two folds by group of question let the reader be judged by
questions that it was not trained on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.fit_relevance import is_marked
from kb.answer.classifiers import models
from kb.answer.features import gather
from kb.answer.intent import ACROSS
from kb.answer.reading import ChosenWindow, choose_windows
from kb.answer.selection import Judged, judge_sentences
from kb.core.settings import load_settings
from kb.embedding.embedder import load_embedder
from kb.evaluation.judged_questions import JudgedQuestion, load
from kb.retrieval.searcher import Searcher, open_searcher
from training.examples import UNKNOWN_ABOUT, Example, Window

QUESTIONS = Path("benchmarks/questions")
RIGHT, WRONG, WRONG_ALONE = 2, 3, 5
# Across projects every right window is taken, with one wrong beside it.
WRONG_ACROSS = 1


def examples(question: JudgedQuestion, searcher: Searcher) -> Iterator[Example]:
    """The examples of a question: each right window beside wrong ones, or wrong ones alone."""
    if question.kind == "vague" or (question.answerable and not question.evidence):
        return
    gathered = gather(searcher, question.text, {})
    judged = judge_sentences(gathered, models())
    across = gathered.want.kind in ACROSS
    chosen = choose_windows(judged, across=across)
    right = [window for window in chosen if any(_labels(question, window))]
    if across or not right:
        met = {window.document.id for window in right}
        right += [window for window in _marked(question, judged, across) if window.document.id not in met]
    wrong = [window for window in chosen if window.document.id not in question.answers]
    if not question.answerable:
        yield _example(question, wrong[:WRONG_ALONE])
    most, beside = (len(right), WRONG_ACROSS) if across else (RIGHT, WRONG)
    for place, window in enumerate(right[:most]):
        yield _example(question, [window, *wrong[place * beside : (place + 1) * beside]])


def _marked(question: JudgedQuestion, judged: Sequence[Judged], across: bool) -> list[ChosenWindow]:
    """The windows of the marked sentences, also of those that were not to be read."""
    marked = [one for one in judged if is_marked(question, one.candidate)]
    passages = {one.candidate.sentence.passage.id for one in marked}
    beside = [one for one in judged if one.candidate.sentence.passage.id in passages and one not in marked]
    windows = choose_windows([*marked, *beside], across=across)
    return [window for window in windows if any(_labels(question, window))]


def _labels(question: JudgedQuestion, window: ChosenWindow) -> tuple[int, ...]:
    return tuple(int(is_marked(question, candidate)) for candidate in window.candidates)


def _example(question: JudgedQuestion, windows: Sequence[ChosenWindow]) -> Example:
    made = (
        Window(
            one.as_read.context, one.as_read.sentences, _labels(question, one), (UNKNOWN_ABOUT,) * len(one.candidates)
        )
        for one in windows
    )
    return Example(question.text, question.kind, f"judged {question.fold}", tuple(made))


def read_judged(file: Path, without: int | None) -> list[Example]:
    """The examples of a file, but for those of the fold ``without``."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [_read(row) for row in rows if row["source"] != f"judged {without}"]


def _read(row: dict[str, Any]) -> Example:
    windows = (
        Window(one["context"], tuple(one["sentences"]), tuple(one["labels"]), tuple(one["about"]))
        for one in row["windows"]
    )
    return Example(row["question"], row["kind"], row["source"], tuple(windows))


def _questions(only: Path | None, also: Sequence[Path]) -> list[JudgedQuestion]:
    """The development half of the judged questions and all further ones, or a set alone."""
    if only is not None:
        return load(only)
    own = [question for question in load(QUESTIONS) if question.split == "dev"]
    return own + [question for source in also for question in load(source)]


def main() -> None:
    """Write the examples of all questions into a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--also", type=Path, action="append", default=[], help="further questions: a folder or file")
    parser.add_argument("--only", type=Path, help="these questions instead, of the reports in KB_INDEX_DIR")
    options = parser.parse_args()
    settings = load_settings()
    searcher = open_searcher(settings, load_embedder(settings))
    questions = _questions(options.only, options.also)
    made = [example for question in questions for example in examples(question, searcher) if example.windows]
    lines = (json.dumps(asdict(example), ensure_ascii=False) for example in made)
    options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    windows = [window for example in made for window in example.windows]
    print(f"{len(made)} examples, {len(windows)} windows, {sum(window.label for window in windows)} right")


if __name__ == "__main__":
    main()
