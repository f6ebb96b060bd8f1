from __future__ import annotations

from pathlib import Path

import pytest
from fpdf import FPDF
from pypdf import PdfReader, PdfWriter
from pypdf.constants import PageLabelStyle

from kb.core.errors import DamagedFileError, NoTextError, OcrMissingError, ProtectedFileError
from kb.extract import ReadOptions, ocr
from kb.extract.blocks import Kind
from kb.extract.pdf.layout import layout
from kb.extract.pdf.quality import AGREED, GOOD, disagreement, score
from kb.extract.pdf.raw_page import OutlineEntry, RawPage, Rule, Run
from kb.extract.pdf.salvage import salvage
from tests.unit.extract.making import SENTENCES, Pdf, read, report_pdf, scanned_pdf, written

needs_tesseract = pytest.mark.skipif(not ocr.is_installed(), reason="Tesseract med dansk er ikke installeret")


def test_a_report_keeps_headings_paragraphs_and_pages(tmp_path: Path) -> None:
    document = read(written(tmp_path, "rapport.pdf", report_pdf(3)))
    headings = [(heading.level, heading.text) for heading in document.headings]
    assert headings == [(1, "Rapport om forsøget"), *((2, f"Afsnit {number}") for number in range(1, 7))]
    assert document.metadata.titel == "Rapport om forsøget"
    paragraphs = document.text.split("\n\n")
    assert paragraphs.count(" ".join(SENTENCES)) == 24
    assert len(paragraphs) == 31
    assert document.reader == "pypdf"
    for heading in document.headings:
        assert document.text[heading.start : heading.end] == heading.text


def test_running_lines_and_page_numbers_are_dropped(tmp_path: Path) -> None:
    document = read(written(tmp_path, "rapport.pdf", report_pdf(4, "Kommunens rapport 2021")))
    assert "Kommunens rapport 2021" not in document.text
    assert "Side 1" not in document.text
    assert len(document.pages) > 2


def test_every_character_is_on_its_page(tmp_path: Path) -> None:
    path = written(tmp_path, "rapport.pdf", report_pdf(3, ""))
    document = read(path)
    for page, original in zip(document.pages, PdfReader(path).pages, strict=True):
        ours = document.text[page.start : page.end].split()
        assert ours == original.extract_text().split()


def test_words_hyphenated_at_line_ends_are_joined(tmp_path: Path) -> None:
    pdf = Pdf()
    pdf.add_page()
    for line in ("Kommunen har gjort sig mange erfa-", "ringer med AI-", "projekter og drifts-", "og anlægsudgifter."):
        pdf.cell(0, 6, line, new_x="LMARGIN", new_y="NEXT")
    document = read(written(tmp_path, "a.pdf", pdf.bytes()))
    assert document.text == "Kommunen har gjort sig mange erfaringer med AI-projekter og drifts- og anlægsudgifter."


def test_columns_are_read_one_after_the_other(tmp_path: Path) -> None:
    pdf = Pdf()
    pdf.add_page()
    pdf.heading("Nyt fra projektet", 20)
    with pdf.text_columns(ncols=2, gutter=6, text_align="L") as columns:
        columns.write("Venstre spalte. " + " ".join(SENTENCES * 3))
        columns.new_column()
        columns.write("Højre spalte. " + " ".join(SENTENCES * 3))
    document = read(written(tmp_path, "spalter.pdf", pdf.bytes()))
    assert document.text.split("\n\n") == [
        "Nyt fra projektet",
        "Venstre spalte. " + " ".join(SENTENCES * 3),
        "Højre spalte. " + " ".join(SENTENCES * 3),
    ]


@pytest.mark.parametrize("borders", ["ALL", "HORIZONTAL_LINES", "NONE"])
def test_table_rows_name_their_columns(tmp_path: Path, borders: str) -> None:
    pdf = Pdf()
    pdf.add_page()
    pdf.paragraph(SENTENCES[0])
    cells = [("Kommune", "Antal sager", "Resultat"), ("Odense", "120", "god"), ("Aarhus", "340", "meget god"),
             ("Vejle", "85", "ikke kendt"), ("Horsens", "12", "dårlig")]  # fmt: skip
    with pdf.table(borders_layout=borders, col_widths=(60, 40, 60), width=160, text_align="L") as table:
        for row in cells:
            table.row(row)
    pdf.paragraph(SENTENCES[1])
    document = read(written(tmp_path, "tabel.pdf", pdf.bytes()))
    assert document.text.split("\n\n") == [
        SENTENCES[0],
        "Kommune: Odense; Antal sager: 120; Resultat: god\nKommune: Aarhus; Antal sager: 340; Resultat: meget god\n"
        "Kommune: Vejle; Antal sager: 85; Resultat: ikke kendt\nKommune: Horsens; Antal sager: 12; Resultat: dårlig",
        SENTENCES[1],
    ]


