"""What makes a line of a PDF a heading: the file's tags, the weight of its type, and what it says."""

from __future__ import annotations

from pathlib import Path

from pypdf.generic import ArrayObject, BooleanObject, NameObject, NumberObject

from kb.extract.blocks import Block, Kind
from kb.extract.contents_list import without_contents_list
from kb.extract.pdf.fonts import is_bold_program, with_weight
from kb.extract.pdf.layout import layout
from kb.extract.pdf.raw_page import ARTIFACT, Mark, RawPage, Rule, Run
from kb.extract.pdf.ruled import find_tables
from tests.unit.extract.making import SENTENCES, DrawnPdf, dictionary, drawn_line, read, written


def run(text: str, y: float, size: float = 10, x: float = 50, bold: bool = False) -> Run:
    return Run(text, x, x + 0.5 * size * len(text), y, size, bold)


def mark(line: Run, level: int, element: int = 0) -> Mark:
    return Mark(line.x0, line.x1, line.y, level, element)


def blocks_of(*runs: Run, marks: tuple[Mark, ...] = ()) -> list[Block]:
    body = tuple(run(sentence, 400 - 14 * place) for place, sentence in enumerate(SENTENCES))
    return layout([RawPage(1, 595, 842, (*runs, *body), marks=marks)])


def headings(blocks: list[Block]) -> list[str]:
    return [block.text for block in blocks if block.kind is Kind.HEADING]


def test_the_tags_of_a_file_name_its_headings(tmp_path: Path) -> None:
    pdf = DrawnPdf()
    tree = dictionary({"Type": NameObject("/StructTreeRoot")})
    root = pdf.writer._add_object(tree)
    kinds = ["H1", "P", "H3", "P"]
    elements = ArrayObject(
        pdf.writer._add_object(
            dictionary(
                {
                    "Type": NameObject("/StructElem"),
                    "S": NameObject(f"/{kind}"),
                    "P": root,
                    "Pg": pdf.page.indirect_reference,
                    "K": NumberObject(number),
                }
            )
        )
        for number, kind in enumerate(kinds)
    )
    numbers = ArrayObject([NumberObject(0), elements])
    tree.update({NameObject("/K"): elements, NameObject("/ParentTree"): dictionary({"Nums": numbers})})
    pdf.page[NameObject("/StructParents")] = NumberObject(0)
    pdf.writer.root_object[NameObject("/StructTreeRoot")] = root
    pdf.writer.root_object[NameObject("/MarkInfo")] = dictionary({"Marked": BooleanObject(True)})
    lines = ["Om projektet", SENTENCES[0], "Hvad det kostede", SENTENCES[1]]
    drawn = [
        f"/{kind} <</MCID {number}>> BDC\n{drawn_line(text, 700 - 40 * number)}EMC\n"
        for number, (kind, text) in enumerate(zip(kinds, lines, strict=True))
    ]
    document = read(written(tmp_path, "a.pdf", pdf.bytes("".join(drawn))))
    assert [(heading.text, heading.level) for heading in document.headings] == [
        ("Om projektet", 1),
        ("Hvad det kostede", 2),
    ]


def test_a_tagged_heading_of_two_lines_is_one_and_its_number_tells_the_level() -> None:
    first, second = run("2.1 Hvad projektet kostede og hvem der", 600), run("betalte", 580)
    found = blocks_of(first, second, marks=(mark(first, 3, 1), mark(second, 3, 1)))
    assert headings(found) == ["2.1 Hvad projektet kostede og hvem der betalte"]


def test_a_paragraph_that_begins_with_a_tagged_heading_or_is_tagged_as_one_is_a_paragraph() -> None:
    line = run("Økonomi Projektet kostede to millioner", 600)
    begun = (Mark(50, 85, 600, 2, 1), Mark(90, line.x1, 600, 0))
    assert headings(blocks_of(line, marks=begun)) == []
    long = [run("Projektet kostede to millioner og blev betalt af staten", 600 - 14 * place) for place in range(4)]
    assert headings(blocks_of(*long, marks=tuple(mark(line, 2, 1) for line in long))) == []


def test_what_the_tags_leave_out_is_no_heading_and_its_numbers_are_no_text() -> None:
    title, axis = run("Skadesfunktioner", 700, 16), run("200,000 kr.", 650)
    found = blocks_of(title, axis, marks=(mark(title, ARTIFACT), mark(axis, ARTIFACT)))
    assert headings(found) == []
    assert [block.text for block in found if "kr." in block.text] == []
    assert headings(blocks_of(title, axis)) == ["Skadesfunktioner"]


def font(style: int, weight: int) -> bytes:
    """The beginning of a TrueType font with these two tables."""
    head, os2 = bytes(44) + style.to_bytes(2, "big"), bytes(4) + weight.to_bytes(2, "big")
    tables = [(b"OS/2", os2, 44), (b"head", head, 44 + len(os2))]
    entries = b"".join(
        name + bytes(4) + place.to_bytes(4, "big") + len(data).to_bytes(4, "big") for name, data, place in tables
    )
    return b"\x00\x01\x00\x00" + (2).to_bytes(2, "big") + bytes(6) + entries + os2 + head


def test_a_font_tells_its_weight_when_its_name_does_not() -> None:
    assert is_bold_program(font(1, 400))
    assert is_bold_program(font(0, 700))
    assert not is_bold_program(font(0, 400))
    assert is_bold_program(b"\x01\x00\x04\x02\x00\x01\x01\x01\x13ABCDEF+Times-Bold")
    assert not is_bold_program(b"")
    assert not is_bold_program(font(1, 700)[:20])


