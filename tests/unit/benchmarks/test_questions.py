"""The judged question set holds together and agrees with the reports it is judged against.

The reports are read from their Markdown sources, so that the tests need neither the built files nor an index.
"""

import json
import re
from collections import Counter
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
QUESTIONS_FILE = ROOT / "benchmarks" / "questions" / "questions.jsonl"
README_FILE = ROOT / "benchmarks" / "questions" / "README.md"
SOURCE_FOLDERS = (
    ROOT / "corpus" / "projekter",
    ROOT / "corpus" / "tvaergaaende",
    ROOT / "tools" / "corpus" / "sources",
)
ANSWERABLE = {
    "sentence": 60, "keywords": 25, "inflected": 20, "everyday": 20, "misspelled": 20, "across": 34,
    "yesno": 10, "comparison": 4,
}  # fmt: skip
UNANSWERABLE = {"far": 45, "near": 45, "vague": 6}
FIELDS = {"id", "group", "text", "kind", "answers", "projects", "count", "evidence", "note"}

Question = dict[str, Any]
Metadata = dict[str, Any]


@cache
def questions() -> tuple[Question, ...]:
    lines = QUESTIONS_FILE.read_text(encoding="utf-8").splitlines()
    return tuple(json.loads(line) for line in lines)


@cache
def reports() -> dict[str, tuple[Metadata, str]]:
    """Return each report's metadata and its body as plain text, by document id."""
    found: dict[str, tuple[Metadata, str]] = {}
    for folder in SOURCE_FOLDERS:
        for path in sorted(folder.glob("*.md")):
            _, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
            metadata = yaml.safe_load(front)
            found[metadata["id"]] = (metadata, plain(body))
    return found