def test_rows_that_begin_in_bold_are_labels_and_values(tmp_path: Path) -> None:
    pdf = Pdf()
    pdf.add_page()
    with pdf.table(first_row_as_headings=False, col_widths=(40, 100), width=140, text_align="L") as table:
        for label, value in (("Kommune", "Odense"), ("Formål", "bedre svar"), ("Hvornår", "hele året")):
            row = table.row()
            pdf.set_font("Helvetica", "B", 11)
            row.cell(label)
            pdf.set_font("Helvetica", "", 11)
            row.cell(value)
    document = read(written(tmp_path, "fakta.pdf", pdf.bytes()))
    assert document.text == "Kommune: Odense\nFormål: bedre svar\nHvornår: hele året"


def test_a_numbered_list_is_no_table(tmp_path: Path) -> None:
    pdf = Pdf()
    pdf.add_page()
    for number, sentence in enumerate((*SENTENCES, *SENTENCES[:2]), start=1):
        pdf.cell(20, 7, f"{number}.")
        pdf.cell(0, 7, sentence, new_x="LMARGIN", new_y="NEXT")
    document = read(written(tmp_path, "liste.pdf", pdf.bytes()))
    assert document.text.split("\n")[:2] == [f"- 1. {SENTENCES[0]}", f"- 2. {SENTENCES[1]}"]


def test_page_labels_stand_beside_page_numbers(tmp_path: Path) -> None:
    writer = PdfWriter(clone_from=PdfReader(written(tmp_path, "a.pdf", report_pdf(2))))
    writer.set_page_label(0, 0, style=PageLabelStyle.LOWERCASE_ROMAN)
    writer.set_page_label(1, len(writer.pages) - 1, style=PageLabelStyle.DECIMAL, start=1)
    writer.write(tmp_path / "b.pdf")
    labels = [page.label for page in read(tmp_path / "b.pdf").pages]
    assert labels[:3] == ["i", "1", "2"]


def test_the_outline_gives_the_levels(tmp_path: Path) -> None:
    pdf = Pdf()
    pdf.add_page()
    for level, title in enumerate(("Del et", "Kapitel et", "Afsnit et")):
        pdf.start_section(title, level)
        pdf.heading(title, 14)
        pdf.paragraph(" ".join(SENTENCES))
    document = read(written(tmp_path, "a.pdf", pdf.bytes()))
    assert [(heading.level, heading.text) for heading in document.headings] == [
        (1, "Del et"),
        (2, "Kapitel et"),
        (3, "Afsnit et"),
    ]


def test_a_table_of_contents_is_dropped(tmp_path: Path) -> None:
    pdf = Pdf()
    pdf.add_page()
    pdf.heading("Indhold")
    for title, page in (("Formål", 2), ("Metode", 3), ("Læring", 5), ("Råd", 9)):
        pdf.cell(0, 6, title + " " + "." * 60 + f" {page}", new_x="LMARGIN", new_y="NEXT")
    pdf.ln(8)
    pdf.paragraph(SENTENCES[0])
    assert read(written(tmp_path, "a.pdf", pdf.bytes())).text == SENTENCES[0]


def test_a_footnote_does_not_break_the_paragraph_over_the_page(tmp_path: Path) -> None:
    pdf = Pdf()
    pdf.add_page()
    pdf.set_auto_page_break(False)
    pdf.set_xy(10, 240)
    pdf.multi_cell(0, 6, "Her begynder et afsnit, som er så langt, at det ikke kan stå på siden, og som derfor bliver")
    pdf.set_xy(10, 270)
    pdf.set_font("Helvetica", size=8)
    pdf.cell(0, 5, "1 Se kommunens egen rapport om forsøget.")
    pdf.add_page()
    pdf.set_font("Helvetica", size=11)
    pdf.multi_cell(0, 6, "fortsat øverst på den næste side.")
    document = read(written(tmp_path, "a.pdf", pdf.bytes()))
    assert "og som derfor bliver fortsat øverst på den næste side." in document.text
    first, second = document.pages
    assert "1 Se kommunens egen rapport" in document.text[first.start : first.end]
    assert document.text[second.start : second.end] == "fortsat øverst på den næste side."


