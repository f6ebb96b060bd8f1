from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.core.models import Document, Heading, Metadata, Page, Passage, Role
from kb.indexing.chunking import ChunkSize, TokenCounter, chunk
from kb.language.embedding_text import PREFIX_CHARACTERS, embedding_prefix, embedding_text


def words(text: str) -> int:
    return len(text.split()) + 2


def characters(text: str) -> int:
    """The strictest counter there is: no tokenizer makes more tokens than characters."""
    return len(text)


WORDS = st.sampled_from(
    ["data", "drift", "§6", "kommunen,", "2,5", "borgere.", "Hvorfor?", "(jf.", "bilag", "Æblet", "\U0001f600", "x"]
)
LINES = st.lists(WORDS, min_size=1, max_size=40).map(" ".join)
SECTIONS = st.lists(
    st.tuples(st.integers(1, 4), LINES, st.lists(LINES | st.just(" \t "), max_size=4)), min_size=0, max_size=5
)
SIZES = st.builds(
    lambda least, target, limit: ChunkSize(target=least + target, limit=least + target + limit, least=least),
    st.integers(1, 10),
    st.integers(0, 30),
    st.integers(PREFIX_CHARACTERS + 40, 400),
)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    text = draw(st.sampled_from(["", "Indledning uden overskrift.\n\n"]))
    headings = []
    for level, title, paragraphs in draw(SECTIONS):
        headings.append(Heading(level, title, len(text), len(text) + len(title)))
        text += title + "\n\n" + "".join(f"{paragraph}\n\n" for paragraph in paragraphs)
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(text) - 1)), max_size=3)) | {0}) if text else []
    ends = [*cuts[1:], len(text)]
    pages = tuple(Page(number, *span) for number, span in enumerate(zip(cuts, ends, strict=True), 1)) if cuts else ()
    metadata = Metadata(id="rapport", titel=draw(st.sampled_from(["", "En titel", "Lang titel " * 40])))
    return Document("r.md", "0" * 64, "text/markdown", "md", metadata, text, tuple(headings), pages)


@given(documents(), SIZES)
@settings(max_examples=30)
def test_every_passage_is_an_exact_range_and_together_they_hold_everything(document: Document, size: ChunkSize) -> None:
    passages = chunk(document, words, size)
    for passage in passages:
        assert passage.text == document.text[passage.start : passage.end]
        assert passage.text.strip() == passage.text != ""
    assert all(before.end <= after.start for before, after in pairwise(passages))
    covered = {at for passage in passages for at in range(passage.start, passage.end)}
    covered |= {at for heading in document.headings for at in range(heading.start, heading.end)}
    assert not [at for at, char in enumerate(document.text) if not char.isspace() and at not in covered]


@given(documents(), SIZES, st.sampled_from([words, characters]))
@settings(max_examples=30)
def test_nothing_that_is_embedded_passes_the_limit(document: Document, size: ChunkSize, counter: TokenCounter) -> None:
    for passage in chunk(document, counter, size):
        if len(passage.text) > 1:
            text = embedding_text(document.metadata.titel, passage)
            # The newline between the two is a character, but no token of its own to any tokenizer.
            assert counter(text) <= size.limit + (counter is characters)


@given(documents())
@settings(max_examples=25)
def test_ids_tell_document_and_position_and_are_the_same_every_time(document: Document) -> None:
    passages = chunk(document, words)
    assert [passage.id for passage in passages] == [f"rapport.{number}" for number in range(1, len(passages) + 1)]
    assert [passage.ordinal for passage in passages] == list(range(len(passages)))
    assert chunk(document, words) == passages


@given(documents())
@settings(max_examples=25)
def test_no_passage_crosses_a_heading(document: Document) -> None:
    for passage in chunk(document, words):
        assert not [h for h in document.headings if passage.start < h.end and h.start < passage.end]


