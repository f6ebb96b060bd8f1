from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kb.core.privacy import REPLACEMENTS
from kb.extract.blocks import Block, Kind, PageInfo, assemble
from kb.extract.tables import table_blocks

WORDS = st.sampled_from(["en", "rapport", "010190-0738", "Jens Hansen tlf. 21 34 56 78", "æøå", "x@eksempel.dk", "😀."])
TEXTS = st.lists(WORDS, min_size=0, max_size=6).map(" ".join)


@st.composite
def paged_blocks(draw: st.DrawFn) -> tuple[list[Block], int]:
    """Blocks over pages in order, some running over a page's end, some pages empty."""
    count = draw(st.integers(1, 6))
    page = draw(st.integers(1, count))
    blocks = []
    for _ in range(draw(st.integers(0, 8))):
        text = draw(TEXTS)
        kind = draw(st.sampled_from(list(Kind)))
        level = draw(st.integers(1, 6)) if kind is Kind.HEADING else 0
        first, breaks = page, []
        if kind is Kind.PARAGRAPH and page < count and draw(st.booleans()) and len(text) > 1:
            page += 1
            breaks = [(draw(st.integers(1, len(text) - 1)), page)]
        blocks.append(Block(kind, text, level, first, tuple(breaks), draw(st.integers(0, 2))))
        page = draw(st.integers(page, count))
    return blocks, count


@given(paged_blocks(), st.booleans())
def test_headings_and_pages_agree_with_the_text(made: tuple[list[Block], int], contacts: bool) -> None:
    blocks, count = made
    result = assemble(blocks, [PageInfo(number) for number in range(1, count + 1)], contacts=contacts)
    for heading in result.headings:
        assert result.text[heading.start : heading.end] == heading.text
    assert len(result.headings) == sum(block.kind is Kind.HEADING and bool(block.text) for block in blocks)
    assert [page.number for page in result.pages] == list(range(1, count + 1))
    reached = 0
    for page in result.pages:
        assert reached <= page.start <= page.end <= len(result.text)
        reached = page.end
    assert "010190" not in result.text
    assert result.masked.get("cpr", 0) == sum(block.text.count("010190-0738") for block in blocks)


@given(paged_blocks())
def test_every_block_is_on_its_page(made: tuple[list[Block], int]) -> None:
    blocks, count = made
    whole = [Block(b.kind, b.text, b.level, b.page) for b in blocks]
    result = assemble(whole, [PageInfo(number) for number in range(1, count + 1)], contacts=False)
    for page in result.pages:
        there = [b.text.replace("010190-0738", REPLACEMENTS["cpr"]) for b in whole if b.page == page.number and b.text]
        assert [line for line in result.text[page.start : page.end].split("\n") if line] == there


def test_layout_of_the_text() -> None:
    blocks = [
        Block(Kind.HEADING, "Formål", 1),
        Block(Kind.PARAGRAPH, "Et afsnit."),
        Block(Kind.ITEM, "- et", group=1),
        Block(Kind.ITEM, "- to", group=1),
        Block(Kind.ITEM, "- ny liste", group=2),
        Block(Kind.ROW, "År: 2020", group=3),
        Block(Kind.ROW, "År: 2021", group=3),
    ]
    assert assemble(blocks).text == "Formål\n\nEt afsnit.\n\n- et\n- to\n\n- ny liste\n\nÅr: 2020\nÅr: 2021"


def test_a_paragraph_over_two_pages_belongs_to_both() -> None:
    block = Block(Kind.PARAGRAPH, "CPR 010190-0738 og så resten", page=1, breaks=((19, 2),))
    result = assemble([block], [PageInfo(1), PageInfo(2, "ii")])
    first, second = result.pages
    assert result.text[second.start : second.end] == "så resten"
    assert first.end == second.start
    assert second.label == "ii"


def test_a_box_of_facts_is_read_as_labels_and_values() -> None:
    rows = [["Myndighed", "Aalborg Kommune"], ["Område", "sundhed"], ["Status", "i drift"]]
    assert [block.text for block in table_blocks(rows)] == [
        "Myndighed: Aalborg Kommune",
        "Område: sundhed",
        "Status: i drift",
    ]


def test_one_cell_across_the_top_names_the_table_and_not_its_columns() -> None:
    rows = [["Om projektet", ""], ["Myndighed", "Aalborg Kommune"], ["Område", "sundhed"]]
    texts = [block.text for block in table_blocks(rows, header_rows=1)]
    assert texts == ["Om projektet", "Myndighed: Aalborg Kommune", "Område: sundhed"]