def test_personal_data_is_masked_and_counted(tmp_path: Path) -> None:
    pdf = Pdf()
    pdf.add_page()
    pdf.paragraph("Borgeren 010190-0738 klagede.")
    document = read(written(tmp_path, "a.pdf", pdf.bytes()))
    assert document.text == "Borgeren [CPR-nummer skjult] klagede."
    assert document.masked == {"cpr": 1}


@pytest.mark.slow
@needs_tesseract
def test_a_scan_is_recognised_and_marked(tmp_path: Path) -> None:
    lines = ["Kommunen takker for henvendelsen", "og vil gerne deltage i projektet", "om bedre sagsbehandling."]
    document = read(written(tmp_path, "scan.pdf", scanned_pdf(lines)), ReadOptions(ocr=True))
    assert document.text == " ".join(lines)
    assert document.reader.endswith("tesseract")
    assert [page.ocr for page in document.pages] == [True]


def test_a_scan_without_recognition_says_what_to_do(tmp_path: Path) -> None:
    path = written(tmp_path, "scan.pdf", scanned_pdf(["tekst"]))
    with pytest.raises(OcrMissingError, match="ikke genkendt") as caught:
        read(path, ReadOptions(ocr=False))
    assert "slå tekstgenkendelse til" in caught.value.advice


def test_without_tesseract_it_is_told_what_the_operators_must_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    ocr.is_installed.cache_clear()
    try:
        with pytest.raises(OcrMissingError) as caught:
            read(written(tmp_path, "scan.pdf", scanned_pdf(["tekst"])), ReadOptions(ocr=True))
    finally:
        monkeypatch.undo()
        ocr.is_installed.cache_clear()
    assert "tekstgenkendelse (Tesseract med dansk)" in caught.value.advice


def test_a_scanned_page_among_others_makes_the_reading_partial(tmp_path: Path) -> None:
    writer = PdfWriter(clone_from=PdfReader(written(tmp_path, "a.pdf", report_pdf(1))))
    writer.append(PdfReader(written(tmp_path, "scan.pdf", scanned_pdf(["tekst"]))))
    writer.write(tmp_path / "b.pdf")
    document = read(tmp_path / "b.pdf", ReadOptions(ocr=False))
    assert [warning.code for warning in document.warnings] == ["kræver-ocr"]
    assert f"Side {len(document.pages)} er billeder" in document.warnings[0].message


def test_a_password_is_told_from_damage(tmp_path: Path) -> None:
    writer = PdfWriter(clone_from=PdfReader(written(tmp_path, "a.pdf", report_pdf(1))))
    writer.encrypt("hemmelig", algorithm="AES-256")
    writer.write(tmp_path / "b.pdf")
    with pytest.raises(ProtectedFileError):
        read(tmp_path / "b.pdf")
    writer = PdfWriter(clone_from=PdfReader(tmp_path / "a.pdf"))
    writer.encrypt("", "ejer", algorithm="AES-256")
    writer.write(tmp_path / "c.pdf")
    assert "Afsnit 1" in read(tmp_path / "c.pdf").text


