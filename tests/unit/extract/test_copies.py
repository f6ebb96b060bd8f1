from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

from kb.core.models import Document
from kb.extract.copies import find_versions, group_versions, imprint, own_passages, shared_share, word_runs
from tests.unit.extract.making import read, written

WORDS = [
    "kommunen",
    "projektet",
    "borgeren",
    "data",
    "jura",
    "sagen",
    "løsningen",
    "erfaring",
    "leverandør",
    "møde",
    "frist",
    "model",
    "tekst",
    "test",
    "drift",
]


def text(seed: int, words: int = 400) -> str:
    chooser = random.Random(seed)  # noqa: S311 -- a text, not a secret
    return " ".join(chooser.choice(WORDS) + str(chooser.randrange(30)) for _ in range(words))


def document(folder: Path, name: str, body: str) -> Document:
    return read(written(folder, name, body))


def versions(*documents: Document) -> dict[str, str]:
    return find_versions(imprint(found) for found in documents)


def test_versions_of_one_report_are_found(tmp_path: Path) -> None:
    original = text(1)
    changed = original.replace("kommunen", "kommunerne", 5) + " " + text(2, 30)
    assert shared_share(word_runs(original), word_runs(changed)) > 0.8
    documents = [
        document(tmp_path, "a.md", f"# Rapport\n\n{original}"),
        document(tmp_path, "b.txt", changed),
        document(tmp_path, "c.md", text(3)),
    ]
    assert versions(*documents) == {"b": "a"}


def test_the_same_bytes_are_copies_whatever_their_length(tmp_path: Path) -> None:
    documents = [document(tmp_path, "a.md", "# Kort"), document(tmp_path, "b.md", "# Kort")]
    assert versions(*documents) == {"b": "a"}


def test_a_part_of_a_report_is_not_a_version_of_it() -> None:
    assert group_versions({"hel": word_runs(text(1, 3000)), "del": word_runs(text(1, 600))}) == []


def test_documents_of_different_projects_are_kept_apart(tmp_path: Path) -> None:
    body = text(1)
    one, other = document(tmp_path, "a.md", body), document(tmp_path, "b.md", body + " slut")
    assert versions(one, other) == {"b": "a"}
    one = replace(one, metadata=replace(one.metadata, projekt="X"))
    other = replace(other, metadata=replace(other.metadata, projekt="Y"))
    assert versions(one, other) == {}


def test_shown_is_the_one_an_editor_described(tmp_path: Path) -> None:
    body = text(1)
    plain = document(tmp_path, "a.md", body)
    described = document(tmp_path, "b.md", f"---\nid: b\ntitel: Rapport\nsprog: da\n---\n{body}")
    assert versions(plain, described) == {"a": "b"}


def test_long_texts_are_sampled_alike() -> None:
    long = text(1, 8000)
    assert len(word_runs(long)) < 4000
    assert shared_share(word_runs(long), word_runs(long + " slut på det hele her")) > 0.95


def version(folder: Path, name: str, body: str, said: str = "") -> Document:
    front = f"---\nudgave: {said}\n---\n" if said else ""
    return document(folder, name, front + body)


def test_the_newest_version_stands_for_the_others(tmp_path: Path) -> None:
    body = text(1)
    drafts = [version(tmp_path, name, f"{body} {name}") for name in ("plan v0.4.md", "plan v0.10.md", "plan udkast.md")]
    assert versions(*drafts) == {"plan-v0-4": "plan-v0-10", "plan-udkast": "plan-v0-10"}
    assert versions(*drafts, version(tmp_path, "plan.md", body)).keys() == {"plan-v0-4", "plan-v0-10", "plan-udkast"}


def test_an_editor_decides_which_is_in_force_and_which_is_no_version(tmp_path: Path) -> None:
    body = text(1)
    old, new = version(tmp_path, "plan v1.md", body, "gældende"), version(tmp_path, "plan v2.md", body)
    assert versions(old, new) == {"plan-v2": "plan-v1"}
    assert versions(version(tmp_path, "plan v1.md", body, "selvstændig"), new) == {}


def test_files_named_as_versions_need_share_less(tmp_path: Path) -> None:
    changed = " ".join([*text(1).split()[:200], *text(2).split()[:200]])
    old = version(tmp_path, "plan v0.4.md", text(1))
    assert versions(old, version(tmp_path, "plan v0.5.md", changed)) == {"plan-v0-4": "plan-v0-5"}
    assert versions(old, version(tmp_path, "andet.md", changed)) == {}


def test_a_passage_with_two_words_that_the_one_shown_lacks_tells_something_of_its_own(tmp_path: Path) -> None:
    guide = version(tmp_path, "guide.md", text(1))
    named = version(tmp_path, "guide viborg.md", f"{text(1)} Serveren i Viborg kører Ubuntu.")
    passages = [text(1), f"{text(1, 50)} Serveren", "Serveren i Viborg kører Ubuntu."]
    assert own_passages(named, guide, passages) == (2,)
    assert own_passages(guide, guide, [guide.text]) == ()


def test_what_an_older_version_alone_tells_holds_no_longer(tmp_path: Path) -> None:
    old = version(tmp_path, "plan v0.4.md", f"{text(1)} Serveren i Viborg kører Ubuntu.")
    own = ["Serveren i Viborg kører Ubuntu."]
    assert own_passages(old, version(tmp_path, "plan v0.5.md", text(1)), own) == ()
    assert own_passages(old, version(tmp_path, "plan v0.4.txt", text(1)), own) == (0,)
    assert own_passages(old, version(tmp_path, "plan v0.4 b.md", text(1), "gældende"), own) == ()