@given(documents())
@settings(max_examples=25)
def test_pages_are_those_the_passage_stands_on(document: Document) -> None:
    for passage in chunk(document, words):
        touched = [page.number for page in document.pages if page.start < passage.end and passage.start < page.end]
        assert (passage.page_first, passage.page_last) == ((touched[0], touched[-1]) if touched else (None, None))


def _document(text: str, *headings: Heading, title: str = "Rapport") -> Document:
    return Document("r.md", "", "text/markdown", "md", Metadata(id="r", titel=title), text, headings)


def _under(*lines: tuple[int, str]) -> Document:
    text, headings = "", []
    for level, line in lines:
        if level:
            headings.append(Heading(level, line, len(text), len(text) + len(line)))
        text += line + "\n\n"
    return _document(text, *headings)


def _paths(passages: list[Passage]) -> list[tuple[str, ...]]:
    return [passage.heading_path for passage in passages]


def test_the_heading_path_is_that_of_the_section() -> None:
    lines = [(1, "A"), (0, "Under A."), (2, "B"), (0, "Under B."), (3, "C"), (0, "Under C."), (2, "D"), (0, "x y")]
    document = _under(*lines)
    assert _paths(chunk(document, words)) == [("A",), ("A", "B"), ("A", "B", "C"), ("A", "D")]


def test_the_role_comes_from_the_heading() -> None:
    passages = chunk(_under((1, "Udfordringer"), (0, "Det var svært.")), words)
    assert passages[0].role is Role.CHALLENGE


def test_a_short_last_passage_joins_the_one_before() -> None:
    sentence = "Her er otte ord i en eneste sætning. "
    passages = chunk(_document(sentence * 5), words, ChunkSize(target=40, limit=60, least=15))
    assert [passage.text for passage in passages] == [(sentence * 5).strip()]


def test_a_sentence_longer_than_the_limit_is_cut_at_spaces() -> None:
    text = " ".join(f"ord{number}" for number in range(500))
    passages = chunk(_document(text, title=""), words, ChunkSize(target=50, limit=60, least=10))
    assert len(passages) > 8
    assert " ".join(passage.text for passage in passages) == text


def _listed(items: int) -> Document:
    lines = "\n".join(f"- punkt {number} er en ting. Den er god." for number in range(items))
    text = f"En sætning først her. Kommunen vil:\n\n{lines}\n\nEn sætning efter listen."
    return Document("a.txt", "", "text/plain", "text", Metadata(id="a", titel="A"), text)


def test_a_sentence_that_introduces_a_list_stands_with_the_whole_list() -> None:
    passages = chunk(_listed(2), words, ChunkSize(target=34, limit=60, least=1))
    assert [passage.text.split()[0] for passage in passages] == ["En", "Kommunen", "En"]
    assert passages[1].text.endswith("punkt 1 er en ting. Den er god.")


def test_a_sentence_that_introduces_a_long_list_stands_with_its_first_item() -> None:
    passages = chunk(_listed(9), words, ChunkSize(target=12, limit=60, least=1))
    assert [text for passage in passages if "vil:" in (text := passage.text)] == [
        "Kommunen vil:\n\n- punkt 0 er en ting."
    ]


def test_the_prefix_names_title_and_headings_once() -> None:
    assert embedding_prefix("Asta", ["Asta", "Læring"]) == "Asta › Læring"
    assert len(embedding_prefix("t" * 1000, [])) == PREFIX_CHARACTERS


@pytest.mark.parametrize("sizes", [(0, 10, 1), (10, 5, 1), (10, 20, 11), (10, 20, 0)])
def test_sizes_out_of_order_are_refused(sizes: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="least"):
        ChunkSize(*sizes)


def test_a_title_that_the_passage_opens_with_is_not_said_twice() -> None:
    passage = chunk(_document("Øget genbrug  i Ølstykke. Det gik godt.", title=""), words)[0]
    assert embedding_text("Øget genbrug i Ølstykke.", passage) == passage.text
    assert embedding_text("Øget genbrug i Asta", passage) == f"Øget genbrug i Asta\n{passage.text}"