def test_pages_of_a_file_that_was_cut_off_are_rescued(tmp_path: Path) -> None:
    whole = report_pdf(4, "")
    assert salvage(whole[: len(whole) // 3]) is None or salvage(whole[: len(whole) // 3])
    cut = whole[: whole.index(b"/Type /Pages")] if b"/Type /Pages" in whole else whole[: int(len(whole) * 0.8)]
    mended = salvage(cut)
    if mended is None:
        with pytest.raises(DamagedFileError):
            read(written(tmp_path, "klippet.pdf", cut))
    else:
        document = read(written(tmp_path, "klippet.pdf", cut))
        assert document.warnings[0].code == "sider-mangler"


def test_an_empty_page_has_no_text(tmp_path: Path) -> None:
    pdf = FPDF()
    pdf.add_page()
    with pytest.raises(NoTextError):
        read(written(tmp_path, "tom.pdf", bytes(pdf.output())))


GOOD_TEXT = " ".join(SENTENCES)


@pytest.mark.parametrize(
    ("text", "is_good"),
    [
        (GOOD_TEXT, True),
        (GOOD_TEXT.replace(" ", ""), False),
        (" ".join(GOOD_TEXT.replace(" ", "_")), False),
        (GOOD_TEXT.replace("e", "\ufffd"), False),
        (GOOD_TEXT.replace("e", "\ue012"), False),
        ("".join(chr(ord(c) + 3) if c.isalpha() else c for c in GOOD_TEXT), False),
        (GOOD_TEXT[: len(GOOD_TEXT) // 2], False),
        ("", False),
        ("Resultat: 5,3 mio. kr. i 2021 (jf. bilag 3, nr. 2)", True),
        ("speciallægepraksisplanlægning og arbejdsmarkedsuddannelserne", True),
        ("i å ø a 1 2 3 4 5 6 7 8 9", True),
    ],
)
def test_the_measure_tells_a_good_text_from_a_bad_one(text: str, is_good: bool) -> None:
    shown = len("".join(GOOD_TEXT.split())) if is_good is False else len("".join(text.split()))
    assert (score(text, shown) >= GOOD) is is_good


def test_two_readers_agree_or_one_is_wrong() -> None:
    assert disagreement(GOOD_TEXT, " ".join(GOOD_TEXT.split()[::-1])) == 0
    assert disagreement(GOOD_TEXT, GOOD_TEXT.replace("K", "k")) > AGREED
    assert disagreement("", "") == 0


def test_a_pdf_whose_spaces_pypdf_loses_is_read_by_pdfium(tmp_path: Path) -> None:
    """Each word is drawn where it stands, with no space between: only the places tell that there are several."""
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", size=11)
    for row, sentence in enumerate(SENTENCES * 3):
        x = 15.0
        for word in sentence.split():
            pdf.text(x, 20 + 7 * row, word)
            x += pdf.get_string_width(word) + pdf.get_string_width(" ")
    document = read(written(tmp_path, "a.pdf", bytes(pdf.output())))
    assert document.text.split() == (" ".join(SENTENCES * 3)).split()


def page(*runs: Run, rules: tuple[Rule, ...] = (), number: int = 1) -> RawPage:
    return RawPage(number, 595, 842, runs, rules=rules)


def run(text: str, x: float, y: float, size: float = 10, bold: bool = False) -> Run:
    return Run(text, x, x + 0.5 * size * len(text), y, size, bold)


def test_a_raised_number_is_a_note_mark_and_a_unit_is_not() -> None:
    blocks = layout([page(run("rapporten", 50, 700), Run("12", 95, 101, 704, 6), run(" siger", 102, 700))])
    assert [block.text for block in blocks] == ["rapporten siger"]
    blocks = layout([page(run("på 20 m", 50, 700), Run("2", 85, 88, 704, 6), run(" gulv", 90, 700))])
    assert [block.text for block in blocks] == ["på 20 m2 gulv"]


def test_a_table_that_goes_on_keeps_its_column_names() -> None:
    def grid(rows: list[tuple[str, ...]], number: int) -> RawPage:
        runs = [
            run(text, 60 + 100 * column, 705 - 20 * row)
            for row, cells in enumerate(rows)
            for column, text in enumerate(cells)
        ]
        lines = [Rule(50, 720 - 20 * i, 250, 720 - 20 * i) for i in range(len(rows) + 1)]
        sides = [Rule(x, 720 - 20 * len(rows), x, 720) for x in (50, 150, 250)]
        return page(*runs, rules=(*lines, *sides), number=number)

    blocks = layout([grid([("Navn", "Svar"), ("Odense", "ja")], 1), grid([("Vejle", "nej"), ("Køge", "måske")], 2)])
    assert [block.text for block in blocks] == [
        "Navn: Odense; Svar: ja",
        "Navn: Vejle; Svar: nej",
        "Navn: Køge; Svar: måske",
    ]
    assert [block.page for block in blocks] == [1, 2, 2]


def test_column_names_alone_at_the_foot_of_a_page_belong_to_the_rows_overleaf() -> None:
    def grid(rows: list[tuple[str, ...]], number: int, top: float) -> RawPage:
        runs = [
            run(text, 60 + 100 * column, top - 15 - 20 * row)
            for row, cells in enumerate(rows)
            for column, text in enumerate(cells)
        ]
        lines = [Rule(50, top - 20 * i, 350, top - 20 * i) for i in range(len(rows) + 1)]
        sides = [Rule(x, top - 20 * len(rows), x, top) for x in (50, 150, 250, 350)]
        return page(*runs, rules=(*lines, *sides), number=number)

    blocks = layout(
        [grid([("Kode", "Type", "Antal")], 1, 100), grid([("120", "Hus", "3"), ("130", "Hotel", "4")], 2, 700)]
    )
    assert [block.text for block in blocks][1:] == [
        "Kode: 120; Type: Hus; Antal: 3",
        "Kode: 130; Type: Hotel; Antal: 4",
    ]


def test_an_outline_title_that_is_nowhere_in_the_text_does_no_harm() -> None:
    outline = [OutlineEntry(1, "Findes ikke", 1), OutlineEntry(2, "", 0)]
    assert [block.text for block in layout([page(run("Kun brødtekst her.", 50, 700))], outline)] == [
        "Kun brødtekst her."
    ]


@pytest.mark.parametrize("titles", [[f"Case {n}" for n in range(1, 5)], [str(n) for n in range(2016, 2020)]])
def test_numbered_headings_at_the_top_of_pages_are_no_running_headers(tmp_path: Path, titles: list[str]) -> None:
    pdf = Pdf("Erfaringer fra projektet")
    for title in titles:
        pdf.add_page()
        pdf.set_y(12)
        pdf.heading(title, 16)
        pdf.paragraph(" ".join(SENTENCES))
    text = read(written(tmp_path, "a.pdf", pdf.bytes())).text
    assert [title for title in titles if title not in text.split("\n")] == []
    assert "Erfaringer fra projektet" not in text
    assert "Side 2" not in text


def test_parts_that_begin_pages_are_no_running_headers() -> None:
    pages = [
        page(
            run(f"Kortbilag {number}", 50, 800, 9 if number % 2 else 13),
            run("Notat om oversvømmelse", 50, 20, 8),
            run("Kortet viser de områder, som vandet når.", 50, 700),
            number=number + 2,
        )
        for number in range(1, 7)
    ]
    texts = [block.text for block in layout(pages)]
    assert [number for number in range(1, 7) if f"Kortbilag {number}" not in texts] == []
    assert "Notat om oversvømmelse" not in texts


def test_a_heading_that_returns_is_told_from_a_running_header_by_its_type() -> None:
    pages = [
        page(
            run("Erfaringer med automatik", 50, 820, 8),
            run("Projektets udfordring" if number % 2 else f"Kommunen i {number}", 50, 800, 16, bold=True),
            run("Teksten fortæller om, hvordan arbejdet gik.", 50, 760),
            run(f"Løsningen i {number}", 50, 500, 16, bold=True),
            run("Teksten fortæller videre om, hvordan arbejdet gik.", 50, 460),
            number=number,
        )
        for number in range(1, 11)
    ]
    texts = [block.text for block in layout(pages)]
    assert texts.count("Projektets udfordring") == 5
    assert "Erfaringer med automatik" not in texts


def test_a_year_in_larger_type_is_a_heading() -> None:
    blocks = layout([page(run("2016", 50, 700, 16), run("Kommunen brugte sensorer til at måle luften.", 50, 660))])
    assert (blocks[0].kind, blocks[0].text) == (Kind.HEADING, "2016")


@pytest.mark.parametrize("label", ["Side {}", "{}", "- {} -", "s. {}"])
def test_page_numbers_in_roman_numerals_are_dropped(label: str) -> None:
    pages = [
        page(run(f"Teksten på den {number}. side.", 50, 700), run(label.format(numeral), 280, 30), number=number)
        for number, numeral in enumerate(("iii", "iv", "v"), start=1)
    ]
    assert [block.text for block in layout(pages)] == [f"Teksten på den {number}. side." for number in (1, 2, 3)]
