"""Labels of real sentences: what is known by its text or by its sha256 takes part, and the head learns from it."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from training import about_whom
from training.about_whom import LABELS, Sentences, digest, fit, labelled, of_invented, shares_of
from training.items import ABOUT, ITEMS, read


def test_a_window_by_its_text_needs_nothing_further() -> None:
    line = json.dumps({"context": "Rapport", "sentences": ["Vi stoppede."], "labels": ["pn"]})
    (found,) = labelled([line], {})
    assert (found.window.context, found.window.sentences, found.labels) == ("Rapport", ("Vi stoppede.",), ("pn",))


def test_a_window_by_sha256_takes_part_only_where_all_its_texts_are_known() -> None:
    texts = ["Rapport › Drift", "Vi stoppede.", "Loven kræver det."]
    row = {"context_sha256": digest(texts[0]), "sha256": [digest(one) for one in texts[1:]], "labels": ["p", "n"]}
    known = {digest(one): one for one in texts}
    (found,) = labelled([json.dumps(row)], known)
    assert found.window.sentences == ("Vi stoppede.", "Loven kræver det.")
    for missing in texts:
        assert not [*labelled([json.dumps(row)], {key: text for key, text in known.items() if text != missing})]


@pytest.mark.parametrize(("letters", "expected"), [("p", [1, 0, 0, 0]), ("na", [0, 0.35, 0, 0.65])])
def test_of_two_letters_the_first_has_the_more(letters: str, expected: list[float]) -> None:
    assert shares_of(letters).tolist() == pytest.approx(expected)


def test_the_head_learns_from_real_sentences_and_keeps_what_invented_ones_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(about_whom, "RATE", 0.02)
    states = torch.eye(4).repeat(32, 1)
    real = Sentences(states[:, [0, 1, 2, 3]], torch.stack([shares_of(one) for one in "ppmm" * 32]))
    invented = Sentences(torch.eye(4)[[1]], shares_of("p")[None])
    torch.manual_seed(1)
    head = nn.Sequential(nn.Linear(4, 16), nn.GELU(), nn.Linear(16, len(ABOUT)))
    before = head(torch.eye(4)).argmax(dim=1).tolist()
    fit(head, real, invented)
    assert before != [0, 0, 2, 2]
    assert head(torch.eye(4)).argmax(dim=1).tolist() == [0, 0, 2, 2]


def test_what_ships_has_a_letter_a_sentence_and_no_text_of_genuine_documents() -> None:
    rows = [json.loads(line) for line in LABELS.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        assert len(row["labels"]) == len(row.get("sentences") or row["sha256"])
        assert all(1 <= len(one) <= 2 and set(one) <= set(ABOUT) for one in row["labels"])
        assert set(row) in ({"context", "sentences", "labels"}, {"context_sha256", "sha256", "labels"})


def test_invented_windows_have_every_labelled_sentence_once() -> None:
    passages = read(ITEMS)[:50]
    windows = [*of_invented(passages)]
    assert [letter for one in windows for letter in one.labels] == [*"".join(one.about for one in passages)]