def test_the_weight_of_type_is_taken_from_the_reading_that_knows_it() -> None:
    heavy, light = run("Formål", 600, bold=True), run("Projektet skal spare tid", 588)
    told = with_weight([run("Formål ", 600.4), run("Projektet skal spare tid", 588)], [heavy, light])
    assert [one.bold for one in told] == [True, False]


def test_an_address_and_a_date_in_large_type_are_no_headings() -> None:
    address = [
        run(text, 700 - 15 * place, 13) for place, text in enumerate(["Ministeriet", "Vejen 1", "1552 København V"])
    ]
    found = blocks_of(*address, run("Ollerup den 26. juni 2008", 640, 13, x=400))
    assert headings(found) == []
    assert [block.text for block in found][:3] == ["Ministeriet", "Vejen 1", "1552 København V"]


def test_a_column_of_short_lines_in_large_type_is_no_heading() -> None:
    column = [run(text, 700 - 15 * place, 13) for place, text in enumerate(["Fornavn", "Efternavn", "By", "Land"])]
    assert headings(blocks_of(*column)) == []
    assert headings(blocks_of(*column[:1])) == ["Fornavn"]


def test_a_bold_list_item_goes_on_in_bold() -> None:
    item = run("- Projektet bør gøres kendt gennem netværk, med vægt på både", 600, bold=True)
    rest = run("det praktiske og det politiske aspekt", 588, x=60, bold=True)
    found = blocks_of(item, rest)
    assert headings(found) == []
    assert found[0].text.endswith("med vægt på både det praktiske og det politiske aspekt")


def test_a_sentence_that_ends_in_bold_on_a_line_of_its_own_is_one() -> None:
    found = blocks_of(
        run("Ansvarlig for vedligeholdelsen af løsningen og for dens data er Administrative", 600),
        run("Løsninger", 588, bold=True),
    )
    assert headings(found) == []


def test_a_title_that_breaks_after_a_small_word_goes_on_far_below() -> None:
    found = blocks_of(run("Vejledning i brug af", 700, 20), run("løsningen", 664, 20))
    assert headings(found) == ["Vejledning i brug af løsningen"]


def test_a_sentence_with_its_heading_in_front_is_no_heading() -> None:
    assert headings(blocks_of(run("Periode: Indtast antal år.", 600, bold=True))) == []
    assert headings(blocks_of(run("Periode (år):", 600, bold=True))) == ["Periode (år):"]


def grid(top: float, rows: int) -> list[Rule]:
    lines = [Rule(50, top - 20 * row, 250, top - 20 * row) for row in range(rows + 1)]
    return lines + [Rule(x, top - 20 * rows, x, top) for x in (50.0, 150.0, 250.0)]


def cells(top: float, rows: int) -> list[Run]:
    return [run(f"celle {row}", top - 15 - 20 * row, x=x) for row in range(rows) for x in (60.0, 160.0)]


def test_highlighted_text_does_not_part_the_rows_of_a_table() -> None:
    runs = cells(700, 3)
    first = runs[0]
    box = [Rule(first.x0, y, first.x1, y) for y in (first.y - 2, first.y + 9)]
    box += [Rule(x, first.y - 2, x, first.y + 9) for x in (first.x0, first.x1)]
    (table,) = find_tables([*grid(700, 3), *box], runs)
    assert [[len(cell) for cell in row] for row in table.cells] == [[1, 1]] * 3


def test_a_heading_between_two_tables_parts_them() -> None:
    number, title = run("2.1", 645, 13, x=50), run("Adresse", 645, 13, x=160)
    tables = find_tables([*grid(700, 2), *grid(635, 2)], [*cells(700, 2), number, title, *cells(635, 2)])
    assert [len(table.cells) for table in tables] == [2, 2]
    assert all(title not in cell for table in tables for row in table.cells for cell in row)


def test_a_table_of_contents_in_the_type_of_headings_goes_and_the_first_heading_stays() -> None:
    titles = ["1 Formål", "2 Data", "3 Drift", "4 Formål"]
    entries = [Block(Kind.HEADING, f"{title} {place}", 1) for place, title in enumerate(titles, 2)]
    text = [block for title in titles for block in (Block(Kind.HEADING, title, 1), Block(Kind.PARAGRAPH, SENTENCES[0]))]
    assert without_contents_list([Block(Kind.HEADING, "Indhold", 1), *entries, *text]) == text


def test_a_letterhead_that_is_said_twice_is_no_table_of_contents() -> None:
    head = [Block(Kind.HEADING, line, 1) for line in ("FORENEDE NATIONER", "Det sociale råd", "Komiteen", "Andet møde")]
    text = Block(Kind.PARAGRAPH, SENTENCES[0])
    assert without_contents_list([*head, text, *head, text]) == [*head, text, *head, text]


def test_a_list_that_a_sentence_introduces_is_no_table_of_contents() -> None:
    names = ["Gas", "Varme", "Vand", "Kultur"]
    items = [Block(Kind.ITEM, f"- {name}") for name in names]
    text = [block for name in names for block in (Block(Kind.HEADING, name, 2), Block(Kind.PARAGRAPH, SENTENCES[0]))]
    introduced = [Block(Kind.PARAGRAPH, "De kortlagte kategorier er:"), *items, *text]
    assert without_contents_list(introduced) == introduced
    assert without_contents_list([Block(Kind.HEADING, "Indhold", 1), *items, *text]) == text