def plain(markdown: str) -> str:
    """Strip Markdown's markup and make every run of white space one space."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    text = re.sub(r"^\s*(#{1,6}|[-*]|\d+\.)\s+", "", text, flags=re.MULTILINE)
    text = re.sub(r"[*_`|]", "", text)
    return re.sub(r"\s+", " ", text).strip()


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-zæøåé0-9]+", text.lower()))


def split_of(group: str) -> str:
    return "dev" if sha256(group.encode()).digest()[0] % 2 == 0 else "test"


def of_kind(*kinds: str) -> list[Question]:
    return [question for question in questions() if question["kind"] in kinds]


def named(question: Question) -> str:
    return f"{question['id']} {question['text']}"


def test_kinds_are_known_and_numerous_enough() -> None:
    counted = Counter(question["kind"] for question in questions())
    assert set(counted) == set(ANSWERABLE) | set(UNANSWERABLE)
    for kind, least in (ANSWERABLE | UNANSWERABLE).items():
        assert counted[kind] >= least, kind
    assert sum(counted[kind] for kind in ANSWERABLE) >= 170
    assert sum(counted[kind] for kind in UNANSWERABLE) >= 90


def test_fields_ids_and_texts() -> None:
    ids = [question["id"] for question in questions()]
    assert ids == [f"q{number:03d}" for number in range(1, len(ids) + 1)]
    texts = Counter(question["text"].lower() for question in questions())
    assert [text for text, times in texts.items() if times > 1] == []
    for question in questions():
        assert set(question) <= FIELDS, named(question)
        assert re.fullmatch(r"g-[a-z0-9-]+", question["group"]), named(question)
        assert question["text"] == question["text"].strip() != "", named(question)


def test_answers_name_documents_of_the_corpus() -> None:
    for question in questions():
        assert set(question["answers"]) <= set(reports()), named(question)
        assert set(question["answers"].values()) <= {1, 2}, named(question)


def test_every_answerable_question_has_a_full_answer_and_no_other_has_any() -> None:
    for question in of_kind(*ANSWERABLE):
        assert 2 in question["answers"].values(), named(question)
    for question in of_kind(*UNANSWERABLE):
        assert question["answers"] == {}, named(question)
        assert {"projects", "count", "evidence"} & set(question) == set(), named(question)


def test_every_report_answers_some_question() -> None:
    answered = {document for question in questions() for document in question["answers"]}
    assert answered == set(reports())


def test_near_questions_say_what_the_reports_have_instead() -> None:
    assert [named(question) for question in of_kind("near") if not question.get("note")] == []


def test_evidence_stands_word_for_word_in_a_report_that_answers() -> None:
    for question in questions():
        for passage in question.get("evidence", []):
            assert set(passage) == {"document", "quote"}, named(question)
            assert question["answers"].get(passage["document"]) == 2, named(question)
            assert plain(passage["quote"]) in reports()[passage["document"]][1], named(question)
            assert len(passage["quote"].split()) >= 4, named(question)


def test_most_questions_with_a_single_answer_have_evidence() -> None:
    single = of_kind(*(set(ANSWERABLE) - {"across"}))
    with_evidence = [question for question in single if question.get("evidence")]
    assert len(with_evidence) >= 0.9 * len(single)


def test_evidence_is_not_from_what_the_reports_only_infer() -> None:
    bodies = inferred_parts()
    for question in questions():
        for passage in question.get("evidence", []):
            assert plain(passage["quote"]) not in bodies.get(passage["document"], ""), named(question)


@cache
def inferred_parts() -> dict[str, str]:
    """Return the text under "Vores læsning" by document id, where a report has one."""
    found: dict[str, str] = {}
    for folder in SOURCE_FOLDERS:
        for path in sorted(folder.glob("*.md")):
            text = path.read_text(encoding="utf-8")
            part = re.search(r"^## Vores læsning\n(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL)
            if part:
                found[path.stem] = plain(part.group(1))
    return found


def test_across_questions_list_every_project_with_full_grade() -> None:
    """A project that belongs in the answer answers; one that does not is not graded at all."""
    for question in of_kind(*(set(ANSWERABLE) - {"across"})):
        assert {"projects", "count"} & set(question) == set(), named(question)
    for question in of_kind("across"):
        listed = question["projects"]
        assert len(listed) == len(set(listed)) > 0, named(question)
        graded = {name for name in question["answers"] if "projekt" in reports()[name][0]}
        assert graded == set(listed), named(question)
        assert all(question["answers"][name] == 2 for name in listed), named(question)


def test_how_many_questions_carry_the_count() -> None:
    for question in of_kind("across"):
        asks_for_number = question["text"].startswith("Hvor mange") and "penge" not in question["text"]
        assert ("count" in question) == asks_for_number, named(question)
        if asks_for_number:
            assert question["count"] == len(question["projects"]), named(question)


def projects_where(key: str, value: str) -> set[str]:
    """Return the projects whose metadata has `value` at the start of `key`."""
    return {
        name
        for name, (metadata, _) in reports().items()
        if "projekt" in metadata and str(metadata.get(key, "")).startswith(value)
    }


@pytest.mark.parametrize(
    ("group", "key", "value"),
    [
        ("g-x-klima", "område", "klima"),
        ("g-x-admin", "område", "administration"),
        ("g-x-social", "område", "social"),
        ("g-x-ledige", "område", "beskæftigelse"),
        ("g-x-hovedstaden", "myndighed", "Region Hovedstaden"),
        ("g-x-syddanmark", "myndighed", "Region Syddanmark"),
        ("g-x-midt", "myndighed", "Region Midtjylland"),
        ("g-x-kbh", "myndighed", "Københavns Kommune"),
        ("g-x-regionale", "type", "regional"),
        ("g-x-afsluttet", "status", "afsluttet"),
        ("g-x-igang", "status", "igangværende"),
        ("g-x-2020", "år", "2020"),
        ("g-x-2021", "år", "2021"),
        ("g-x-2022", "år", "2022"),
    ],
)
def test_across_keys_agree_with_the_reports_metadata(group: str, key: str, value: str) -> None:
    (question,) = [question for question in of_kind("across") if question["group"] == group]
    assert set(question["projects"]) == projects_where(key, value)


def test_misspelled_questions_have_a_word_that_nothing_else_has() -> None:
    known = words(" ".join(text for _, text in reports().values()))
    known |= words(" ".join(question["text"] for question in questions() if question["kind"] != "misspelled"))
    for question in of_kind("misspelled"):
        assert any(len(word) >= 5 for word in words(question["text"]) - known), named(question)


def test_inflected_and_everyday_questions_use_other_words_than_the_report() -> None:
    for question in of_kind("inflected", "everyday"):
        answering = [name for name, grade in question["answers"].items() if grade == 2]
        used = words(" ".join(reports()[name][1] for name in answering))
        assert any(len(word) >= 5 for word in words(question["text"]) - used), named(question)


def test_both_splits_have_a_fair_share_of_every_kind() -> None:
    for kind in ANSWERABLE | UNANSWERABLE:
        splits = Counter(split_of(question["group"]) for question in of_kind(kind))
        assert 0.4 <= splits["dev"] / splits.total() <= 0.6, kind


def test_the_readme_states_the_counts() -> None:
    """The table's rows are kind, number, dev and test."""
    text = README_FILE.read_text(encoding="utf-8")
    for kind in ANSWERABLE | UNANSWERABLE:
        splits = Counter(split_of(question["group"]) for question in of_kind(kind))
        assert f"| {kind} | {splits.total()} | {splits['dev']} | {splits['test']} |" in text, kind
