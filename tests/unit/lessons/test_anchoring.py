"""Evidence is found again by its words, wherever they stand, and told of where they do not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.core.models import Passage
from kb.lessons.anchoring import AnchorState, anchor, find_words
from kb.lessons.lesson import Evidence

QUOTE = "Driften manglede et klart lovgrundlag, selv om det var i orden at udvikle løsningen."


class Reports:
    """Reports as text, each paragraph a passage."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def text_of(self, document_id: str) -> str | None:
        return self._texts.get(document_id)

    def passages_of(self, document_id: str) -> Sequence[Passage]:
        found, start = [], 0
        for number, text in enumerate(self._texts[document_id].split("\n\n")):
            found.append(Passage(f"{document_id}.{number}", document_id, number, text, start, start + len(text)))
            start += len(text) + 2
        return found

    def likely_to_hold(self, quote: str) -> Iterable[str]:
        return self._texts


@pytest.mark.parametrize(
    ("texts", "state", "passage_id"),
    [
        ({"air": f"Formål.\n\n{QUOTE}"}, AnchorState.INTACT, "air.1"),
        ({"air": f"Formål.\n\nFørst dette. {QUOTE.replace(' ', '  ')} Så det."}, AnchorState.INTACT, "air.1"),
        ({"air": "Formål.", "air-2": QUOTE}, AnchorState.MOVED, "air-2.0"),
        ({"air-2": QUOTE}, AnchorState.MOVED, "air-2.0"),
        ({"air": f"Formål.\n\n{QUOTE.replace('klart', 'tydeligt')}"}, AnchorState.CHANGED, "air.1"),
        ({"air": "Formål.\n\nNoget helt andet om vejret i Skagen."}, AnchorState.GONE, ""),
        ({"andet": "Noget andet."}, AnchorState.GONE, ""),
        ({}, AnchorState.GONE, ""),
    ],
)
def test_what_became_of_the_evidence(texts: Mapping[str, str], state: AnchorState, passage_id: str) -> None:
    found = anchor(Evidence.of("air", QUOTE), Reports(texts))
    assert (found.state, found.passage_id) == (state, passage_id)
    if state.stands:
        assert texts[found.document_id][found.start : found.end].split() == QUOTE.split()


words = st.lists(st.sampled_from(["en", "to", "tre", "ent", "n"]), min_size=1, max_size=8)
gaps = st.sampled_from([" ", "\n", "  \n", "\t"])


@settings(max_examples=15)
@given(before=words, quote=words, after=words, gap=gaps, other=gaps)
def test_words_are_found_whatever_stands_between_them(
    before: list[str], quote: list[str], after: list[str], gap: str, other: str
) -> None:
    text = gap.join([*before, *quote, *after])
    place = find_words(text, other.join(quote))
    assert place is not None
    assert text[slice(*place)].split() == quote


@pytest.mark.parametrize(("text", "quote"), [("ente to", "en to"), ("en", ""), ("", "en"), ("en to", "en  tre")])
def test_half_a_word_is_no_place(text: str, quote: str) -> None:
    assert find_words(text, quote) is None
